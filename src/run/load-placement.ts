/**
 * Puts the load into the priority level that the suite names, by a FlowSchema of the run's own, and waits until every
 * API server says in the headers of its answers that it does: a run must not begin in another level than the one its
 * figures will be told to be of.
 */
import { type Clock, delay, HarnessError } from '../core/index.ts';
import { type ClusterAccess, type JsonClient, openConnection } from '../kube/index.ts';
import { RESOURCES } from './resources.ts';

/**
 * Before every schema of a stock API server but `exempt` (1) and `probes` (2), which are for system:masters and health
 * checks. Source: kubernetes/apiserver v0.36.3, pkg/apis/flowcontrol/bootstrap/default.go.
 */
const MATCHING_PRECEDENCE = 50;
const PLACED_TIMEOUT_MS = 30_000;
const POLL_MS = 100;
/** Level of system:masters: nothing is created for it. */
export const EXEMPT_LEVEL = 'exempt';

export interface PlacementWanted {
  runId: string;
  /** User name of the load. */
  user: string;
  priorityLevel: string;
  labels: Record<string, string>;
  loadAccess: ClusterAccess;
}

/**
 * Resolves when every API server puts the load into the level.
 * @throws HM_CLUSTER_STATE where there is no such level, or an API server goes on putting the load elsewhere
 * @throws ApiError, or the signal's reason
 */
export async function placeLoad(
  client: JsonClient,
  wanted: PlacementWanted,
  context: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { signal } = context;
  const { items } = await client.list(RESOURCES.prioritylevelconfigurations, {}, { signal });
  const level = items.find(({ metadata }) => metadata.name === wanted.priorityLevel);
  if (level === undefined) {
    const known = items.map(({ metadata }) => metadata.name).sort();
    throw new HarnessError('HM_CLUSTER_STATE', `the cluster has no priority level ${wanted.priorityLevel}`, {
      hint: `load.priorityLevel can be one of ${known.join(', ')}`,
    });
  }
  if (wanted.priorityLevel !== EXEMPT_LEVEL)
    await client.create(RESOURCES.flowschemas, flowSchema(wanted), {}, { signal });
  const { server, members } = wanted.loadAccess;
  for (const one of new Set([server, ...members]))
    await waitUntilPlaced(one, level.metadata.uid ?? '', wanted, context);
}

/** Every request of the load's user, each in a flow of that user. */
function flowSchema({ runId, user, priorityLevel, labels }: PlacementWanted) {
  const everything = {
    verbs: ['*'],
    apiGroups: ['*'],
    resources: ['*'],
    namespaces: ['*'],
    clusterScope: true,
  };
  return {
    metadata: { name: `hollowmark-load-${runId}`, labels },
    spec: {
      priorityLevelConfiguration: { name: priorityLevel },
      matchingPrecedence: MATCHING_PRECEDENCE,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: user } }],
          resourceRules: [everything],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  };
}

async function waitUntilPlaced(
  server: string,
  levelUid: string,
  { loadAccess, priorityLevel }: PlacementWanted,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  await using connection = await openConnection(loadAccess, { server, clock });
  const untilUs = clock.nowUs() + PLACED_TIMEOUT_MS * 1_000;
  for (;;) {
    const reply = await connection.request({ method: 'GET', path: '/version', discardBody: true }, signal);
    if (reply.priorityLevelUid === levelUid) return;
    if (clock.nowUs() > untilUs) {
      const instead =
        reply.priorityLevelUid === undefined
          ? 'names no level: Priority & Fairness is switched off'
          : 'puts it elsewhere';
      throw new HarnessError(
        'HM_CLUSTER_STATE',
        `the load is not in priority level ${priorityLevel} after ${PLACED_TIMEOUT_MS / 1_000} s: ${server} ${instead}`,
        {
          hint: 'another FlowSchema may match the load first; leave load.priorityLevel out to run where it is put',
        },
      );
    }
    await delay(POLL_MS, { signal, clock });
  }
}
