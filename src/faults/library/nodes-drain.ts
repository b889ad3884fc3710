/** Nodes are taken out of service by their operator. */
import { resourcePath } from '../../kube/index.ts';
import type { Fault, FaultWorld } from './fault.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes', namespaced: false };
const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true };
const BUDGETS = { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets', namespaced: true };
const DEFAULT_NODE_COUNT = 2;
const RETRY_MS = 2_000;
const BUDGET = 'hollowmark-drain';

export const nodesDrain: Fault = {
  name: 'nodes-drain',
  fails: 'A few nodes take no new pods, and the ones they have are moved elsewhere.',
  induced:
    'The nodes are cordoned and their pods evicted through the Eviction API, with a PodDisruptionBudget of one pod at a time over each namespace; uncordoned when healed.',
  expected:
    'Evictions beyond the budget are refused with 429 and tried again; no new pod lands on the nodes; controllers replace what was evicted; the API does not notice.',
  observed: 'Evictions (condition DisruptionTarget of pods) and their replacements; write and read probes.',
  durationMs: 20_000,
  settleMs: 10_000,
  expectations: () => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    { figure: 'nodesNotReady', atMost: 0, because: 'a cordoned node is Ready' },
    { figure: 'deploymentsStuck', atMost: 0, because: 'there is room on the other nodes' },
  ],
  async induce(world, { ratio }, signal) {
    const { admin, runSelector, clock } = world;
    const { items } = await admin.list(NODES, { labelSelector: runSelector }, { signal });
    const count = Math.max(1, Math.round(ratio === undefined ? DEFAULT_NODE_COUNT : ratio * items.length));
    const names = items.slice(0, count).map(({ metadata }) => metadata.name);
    for (const name of names) await cordon(world, name, true, signal);
    const budgets = new Set<string>();
    // Evictions go on until healing, as `kubectl drain` would; what is refused is tried again.
    const ended = new AbortController();
    const counts = { granted: 0, refused: 0 };
    const draining = drain(world, names, { budgets, counts }, ended.signal);
    return {
      targets: names,
      heal: async (healing) => {
        ended.abort();
        await draining;
        for (const name of names) await cordon(world, name, false, healing);
        for (const namespace of budgets)
          await admin.delete(BUDGETS, { namespace, name: BUDGET }, { signal: healing });
        world.log.info({ nodes: names, atUs: clock.nowUs() }, 'nodes uncordoned');
      },
      findings: () => [
        { name: 'evictions-granted', value: counts.granted, text: 'evictions granted' },
        { name: 'evictions-refused', value: counts.refused, text: 'evictions refused by the budget (429)' },
      ],
    };
  },
};

async function cordon(
  { admin }: FaultWorld,
  name: string,
  unschedulable: boolean,
  signal: AbortSignal,
): Promise<void> {
  await admin.patch(NODES, { name }, { spec: { unschedulable } }, 'strategic', { signal });
}

async function drain(
  { admin, adminConnection, clock, log }: FaultWorld,
  nodes: readonly string[],
  { budgets, counts }: { budgets: Set<string>; counts: { granted: number; refused: number } },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const node of nodes) {
        const { items } = await admin.list(PODS, { fieldSelector: `spec.nodeName=${node}` }, { signal });
        for (const { metadata } of items) {
          const namespace = metadata.namespace ?? '';
          if (!budgets.has(namespace)) {
            budgets.add(namespace);
            await admin.create(
              BUDGETS,
              { metadata: { name: BUDGET }, spec: { maxUnavailable: 1, selector: {} } },
              { namespace },
              { signal },
            );
          }
          const path = resourcePath(PODS, { namespace, name: metadata.name, subresource: 'eviction' });
          const body = {
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { name: metadata.name, namespace },
          };
          // 429 is the budget at work: the pod's turn comes in the next round.
          const request = { method: 'POST', path, body: JSON.stringify(body) } as const;
          const { status } = await adminConnection.request(request, signal);
          if (status < 300) counts.granted++;
          else if (status === 429) counts.refused++;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ error: String(error) }, 'drain met an error and goes on');
    }
    await new Promise<void>((resolve) => {
      const cancel = clock.setTimer(resolve, RETRY_MS);
      signal.addEventListener(
        'abort',
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
  }
}
