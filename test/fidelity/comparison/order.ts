/**
 * Orders that a kubelet keeps. Each is held or broken over all of a player's requests; a player that never makes the
 * requests holds none. What a real kubelet does not hold is not asked of a hollow one: the comparison shows it.
 */
import type { PlayerRequest } from '../audit/requests.ts';
import type { Act } from '../performance.ts';
import { kindOf } from './facts.ts';

export interface Order {
  readonly component: 'kubelet' | 'kube-proxy';
  readonly name: string;
  /** `first`: the first `before` comes before the first `after`. `each`: every `after` has a `before` since the last `after`. */
  readonly rule: 'first' | 'each';
  /** `node`: over all requests. `pod`: within the requests of each pod. */
  readonly scope: 'node' | 'pod';
  readonly before: (request: PlayerRequest) => boolean;
  readonly after: (request: PlayerRequest) => boolean;
}

const is = (kind: string) => (request: PlayerRequest) => kindOf(request) === `kubelet ${kind}`;
const isStatus = is('patch pods/status');
const statusHas = (test: (status: Record<string, unknown>) => boolean) => (request: PlayerRequest) =>
  isStatus(request) && test((request.body as { status?: Record<string, unknown> } | undefined)?.status ?? {});
const isRunning = statusHas((status) => status['phase'] === 'Running');
const isEnd = statusHas((status) => status['phase'] === 'Succeeded' || status['phase'] === 'Failed');
const isEvent = (reason: string) => is(`create events Pod/${reason}`);
const isLeaseWrite = (request: PlayerRequest) =>
  is('create leases.coordination.k8s.io')(request) || is('update leases.coordination.k8s.io')(request);

export const ORDERS: readonly Order[] = [
  order(
    'CSINode is asked for before the Node is created',
    is('get csinodes.storage.k8s.io'),
    is('create nodes'),
  ),
  order('the Node is created before its status is patched', is('create nodes'), is('patch nodes/status')),
  order('the Node is created before its CSINode', is('create nodes'), is('create csinodes.storage.k8s.io')),
  order('the Node is created before its lease', is('create nodes'), is('create leases.coordination.k8s.io')),
  order('the own Node is watched before its pods', is('watch nodes'), is('watch pods')),
  order('the Node is created before its pods are watched', is('create nodes'), is('watch pods')),
  order('the lease is looked for before it is written', is('get leases.coordination.k8s.io'), isLeaseWrite),
  ofPod('a pod is read before each write of its status', 'each', is('get pods'), isStatus),
  ofPod('a pod is read before its final DELETE', 'each', is('get pods'), is('delete pods')),
  ofPod('a token is requested before the pod runs', 'first', is('create serviceaccounts/token'), isRunning),
  ofPod('Pulled comes before Created', 'first', isEvent('Pulled'), isEvent('Created')),
  ofPod('Created comes before Started', 'first', isEvent('Created'), isEvent('Started')),
  ofPod('Killing comes before the terminal phase', 'first', isEvent('Killing'), isEnd),
  ofPod('the terminal phase is written before the final DELETE', 'first', isEnd, is('delete pods')),
];

/** Orders that `acts` of one player hold throughout, where they apply at all. */
export function heldOrders(acts: readonly Act[]): Order[] {
  const requests = acts.flatMap((act) => act.requests).sort((a, b) => a.atMs - b.atMs);
  const byPod = new Map<string, PlayerRequest[]>();
  for (const request of requests) {
    const pod = podOf(request);
    if (pod !== undefined) byPod.set(pod, [...(byPod.get(pod) ?? []), request]);
  }
  return ORDERS.filter((one) => {
    const groups = one.scope === 'node' ? [requests] : [...byPod.values()];
    const applying = groups.filter((group) => group.some(one.before) && group.some(one.after));
    return applying.length > 0 && applying.every((group) => holds(one, group));
  });
}

function holds({ rule, before, after }: Order, requests: readonly PlayerRequest[]): boolean {
  if (rule === 'first') return requests.findIndex(before) < requests.findIndex(after);
  let ready = false;
  for (const request of requests) {
    if (before(request)) ready = true;
    else if (after(request)) {
      if (!ready) return false;
      ready = false;
    }
  }
  return true;
}

/** `namespace/name` of the pod that a request is about: events and tokens name it in their bodies. */
function podOf(request: PlayerRequest): string | undefined {
  const { resource, namespace, name, body } = request;
  if (/^pods(\/status)?$/.test(resource) && name !== '') return `${namespace}/${name}`;
  const { involvedObject, spec } = (body ?? {}) as {
    involvedObject?: { kind?: string; name?: string };
    spec?: { boundObjectRef?: { name?: string } };
  };
  if (involvedObject?.kind === 'Pod') return `${namespace}/${involvedObject.name}`;
  if (resource === 'serviceaccounts/token') return `${namespace}/${spec?.boundObjectRef?.name}`;
  return undefined;
}

function order(name: string, before: Order['before'], after: Order['after']): Order {
  return { component: 'kubelet', name, rule: 'first', scope: 'node', before, after };
}

function ofPod(name: string, rule: Order['rule'], before: Order['before'], after: Order['after']): Order {
  return { component: 'kubelet', name, rule, scope: 'pod', before, after };
}
