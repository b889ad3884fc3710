/**
 * What an agent can be: a shard of the fleet, a shard of the load, the observer who watches both from outside, or the
 * prober who asks the cluster all the time whether it is well.
 */
import { Fleet, type FleetCommand } from '../../../hollow/index.ts';
import { LoadGenerator, PhaseProbes, WatchLoad } from '../../../loadgen/index.ts';
import type { LoadPhase } from '../../config/index.ts';
import { type Clock, HarnessError, type Logger, onAbort } from '../../core/index.ts';
import { Prober } from '../../faults/index.ts';
import { type PodInstantBuffer, PodTracker, type RunCallRecorder } from '../../measure/index.ts';
import {
  type AgentAssignment,
  type AgentEvent,
  type AgentReport,
  type AgentWindow,
  CUT_SHORT_GRACE_MS,
  type PhaseOutcome,
} from '../protocol.ts';

export interface AgentRoleRunner {
  /** Resolves when the role is ready for its first phase: nodes Ready, connections warm. */
  start(signal: AbortSignal): Promise<void>;
  runPhase(phase: LoadPhase, startUs: number): Promise<PhaseOutcome>;
  /** Load agents only: ends the schedule of the phase that runs. */
  curtailPhase?(): void;
  /** Starts nothing new in the phase that runs. */
  endPhase(): void;
  /** Fleet agents only; what comes of it is said in events. */
  applyToFleet?(command: FleetCommand): Promise<void>;
  /** For each report: cheap. */
  stats(): Pick<AgentReport, 'fleet' | 'load' | 'probes'>;
  /** For each closed window. */
  drain(): Pick<AgentWindow, 'fleet' | 'probes'>;
  stop(): Promise<void>;
}

interface RoleParts {
  clock: Clock;
  log: Logger;
  recorder: RunCallRecorder;
  pods: PodInstantBuffer;
  /** Puts an event on the next report. */
  emit: (event: AgentEvent) => void;
}

/** Makes the role that `assignment` names. */
export function makeRole(assignment: AgentAssignment, parts: RoleParts): AgentRoleRunner {
  switch (assignment.role) {
    case 'fleet':
      return fleetRole(assignment.shard, parts);
    case 'load':
      return loadRole(assignment.shard, parts);
    case 'observer':
      return observerRole(assignment.shard, parts);
    case 'prober':
      return proberRole(assignment.shard, parts);
  }
}

type ShardOf<R extends AgentAssignment['role']> = Extract<AgentAssignment, { role: R }>['shard'];

function fleetRole(shard: ShardOf<'fleet'>, parts: RoleParts): AgentRoleRunner {
  const fleet = new Fleet(shard, {
    ...parts,
    podInstants: parts.pods,
    onStormEnded: (ended) => parts.emit({ type: 'storm-ended', ended }),
  });
  return {
    async start(signal) {
      await fleet.start(signal);
      await fleet.ready(signal);
    },
    async runPhase(phase) {
      fleet.setPhase(phase.name);
      return {};
    },
    endPhase: () => {},
    async applyToFleet(command) {
      const started = await fleet.apply(command);
      if (started !== undefined) parts.emit({ type: 'storm-started', started });
    },
    stats: () => ({ fleet: fleet.stats() }),
    drain: () => ({ fleet: fleet.drain() }),
    stop: () => fleet.stop(),
  };
}

function loadRole(shard: ShardOf<'load'>, parts: RoleParts): AgentRoleRunner {
  const load = new LoadGenerator(shard, { ...parts, podInstants: parts.pods });
  const ended = new AbortController();
  return {
    start: (signal) => load.start(signal),
    async runPhase(phase, startUs) {
      await load.preparePhase(phase, ended.signal);
      return { load: await load.runPhase(phase, startUs, ended.signal) };
    },
    curtailPhase: () => load.curtailPhase(),
    endPhase: () => load.stopNewWork(CUT_SHORT_GRACE_MS),
    stats: () => ({ load: load.stats() }),
    drain: () => ({}),
    async stop() {
      ended.abort(new HarnessError('HM_INTERRUPTED', 'agent told to end'));
      await load.stop();
    },
  };
}

function observerRole(shard: ShardOf<'observer'>, parts: RoleParts): AgentRoleRunner {
  const tracker = new PodTracker(
    { access: shard.access, labelSelector: shard.podLabelSelector, seed: shard.load.seed },
    { ...parts, podInstants: parts.pods },
  );
  const watches = new WatchLoad(shard.load, parts);
  let phaseEnd = new AbortController();
  return {
    async start(signal) {
      await tracker.start(signal);
      await watches.start(signal);
    },
    // The observer's phase ends when it is told to: the load decides how long a phase is.
    async runPhase(phase) {
      const end = new AbortController();
      phaseEnd = end;
      await watches.startPhase(phase);
      await new Promise<void>((resolve) => onAbort(end.signal, resolve));
      return { watches: await watches.endPhase() };
    },
    endPhase: () => phaseEnd.abort(),
    stats: () => ({}),
    drain: () => ({}),
    async stop() {
      await watches.stop();
      await tracker.stop();
    },
  };
}

/** Calls in flight at the end get this long. */
const PROBE_GRACE_MS = 2_000;

function proberRole(shard: ShardOf<'prober'>, parts: RoleParts): AgentRoleRunner {
  const canaries = shard.canaries === undefined ? undefined : new Prober(shard.canaries, parts);
  const probes = shard.probes === undefined ? undefined : new PhaseProbes(shard.probes, parts);
  let phaseEnd = new AbortController();
  return {
    async start(signal) {
      await probes?.start(signal);
      await canaries?.start(signal);
    },
    // Canaries have a clock of their own and go on between phases; probes go on until the phase is told to end.
    async runPhase(phase, startUs) {
      const end = new AbortController();
      phaseEnd = end;
      await probes?.startPhase(phase, startUs);
      await new Promise<void>((resolve) => onAbort(end.signal, resolve));
      await probes?.endPhase();
      return {};
    },
    endPhase: () => phaseEnd.abort(),
    stats: () => (canaries === undefined ? {} : { probes: canaries.drain() }),
    drain: () => (probes === undefined ? {} : { probes: probes.drain() }),
    async stop() {
      phaseEnd.abort();
      await probes?.stop();
      await canaries?.stop(PROBE_GRACE_MS);
    },
  };
}
