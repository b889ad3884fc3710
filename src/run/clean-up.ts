/**
 * Removes what a run made, and nothing else: everything carries the run's label. Pods go first, while the fleet lives
 * and can end them as kubelets do; nodes go last, when the fleet is gone and cannot register again.
 */

import { RUN_LABEL } from '../../hollow/index.ts';
import type { ResourceRef } from '../config/index.ts';
import { type Clock, delay, describeError, type Logger } from '../core/index.ts';
import {
  ApiError,
  type ClusterAccess,
  JsonClient,
  openConnection,
  resourcePath,
  TransportError,
} from '../kube/index.ts';
import type { RunResult } from '../result/index.ts';
import { RESOURCES } from './resources.ts';

export type CleanUpOutcome = RunResult['cleanup'];

export interface CleanUpTarget {
  admin: ClusterAccess;
  runId: string;
}

export interface CleanUpContext {
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  onDetail: (text: string) => void;
}

/** Controllers that would make new pods for deleted ones; they go before the pods. */
const WORKLOADS: readonly ResourceRef[] = [
  RESOURCES.deployments,
  RESOURCES.replicasets,
  RESOURCES.statefulsets,
  RESOURCES.daemonsets,
  RESOURCES.jobs,
];
/** Without progress for this long, pods are deleted by force. */
const PATIENCE_MS = 30_000;
const NAMESPACE_TIMEOUT_MS = 120_000;
const POLL_MS = 250;
/** A collection is deleted object by object within one request, which the API server ends after a minute. */
const MAX_ASKED_COUNT = 10;

/**
 * Deletes the run's workloads and pods and waits until they are gone, then its namespaces and roles. Never throws: what
 * could not be removed is counted.
 */
export async function removeWorkloads(
  target: CleanUpTarget & {
    podsEndByThemselves: boolean;
    /** False where the control plane is thrown away next: its controller empties a namespace at 20 requests a second. */
    waitForNamespaces: boolean;
  },
  context: CleanUpContext,
): Promise<CleanUpOutcome> {
  return attempt(target, context, async (client, selector) => {
    const namespaces = await names(client, RESOURCES.namespaces, selector, context.signal);
    context.onDetail(`workloads in ${namespaces.length} namespaces`);
    for (const namespace of namespaces) {
      for (const workload of WORKLOADS) {
        await untilWhole(() =>
          client.deleteCollection(
            workload,
            { namespace },
            { propagationPolicy: 'Background', signal: context.signal },
          ),
        );
      }
    }
    const left = await removePods(client, namespaces, target.podsEndByThemselves, context);
    for (const name of namespaces) {
      await client.delete(RESOURCES.namespaces, { name }, { signal: context.signal });
    }
    if (target.waitForNamespaces) await waitForNamespaces(client, selector, context);
    await client.deleteCollection(
      RESOURCES.clusterrolebindings,
      { labelSelector: selector },
      { signal: context.signal },
    );
    await client.deleteCollection(
      RESOURCES.flowschemas,
      { labelSelector: selector },
      { signal: context.signal },
    );
    await client.deleteCollection(
      RESOURCES.serviceaccounts,
      { namespace: 'kube-system', labelSelector: selector },
      { signal: context.signal },
    );
    return left;
  });
}

/** Deletes the run's nodes with their leases and CSINodes. Never throws. */
export async function removeNodes(target: CleanUpTarget, context: CleanUpContext): Promise<CleanUpOutcome> {
  return attempt(target, context, async (client, selector) => {
    const nodes = await names(client, RESOURCES.nodes, selector, context.signal);
    context.onDetail(`${nodes.length} nodes`);
    await untilWhole(() =>
      client.deleteCollection(RESOURCES.nodes, { labelSelector: selector }, { signal: context.signal }),
    );
    // The garbage collector would take both with their owner, a while later; a clean cluster is clean at once.
    for (const name of nodes) {
      await client.delete(
        RESOURCES.leases,
        { namespace: 'kube-node-lease', name },
        { signal: context.signal },
      );
      await client.delete(RESOURCES.csinodes, { name }, { signal: context.signal });
    }
    return (await names(client, RESOURCES.nodes, selector, context.signal)).length;
  });
}

/** Everything of a run whose harness is gone: pods by force, then nodes. */
export async function cleanUpAfterCrash(
  target: CleanUpTarget,
  context: CleanUpContext,
): Promise<CleanUpOutcome> {
  const workloads = await removeWorkloads(
    { ...target, podsEndByThemselves: false, waitForNamespaces: true },
    context,
  );
  return combine(workloads, await removeNodes(target, context));
}

/** Both outcomes as one. */
export function combine(first: CleanUpOutcome, second: CleanUpOutcome): CleanUpOutcome {
  const left = [first, second].filter((outcome) => outcome.state === 'left');
  return {
    state: left.length > 0 ? 'left' : first.state === 'skipped' ? second.state : first.state,
    leftCount: first.leftCount + second.leftCount,
    durationMs: first.durationMs + second.durationMs,
    text:
      left.length > 0 ? left.map((outcome) => outcome.text).join('; ') : 'everything of the run was removed',
  };
}

/** Ids of runs that have left something in the cluster. */
export async function runsInCluster(
  admin: ClusterAccess,
  signal: AbortSignal,
  clock: Clock,
): Promise<string[]> {
  await using connection = await openConnection(admin);
  const client = new JsonClient(connection, clock);
  const found = new Set<string>();
  for (const resource of [RESOURCES.namespaces, RESOURCES.nodes, RESOURCES.clusterrolebindings]) {
    for (const item of (await client.list(resource, { labelSelector: RUN_LABEL }, { signal })).items) {
      const run = item.metadata.labels?.[RUN_LABEL];
      if (run !== undefined) found.add(run);
    }
  }
  return [...found].sort();
}

async function attempt(
  target: CleanUpTarget,
  context: CleanUpContext,
  work: (client: JsonClient, selector: string) => Promise<number>,
): Promise<CleanUpOutcome> {
  const { clock, log } = context;
  const startUs = clock.nowUs();
  const elapsedMs = () => (clock.nowUs() - startUs) / 1_000;
  const remedy = `remove the rest with \`hollowmark clean --run ${target.runId}\``;
  try {
    await using connection = await openConnection(target.admin);
    const leftCount = await work(new JsonClient(connection, clock), `${RUN_LABEL}=${target.runId}`);
    if (leftCount === 0) {
      return {
        state: 'clean',
        leftCount,
        durationMs: elapsedMs(),
        text: 'everything of the run was removed',
      };
    }
    return {
      state: 'left',
      leftCount,
      durationMs: elapsedMs(),
      text: `${leftCount} objects are left; ${remedy}`,
    };
  } catch (error) {
    log.error({ error: describeError(error) }, 'clean-up failed');
    return {
      state: 'left',
      leftCount: 0,
      durationMs: elapsedMs(),
      text: `clean-up did not finish: ${describeError(error)}; ${remedy}`,
    };
  }
}

async function removePods(
  client: JsonClient,
  namespaces: readonly string[],
  podsEndByThemselves: boolean,
  context: CleanUpContext,
): Promise<number> {
  const { clock, signal } = context;
  let force = !podsEndByThemselves;
  let best = Number.POSITIVE_INFINITY;
  let progressUs = clock.nowUs();
  let asked = false;
  for (;;) {
    const counts = await Promise.all(namespaces.map((namespace) => countPods(client, namespace, signal)));
    const left = counts.reduce((sum, count) => sum + count, 0);
    if (left === 0) return 0;
    context.onDetail(`${left} pods left${force ? ', by force' : ''}`);
    if (left < best) {
      best = left;
      progressUs = clock.nowUs();
    }
    const stuckMs = (clock.nowUs() - progressUs) / 1_000;
    if (stuckMs > PATIENCE_MS) {
      if (force) return left;
      force = true;
      asked = false;
      progressUs = clock.nowUs();
    }
    if (!asked) {
      await Promise.all(
        namespaces.map((namespace) =>
          untilWhole(() =>
            client.deleteCollection(
              RESOURCES.pods,
              { namespace },
              { signal, ...(force ? { gracePeriodSeconds: 0 } : {}) },
            ),
          ),
        ),
      );
      asked = true;
      // Asking may have taken minutes: patience begins when the last of them has been told.
      progressUs = clock.nowUs();
    }
    await delay(POLL_MS, { signal, clock });
  }
}

/** Repeats a deletion of many objects that was cut short: those that went are gone, the rest are asked again. */
async function untilWhole(deletion: () => Promise<void>): Promise<void> {
  for (let askedCount = 1; ; askedCount++) {
    try {
      await deletion();
      return;
    } catch (error) {
      const cutShort =
        (error instanceof TransportError && error.class === 'timeout') ||
        (error instanceof ApiError && error.status === 504);
      if (!cutShort || askedCount >= MAX_ASKED_COUNT) throw error;
    }
  }
}

/** From a page of one and what the server says remains behind it: no need to read pods to count them. */
async function countPods(client: JsonClient, namespace: string, signal: AbortSignal): Promise<number> {
  const list = await client.getJson(resourcePath(RESOURCES.pods, { namespace }, { limit: 1 }), { signal });
  const items = Array.isArray(list['items']) ? list['items'].length : 0;
  const { remainingItemCount = 0 } = (list['metadata'] ?? {}) as { remainingItemCount?: number };
  return items + remainingItemCount;
}

async function waitForNamespaces(
  client: JsonClient,
  selector: string,
  context: CleanUpContext,
): Promise<void> {
  const { clock, signal } = context;
  const untilUs = clock.nowUs() + NAMESPACE_TIMEOUT_MS * 1_000;
  for (;;) {
    const left = await names(client, RESOURCES.namespaces, selector, signal);
    if (left.length === 0) return;
    context.onDetail(`${left.length} namespaces left`);
    if (clock.nowUs() > untilUs) throw new Error(`namespaces ${left.join(', ')} are still terminating`);
    await delay(POLL_MS, { signal, clock });
  }
}

async function names(
  client: JsonClient,
  resource: ResourceRef,
  labelSelector: string,
  signal: AbortSignal,
): Promise<string[]> {
  const list = await client.list(resource, { labelSelector }, { signal });
  return list.items.map((item) => item.metadata.name);
}
