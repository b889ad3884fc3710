/**
 * What the system itself notices, sampled four times a second through the levers: backends at the load balancer, the
 * leader of etcd, processes that end by themselves. A sample that cannot be had is left out; the next one comes soon.
 */
import type { BackendServer, PlaneEvent, PlaneLevers } from '../../controlplane/index.ts';
import type { Clock } from '../../core/index.ts';
import type { Notice } from './observe.ts';
import { sampleAgainAndAgain } from './sampling.ts';

const PERIOD_MS = 250;
const SAMPLE_TIMEOUT_MS = 1_000;

export class SystemWatch {
  readonly #levers: PlaneLevers;
  readonly #clock: Clock;
  readonly #notices: Notice[] = [];
  readonly #leaderChanges: number[] = [];
  readonly #backends = new Map<string, { state: string; downCount: number }>();
  readonly #ended = new AbortController();
  #leader: string | undefined;
  #stopEvents = () => {};
  #loops: Promise<void>[] = [];

  constructor(levers: PlaneLevers, clock: Clock) {
    this.#levers = levers;
    this.#clock = clock;
  }

  get notices(): readonly Notice[] {
    return this.#notices;
  }

  /** Everything that happened to the plane's processes so far. */
  get processes(): readonly PlaneEvent[] {
    return this.#levers.events;
  }

  /** Leader changes of etcd noticed in [fromUs, untilUs). */
  leaderChangeCount(fromUs: number, untilUs: number): number {
    return this.#leaderChanges.filter((atUs) => atUs >= fromUs && atUs < untilUs).length;
  }

  start(): void {
    this.#stopEvents = this.#levers.onEvent((event) => {
      // What a lever did is no news; what followed from it is.
      if (event.kind === 'exited' && !event.induced)
        this.#notices.push({ atUs: event.atUs, by: `${event.name} ended by itself (${event.detail})` });
    });
    const { loadBalancer, etcd } = this.#levers;
    this.#loops.push(this.#loop(async (signal) => this.#sawLeader(await etcd.leader(signal))));
    if (loadBalancer !== undefined)
      this.#loops.push(
        this.#loop(async (signal) => {
          for (const server of await loadBalancer.servers(signal)) this.#sawBackend(server);
        }),
      );
  }

  async stop(): Promise<void> {
    this.#stopEvents();
    this.#ended.abort();
    await Promise.all(this.#loops);
  }

  #sawLeader(leader: string | undefined): void {
    if (leader === undefined) return;
    if (this.#leader !== undefined && leader !== this.#leader) {
      const atUs = this.#clock.nowUs();
      this.#leaderChanges.push(atUs);
      this.#notices.push({ atUs, by: `etcd elected ${leader}` });
    }
    this.#leader = leader;
  }

  #sawBackend({ name, state: told, downCount, check }: BackendServer): void {
    const state = told.replace(/ .*$/, '');
    const before = this.#backends.get(name);
    this.#backends.set(name, { state, downCount });
    if (before === undefined) return;
    const notice = (text: string) =>
      this.#notices.push({ atUs: this.#clock.nowUs(), by: `the load balancer took ${name} for ${text}` });
    if (before.state !== state && state !== 'UP') notice(state === 'DOWN' ? `DOWN (${check})` : state);
    // Down and up again between two samples: only the count tells. A balancer that was restarted counts from 0.
    else if (before.state === state && downCount > before.downCount) notice('DOWN and UP again');
  }

  #loop(sample: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return sampleAgainAndAgain(sample, {
      periodMs: () => PERIOD_MS,
      timeoutMs: SAMPLE_TIMEOUT_MS,
      signal: this.#ended.signal,
      clock: this.#clock,
    });
  }
}
