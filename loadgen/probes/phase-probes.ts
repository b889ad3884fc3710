/**
 * The probes of a run, phase by phase, in an agent process of their own: the pacing of the load never delays one, and
 * reading watch events never delays the load. A phase's probes go on at their rates until the phase ends.
 */
import type { LoadPhase, ProbesAction } from '../../src/config/index.ts';
import {
  type Clock,
  type Component,
  delay,
  describeError,
  type Logger,
  seededRandom,
} from '../../src/core/index.ts';
import {
  ApiError,
  type ClusterAccess,
  type Connection,
  JsonClient,
  openConnection,
} from '../../src/kube/index.ts';
import type { CallRecorder } from '../../src/measure/index.ts';
import { ActionTally } from '../calls/action-tally.ts';
import { LoadCaller } from '../calls/load-caller.ts';
import type { EndlessStream } from '../pacer/endless-stream.ts';
import { Pacer } from '../pacer/pacer.ts';
import { AvailabilityProbe } from './availability-probe.ts';
import { CONFIG_MAPS, type OpenPath, type ProbeContext } from './probe-context.ts';
import {
  openProbePath,
  PROBE_CONNECTION_COUNT,
  PROBE_USER_AGENT,
  type ProbePath,
  probePaths,
} from './probe-paths.ts';
import type { ProbeWindow } from './probe-window.ts';
import { PROPAGATION_OBJECT, PropagationProbe } from './propagation-probe.ts';
import { READ_BACK_OBJECT, ReadBackProbe } from './read-back-probe.ts';

/** What the probes are given: plain data. */
export interface PhaseProbesShard {
  seed: number;
  /** As the load's own identity: Priority & Fairness treats both alike. */
  access: ClusterAccess;
  /** API servers behind the load balancer, to be probed one by one. */
  members: ProbePath[];
  /** For the objects that are written. */
  namespace: string;
  /** Put on these. */
  labels: Record<string, string>;
}

export interface PhaseProbesOptions {
  clock: Clock;
  log: Logger;
  recorder: CallRecorder;
  /** Make the connections. @default real ones: HTTP/1.1 for calls, HTTP/2 for watches */
  connect?: {
    calls: (path: ProbePath) => Promise<Connection>;
    watches: () => Promise<Connection>;
  };
}

/** Watches on one HTTP/2 connection, as a process of controllers holds. */
const WATCHES_PER_CONNECTION = 10;
/** Writes wait this long at most for the watchers to have their initial state. */
const WATCHING_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
/** Calls in flight at the end of a phase, and events on their way, get this long. */
const GRACE_MS = 2_000;

interface RunningPhase {
  context: ProbeContext;
  availability: AvailabilityProbe[];
  propagation: PropagationProbe | undefined;
  readBack: ReadBackProbe | undefined;
  pacers: Pacer[];
  pacing: Promise<void>[];
  /** Nothing new is begun. */
  ending: boolean;
}

export class PhaseProbes implements Component {
  readonly name = 'probes';
  readonly #shard: PhaseProbesShard;
  readonly #options: PhaseProbesOptions;
  readonly #ended = new AbortController();
  #paths: (OpenPath & { connection: Connection })[] = [];
  #watchConnections: Connection[] = [];
  #running: RunningPhase | undefined;
  #finished: ProbeWindow[] = [];
  #nextSequence = 1;

  constructor(shard: PhaseProbesShard, options: PhaseProbesOptions) {
    this.#shard = shard;
    this.#options = options;
  }

  /**
   * Opens a connection on each path and makes the objects that are written. A path that cannot be reached is a finding
   * of its probes, not an error.
   * @throws ApiError, TransportError or the signal's reason where the objects cannot be made
   */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#paths.length > 0) return;
    const { access, members, namespace, labels } = this.#shard;
    const { clock, log } = this.#options;
    const connect = this.#options.connect?.calls ?? ((path) => openProbePath(access, path, clock));
    for (const path of probePaths(access, members)) {
      const connection = await connect(path);
      const caller = new LoadCaller({
        clock,
        dispatcher: connection,
        maxInFlightCount: PROBE_CONNECTION_COUNT,
        // A probe's answer is its answer.
        honourRetryAfter: false,
        requestTimeoutMs: 0,
      });
      this.#paths.push({ name: path.name, caller, connection });
    }
    const [balanced] = this.#paths;
    if (balanced === undefined) return;
    const client = new JsonClient(balanced.connection, clock);
    for (const name of [PROPAGATION_OBJECT, READ_BACK_OBJECT])
      await client
        .create(
          CONFIG_MAPS,
          { metadata: { name, labels }, data: { sequence: '0' } },
          { namespace },
          { signal },
        )
        .catch(ignoreExisting);
    await Promise.all(
      this.#paths.map(({ name, connection }) =>
        connection
          .request({ method: 'GET', path: '/version', discardBody: true }, signal)
          .catch((error: unknown) => {
            signal.throwIfAborted();
            log.warn({ path: name, error: describeError(error) }, 'path not reached before the first probe');
          }),
      ),
    );
  }

  /** Begins the probes of `phase` at `startUs`; they go on until endPhase(). Resolves once all have begun. */
  async startPhase(phase: LoadPhase, startUs: number): Promise<void> {
    const action = phase.actions.find((one) => one.action === 'probes');
    const [balanced] = this.#paths;
    if (action === undefined || balanced === undefined) return;
    const context: ProbeContext = {
      phase: phase.name,
      clock: this.#options.clock,
      recorder: this.#options.recorder,
      tally: new ActionTally(),
      timeoutMs: action.timeoutMs,
      namespace: this.#shard.namespace,
      paths: this.#paths,
    };
    const running: RunningPhase = {
      context,
      availability: this.#availability(action, startUs, context),
      propagation: await this.#propagation(action, balanced, context),
      readBack:
        action.readYourWrite === undefined
          ? undefined
          : new ReadBackProbe(balanced, action.readYourWrite, startUs, context),
      pacers: [],
      pacing: [],
      ending: false,
    };
    this.#running = running;
    for (const { caller } of this.#paths) caller.setStopped(false);
    this.#pace(running, [
      ...running.availability.map(({ stream }) => stream),
      ...(running.readBack === undefined ? [] : [running.readBack.stream]),
    ]);
    if (running.propagation !== undefined)
      await this.#beginPropagation(running, running.propagation, startUs);
  }

  /** Ends the probes of the phase; what is in flight has a moment to end. Idempotent. */
  async endPhase(): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.ending) return;
    running.ending = true;
    for (const pacer of running.pacers) pacer.stop();
    await Promise.all(running.pacing);
    const { clock } = this.#options;
    const untilUs = clock.nowUs() + GRACE_MS * 1_000;
    const busy = () =>
      this.#paths.some(({ caller }) => caller.inFlightCount > 0) ||
      (running.propagation?.pendingCount ?? 0) > 0;
    while (busy() && clock.nowUs() < untilUs && !this.#ended.signal.aborted)
      await delay(POLL_MS, { signal: this.#ended.signal, clock }).catch(() => {});
    for (const { caller } of this.#paths) caller.cancelAll();
    running.propagation?.stop();
    this.#nextSequence = running.propagation?.nextSequence ?? this.#nextSequence;
    this.#finished.push(windowOf(running));
    this.#running = undefined;
    await this.#closeWatches();
  }

  /** What was found since the last call. */
  drain(): ProbeWindow[] {
    const windows = this.#finished.splice(0);
    if (this.#running !== undefined) windows.push(windowOf(this.#running));
    return windows;
  }

  /** Ends everything. Idempotent. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.endPhase();
    const paths = this.#paths;
    this.#paths = [];
    await Promise.all(paths.map(({ connection }) => connection.close(0)));
  }

  #availability(action: ProbesAction, startUs: number, context: ProbeContext): AvailabilityProbe[] {
    const { availability } = action;
    if (availability === undefined) return [];
    const turnUs = 1e6 / availability.ratePerSecond / this.#paths.length;
    return this.#paths.map(
      (path, index) => new AvailabilityProbe(path, availability, startUs + index * turnUs, context),
    );
  }

  async #propagation(
    action: ProbesAction,
    writePath: OpenPath,
    context: ProbeContext,
  ): Promise<PropagationProbe | undefined> {
    const { propagation } = action;
    if (propagation === undefined) return undefined;
    const { access, seed } = this.#shard;
    const { clock } = this.#options;
    const connect =
      this.#options.connect?.watches ??
      (() => openConnection(access, { clock, userAgent: PROBE_USER_AGENT }));
    const connections = await Promise.all(
      Array.from({ length: Math.ceil(propagation.watcherCount / WATCHES_PER_CONNECTION) }, connect),
    );
    this.#watchConnections.push(...connections);
    let turn = 0;
    return new PropagationProbe(writePath, propagation, context, {
      random: seededRandom(`${seed}/propagation/${context.phase}`),
      nextConnection: () => {
        const connection = connections[turn++ % connections.length];
        if (connection === undefined) throw new RangeError('watchers need a connection');
        return connection;
      },
      firstSequence: this.#nextSequence,
    });
  }

  async #beginPropagation(
    running: RunningPhase,
    propagation: PropagationProbe,
    startUs: number,
  ): Promise<void> {
    const { clock, log } = this.#options;
    propagation.watch();
    const untilUs = clock.nowUs() + WATCHING_TIMEOUT_MS * 1_000;
    while (!propagation.isWatching && clock.nowUs() < untilUs) {
      await delay(POLL_MS, { signal: this.#ended.signal, clock }).catch(() => {});
      if (this.#ended.signal.aborted || running.ending) return;
    }
    if (!propagation.isWatching)
      log.warn({ phase: running.context.phase }, 'writes begin before every watcher watches');
    this.#pace(running, [propagation.stream(Math.max(startUs, clock.nowUs()))]);
  }

  #pace(running: RunningPhase, streams: EndlessStream[]): void {
    const { clock, log } = this.#options;
    const pacer = new Pacer(streams, { clock });
    running.pacers.push(pacer);
    running.pacing.push(
      pacer.run(this.#ended.signal).catch((error: unknown) => {
        if (!this.#ended.signal.aborted) log.error({ error: describeError(error) }, 'probes broke off');
      }),
    );
  }

  async #closeWatches(): Promise<void> {
    const connections = this.#watchConnections;
    this.#watchConnections = [];
    await Promise.all(connections.map((connection) => connection.close(0)));
  }
}

function windowOf({ context, availability, propagation, readBack }: RunningPhase): ProbeWindow {
  const { tally, phase } = context;
  const slip = tally.slip.toWire();
  tally.slip.reset();
  return {
    phase,
    availability: availability.map((probe) => probe.drain()),
    ...(propagation === undefined ? {} : { propagation: propagation.drain() }),
    readYourWrite: readBack?.drain() ?? [],
    slip,
  };
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 409)) throw error;
}
