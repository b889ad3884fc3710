/**
 * One turn of one contender: nodes until they are Ready, a rest, pods until they run, their deletion, more nodes and
 * another rest. Clears up behind itself, so that the next one finds the cluster as it did.
 */
import { type Clock, delay } from '../../../src/core/index.ts';
import { cpuSeconds, machineBusySeconds, memoryMb } from '../process-cost.ts';
import type { Arena, Contender, RunningFleet } from './contender.ts';

/** What a turn is to do. */
export interface TurnPlan {
  nodeCount: number;
  /** Nodes for the second rest; absent: no second rest. */
  grownNodeCount?: number;
  podCount: number;
  settleSeconds: number;
  restSeconds: number;
  /** The cluster ends with this turn: nothing needs to be removed. */
  leaveNodes?: boolean;
}

/** A stretch of a turn: how long it took, and whose CPU it took; cores, or seconds of one core. */
export interface Stretch {
  seconds: number;
  fleetCpuS: number;
  apiserverCpuS: number;
  /** All of the machine: control plane, fleet, and the benchmark's own share. */
  machineCpuS: number;
}

/** At rest with so many nodes. */
export interface Rest extends Stretch {
  nodeCount: number;
  fleetRssMb: number;
  fleetPssMb: number;
  apiserverRssMb: number;
  /** Where the fleet's memory is, if it can tell: bytes. */
  holds?: Readonly<Record<string, number>>;
}

export interface TurnFigures {
  ready: Stretch;
  rest: Rest;
  running: Stretch;
  deleted: Stretch;
  grown?: { ready: Stretch; rest: Rest };
}

const PATIENCE_MS = 300_000;
/** After a turn: what the controllers still do for what was deleted is not the next one's. */
const AFTER_MS = 3_000;
const PODS = '/api/v1/namespaces/default/pods';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

export interface TurnContext {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @throws Error where nodes or pods do not get there in time, or the signal's reason */
export async function playTurn(
  contender: Contender,
  run: string,
  plan: TurnPlan,
  context: TurnContext,
): Promise<TurnFigures> {
  const { clock, signal } = context;
  const { administrator } = context.arena;
  const apiserver = context.arena.plane.components.flatMap(({ component, pid }) =>
    component === 'kube-apiserver' && pid !== undefined ? [pid] : [],
  );
  let fleet: RunningFleet | undefined;
  const stretch = async (work: () => Promise<void>): Promise<Stretch> => {
    // Processes that are begun within a stretch have used nothing before it.
    const before = {
      us: clock.nowUs(),
      fleet: cpuSeconds(fleet?.pids ?? []),
      apiserver: cpuSeconds(apiserver),
      machine: machineBusySeconds(),
    };
    await work();
    return {
      seconds: (clock.nowUs() - before.us) / 1e6,
      fleetCpuS: cpuSeconds(fleet?.pids ?? []) - before.fleet,
      apiserverCpuS: cpuSeconds(apiserver) - before.apiserver,
      machineCpuS: machineBusySeconds() - before.machine,
    };
  };
  const grow = (running: RunningFleet, nodeCount: number) =>
    stretch(async () => {
      await running.grow(nodeCount);
      await administrator.until(
        `${nodeCount} nodes Ready`,
        PATIENCE_MS,
        () => administrator.readyNodeCount === nodeCount,
      );
    });
  const rest = async (running: RunningFleet, nodeCount: number): Promise<Rest> => {
    await delay(plan.settleSeconds * 1_000, { signal, clock });
    const spent = await stretch(() => delay(plan.restSeconds * 1_000, { signal, clock }));
    const memory = memoryMb(running.pids);
    const holds = running.memory?.();
    return {
      ...spent,
      nodeCount,
      fleetRssMb: memory.rssMb,
      fleetPssMb: memory.pssMb,
      apiserverRssMb: memoryMb(apiserver).rssMb,
      ...(holds === undefined ? {} : { holds }),
    };
  };
  try {
    const running = await contender.start(run);
    fleet = running;
    const ready = await grow(running, plan.nodeCount);
    const first = await rest(running, plan.nodeCount);
    const podName = (index: number) => `${run}-${index}`;
    const runningPods = await stretch(async () => {
      await administrator.create(PODS, 0, plan.podCount, (index) =>
        pod(podName(index), running.nodeName(index % plan.nodeCount)),
      );
      await administrator.until(
        `${plan.podCount} pods Running`,
        PATIENCE_MS,
        () => administrator.runningPodCount === plan.podCount,
      );
    });
    const deleted = await stretch(async () => {
      await administrator.delete(plan.podCount, (index) => `${PODS}/${podName(index)}`);
      await administrator.until('all pods gone', PATIENCE_MS, () => administrator.podCount === 0);
    });
    const figures: TurnFigures = { ready, rest: first, running: runningPods, deleted };
    if (plan.grownNodeCount !== undefined) {
      const grownReady = await grow(running, plan.grownNodeCount);
      figures.grown = { ready: grownReady, rest: await rest(running, plan.grownNodeCount) };
    }
    return figures;
  } finally {
    await fleet?.stop();
    if (!signal.aborted && plan.leaveNodes !== true) {
      for (const path of ['/api/v1/nodes', LEASES, '/apis/storage.k8s.io/v1/csinodes'])
        await administrator.deleteAll(path);
      await administrator.until('all nodes gone', PATIENCE_MS, () => administrator.nodeCount === 0);
      await delay(AFTER_MS, { signal, clock });
    }
  }
}

/** Bound from the start: what is compared is what nodes do, not how fast a scheduler is. */
function pod(name: string, nodeName: string): object {
  return {
    metadata: { name },
    spec: {
      nodeName,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10' }],
    },
  };
}
