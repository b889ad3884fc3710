/**
 * What a phase waits for once its load is silent: pods of creations that are Running, workloads that have rolled out. Its
 * patience is the phase's `settleTimeout`; what is not there by then is said, and stops nothing.
 */
import { RUN_LABEL } from '../../hollow/index.ts';
import type { LoadPhase } from '../config/index.ts';
import { type Clock, delay, formatMs } from '../core/index.ts';
import { type ClusterAccess, JsonClient, openConnection } from '../kube/index.ts';
import type { RolloutWait } from '../result/index.ts';
import { awaitedResources, openRolloutCount } from './rollouts.ts';

export interface SettleContext {
  clock: Clock;
  signal: AbortSignal;
  /** One line about what is waited for. */
  onDetail: (text: string) => void;
  /** Something a person should know now. */
  onNotice: (text: string) => void;
}

const PODS_POLL_MS = 100;
const ROLLOUTS_POLL_MS = 250;

/**
 * Resolves when no pod is waited for, or the patience is over: pods then count as never started.
 * @throws the signal's reason
 */
export async function settlePods(
  phase: LoadPhase,
  podsNotRunning: () => number,
  context: SettleContext,
): Promise<void> {
  if (!phase.actions.some((action) => action.action === 'create' && action.waitFor === 'running')) return;
  const waiting = await waitForNone(
    phase,
    async () => podsNotRunning(),
    PODS_POLL_MS,
    'pods to run',
    context,
  );
  if (waiting > 0)
    context.onNotice(
      `${waiting} pods of phase ${phase.name} were not Running after ${formatMs(phase.settleTimeoutMs)}`,
    );
}

/**
 * Resolves with how long the workloads of the run took to roll out after the last call, where the phase waits for it.
 * @throws ApiError, TransportError, or the signal's reason
 */
export async function settleRollouts(
  phase: LoadPhase,
  target: { admin: ClusterAccess; runId: string },
  context: SettleContext,
): Promise<RolloutWait | undefined> {
  const resources = awaitedResources(phase);
  if (resources.length === 0) return undefined;
  const { clock, signal } = context;
  await using connection = await openConnection(target.admin, { clock });
  const client = new JsonClient(connection, clock);
  const selector = `${RUN_LABEL}=${target.runId}`;
  const startUs = clock.nowUs();
  const count = () => openRolloutCount(client, resources, selector, signal);
  const openCount = await waitForNone(phase, count, ROLLOUTS_POLL_MS, 'workloads to roll out', context);
  if (openCount > 0)
    context.onNotice(
      `${openCount} workloads of phase ${phase.name} had not rolled out after ${formatMs(phase.settleTimeoutMs)}`,
    );
  return { waitMs: Math.round((clock.nowUs() - startUs) / 1_000), openCount };
}

/** Asks until there is none left or the phase's patience is over; returns how many there are then. */
async function waitForNone(
  phase: LoadPhase,
  count: () => Promise<number>,
  pollMs: number,
  what: string,
  { clock, signal, onDetail }: SettleContext,
): Promise<number> {
  const untilUs = clock.nowUs() + phase.settleTimeoutMs * 1_000;
  for (;;) {
    const waiting = await count();
    if (waiting === 0 || clock.nowUs() > untilUs) return waiting;
    onDetail(`waiting for ${waiting} ${what}`);
    await delay(pollMs, { signal, clock });
  }
}
