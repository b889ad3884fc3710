/**
 * The faults of a run, beside its load: takes what the prober sends, plays the schedule during its phase, and sums up.
 * Made once the agents run; asked for its part of the result when all is over, whatever way it ended.
 */
import { type Suite, topologyWeaknesses } from '../config/index.ts';
import type { ControlPlane } from '../controlplane/index.ts';
import { type Clock, describeError, HarnessError, type Logger, onAbort } from '../core/index.ts';
import {
  FaultRun,
  type FaultWorld,
  LeaderWatch,
  type ProbeBatch,
  type ProbeLimits,
  ProbeLog,
  SystemWatch,
  summarize,
} from '../faults/index.ts';
import { type ClusterAccess, type Connection, openConnection } from '../kube/index.ts';
import type { FaultsResult, InvariantCheck } from '../result/index.ts';
import type { Agents } from './agents.ts';
import { probeNamespace } from './cluster-setup.ts';
import { countConvergence, faultWorld, listProbes } from './fault-world.ts';
import type { MarkLedger } from './mark-ledger.ts';
import type { RunOptions } from './options.ts';

export interface RunFaultsParts {
  options: RunOptions;
  plane: ControlPlane;
  agents: Agents;
  loadAccess: ClusterAccess;
  clock: Clock;
  log: Logger;
  marks: MarkLedger;
  sinceStartMs: (atUs: number) => number;
  fleetCounts: () => { reconnectCount: number; relistCount: number; runningPodCount: number };
  onStep: (text: string) => void;
  /** The second interrupt. */
  hard: AbortSignal;
}

const FINAL_TIMEOUT_MS = 60_000;

export class RunFaults {
  readonly #parts: RunFaultsParts;
  readonly #settings: NonNullable<RunOptions['loaded']['suite']['faults']>;
  readonly #log = new ProbeLog();
  readonly #limits: ProbeLimits;
  readonly #world: FaultWorld;
  readonly #connection: Connection;
  readonly #system: SystemWatch | undefined;
  readonly #leaders: LeaderWatch | undefined;
  readonly #faultRun: FaultRun;
  /** Aborts when the phase is over. */
  readonly #end = new AbortController();
  /** When the schedule played. */
  #playedUs = { from: 0, until: Number.POSITIVE_INFINITY };
  #stopListening = () => {};
  #playing: Promise<void> | undefined;
  #invariants: InvariantCheck[] = [];

  private constructor(
    parts: RunFaultsParts,
    settings: NonNullable<RunOptions['loaded']['suite']['faults']>,
    connection: Connection,
  ) {
    const { options, plane, clock, log } = parts;
    const { suite } = options.loaded;
    this.#parts = parts;
    this.#settings = settings;
    this.#connection = connection;
    this.#limits = {
      writeLimitUs: suite.slo.mutatingLimitMs * 1_000,
      readLimitUs: suite.slo.readResourceLimitMs * 1_000,
      quantile: suite.slo.quantile,
    };
    this.#world = faultWorld({ ...parts, connection });
    this.#system = plane.levers === undefined ? undefined : new SystemWatch(plane.levers, clock);
    this.#leaders =
      plane.levers === undefined
        ? undefined
        : new LeaderWatch(plane.levers, {
            clock,
            onSample: (sample) => this.#log.masters.push(sample),
            onWoken: (leader) => this.#log.woken.push(leader),
          });
    this.#faultRun = new FaultRun({
      settings,
      seed: suite.seed,
      world: this.#world,
      log: this.#log,
      system: this.#system,
      limits: this.#limits,
      fleetCounts: parts.fleetCounts,
      listings: (signal) => listProbes(plane, options.runId, { clock, log, signal }),
      convergence: (signal) => this.#converge(signal),
      weaknesses: (component) => weaknessesFor(suite, component),
      hard: parts.hard,
      sinceStartMs: parts.sinceStartMs,
      onInduced: (text, atUs) => {
        const mark = parts.marks.begin({ kind: 'fault', text, phase: settings.phase }, atUs);
        return (endUs) => mark.end(endUs);
      },
      onStep: parts.onStep,
    });
  }

  /** The faults of the run; undefined where its suite has none. */
  static async open(parts: RunFaultsParts): Promise<RunFaults | undefined> {
    const { faults } = parts.options.loaded.suite;
    if (faults === undefined) return undefined;
    const connection = await openConnection(parts.plane.admin, { clock: parts.clock });
    return new RunFaults(parts, faults, connection);
  }

  /** Takes what the prober saw. */
  take(batch: ProbeBatch): void {
    this.#log.add(batch);
  }

  /** The phase `name` begins at `startUs`: if it is the one, the schedule plays beside it. */
  begin(name: string, startUs: number, signal: AbortSignal): void {
    if (name !== this.#settings.phase) return;
    this.#system?.start();
    this.#leaders?.start();
    this.#playedUs.from = startUs;
    this.#stopListening = onAbort(signal, () => this.#end.abort(signal.reason));
    this.#playing = this.#faultRun.play(startUs, this.#end.signal);
    // Looked at by over() or heal(), which may come later.
    this.#playing.catch(() => {});
  }

  /** Resolves when the schedule is through. @throws what it threw */
  async over(): Promise<void> {
    await this.#playing;
  }

  /** Ends the schedule if it still plays; resolves when everything is healed. Never throws. */
  async heal(): Promise<void> {
    if (this.#playing === undefined) return;
    this.#stopListening();
    this.#end.abort(new HarnessError('HM_INTERRUPTED', 'the phase is over'));
    await this.#playing.catch((error: unknown) => {
      this.#parts.log.warn({ error: describeError(error) }, 'the schedule of faults ended early');
    });
    this.#playing = undefined;
    this.#playedUs.until = this.#parts.clock.nowUs();
    await this.#system?.stop();
    await this.#leaders?.stop();
  }

  /** After the prober's last report and before clean-up: the invariants over the whole run. Never throws. */
  async finish(signal: AbortSignal): Promise<void> {
    const limit = new AbortController();
    const cancel = this.#parts.clock.setTimer(() => limit.abort(), FINAL_TIMEOUT_MS);
    const stopListening = onAbort(signal, () => limit.abort());
    try {
      this.#invariants = await this.#faultRun.finalInvariants(limit.signal);
    } catch (error) {
      this.#parts.log.error({ error: describeError(error) }, 'final invariants could not be checked');
    } finally {
      cancel();
      stopListening();
      await this.#connection.close();
    }
  }

  /** The run's `faults` section. */
  result(): FaultsResult {
    const { balancedPerSecond, memberPerSecond } = this.#settings.probes;
    return summarize({
      topology: topologyText(this.#parts.plane),
      cards: this.#faultRun.cards,
      invariants: this.#invariants,
      log: this.#log,
      limits: this.#limits,
      fromUs: this.#playedUs.from,
      untilUs: this.#playedUs.until,
      ratesPerSecond: { balanced: balancedPerSecond, member: memberPerSecond },
    });
  }

  #converge(signal: AbortSignal) {
    const { options, fleetCounts } = this.#parts;
    const { suite } = options.loaded;
    const phase = suite.load.phases.find(({ name }) => name === this.#settings.phase);
    // Objects that are created and deleted while both sides are counted: two seconds' worth, twice for safety.
    const perSecond = (phase?.actions ?? []).reduce(
      (sum, action) => sum + (action.action === 'churn' ? action.ratePerSecond * action.object.podCount : 0),
      0,
    );
    const canaries = Math.ceil(this.#settings.probes.deploymentsPerSecond * CANARY_LIFE_SECONDS);
    return countConvergence(
      this.#world.admin,
      { runSelector: this.#world.runSelector, canaryNamespace: probeNamespace(options.runId) },
      {
        wantedCount: suite.fleet.nodeCount,
        runningPodCount: fleetCounts().runningPodCount,
        podsInMotionCount: Math.ceil(perSecond * 4) + canaries + 2,
      },
      signal,
    );
  }
}

/** A canary comes or goes within this time; its Deployment, ReplicaSet and pod do so one after the other. */
const CANARY_LIFE_SECONDS = 15;

/** Of a cluster that hollowmark did not start nothing is known. */
function weaknessesFor({ controlPlane }: Suite, component: string): string[] {
  if (controlPlane.provider !== 'local') return [];
  return topologyWeaknesses(controlPlane.topology)
    .filter(({ components }) => components.includes(component))
    .map(({ text }) => text);
}

function topologyText(plane: ControlPlane): string {
  const counts = new Map<string, number>();
  for (const { component } of plane.components) counts.set(component, (counts.get(component) ?? 0) + 1);
  if (counts.size === 0) return 'attached cluster';
  const balancer = plane.levers?.loadBalancer === undefined ? [] : ['load balancer'];
  return [...[...counts].map(([component, count]) => `${count} ${component}`), ...balancer].join(', ');
}
