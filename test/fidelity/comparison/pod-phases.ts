/**
 * How long pods take on their way up, by the API server's own clock: from the scheduler's binding to each thing that the
 * kubelet then asks for.
 */
import type { Bindings, PlayerRequest } from '../audit/requests.ts';
import type { Act } from '../performance.ts';

/** Milliseconds from the binding, one a pod, by phase. */
export type PhaseTimes = Record<string, number[]>;

export const PHASES = ['first status', 'token requested', 'sandbox ready', 'running'] as const;

/** Times of all pods that are started by a Deployment, which wait for nothing of their own. */
export function podPhases(acts: readonly Act[], bindings: Bindings): PhaseTimes {
  const times: PhaseTimes = {};
  for (const { scenario, requests } of acts) {
    if (scenario.name !== 'deployment' && scenario.name !== 'service') continue;
    for (const [pod, boundMs] of bindings) {
      const [namespace, name] = pod.split('/');
      const own = requests.filter((one) => one.namespace === namespace && podNameOf(one) === name);
      const seen = new Map<string, number>();
      for (const request of own) {
        const phase = phaseOf(request, seen);
        if (phase !== undefined && !seen.has(phase)) seen.set(phase, request.atMs - boundMs);
      }
      for (const [phase, ms] of seen) times[phase] = [...(times[phase] ?? []), Math.round(ms)];
    }
  }
  return times;
}

function phaseOf(request: PlayerRequest, seen: ReadonlyMap<string, number>): string | undefined {
  if (request.resource === 'serviceaccounts/token') return 'token requested';
  if (request.resource !== 'pods/status' || request.verb !== 'patch') return undefined;
  const { status } = (request.body ?? {}) as {
    status?: { phase?: string; conditions?: { type: string; status?: string }[] };
  };
  if (status?.phase === 'Running') return 'running';
  if (!seen.has('first status')) return 'first status';
  const sandbox = status?.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
  return sandbox?.status === 'True' ? 'sandbox ready' : undefined;
}

function podNameOf(request: PlayerRequest): string | undefined {
  if (request.resource !== 'serviceaccounts/token') return request.name;
  return (request.body as { spec?: { boundObjectRef?: { name?: string } } } | undefined)?.spec?.boundObjectRef
    ?.name;
}
