/**
 * What a pod needs before its sandbox: tokens of its service account, and the ConfigMaps and Secrets that it mounts or
 * reads. Tokens are renewed while the pod lives.
 */
import { delay, type Random } from '../../../src/core/index.ts';
import { type TokenBucket, TransportError } from '../../../src/kube/index.ts';
import type { NodeClient } from '../../client.ts';
import type { FleetContext } from '../../context.ts';
import type { EventPoster } from '../events.ts';
import type { NodePod } from './node-pod.ts';

/** What mounting needs of the node. */
export interface VolumeHost {
  readonly client: NodeClient;
  readonly throttle: TokenBucket;
  readonly events: EventPoster;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** The volume manager's loop. Source: reconcilerLoopSleepPeriod, pkg/kubelet/volumemanager v1.36.3 */
const VOLUME_TICK_MS = 100;
/** Back-off of a volume that cannot be mounted. Source: pkg/util/goroutinemap/exponentialbackoff v1.36.3 */
const MOUNT_BACK_OFF_FIRST_MS = 500;
const MOUNT_BACK_OFF_CAP_MS = 122_000;
/** A first look at an object normally takes milliseconds; while it is on its way it is looked for at this period. */
const SYNC_POLL_MS = 100;
/** A token is renewed at this share of its life. Source: pkg/kubelet/token/token_manager.go v1.36.3 */
const TOKEN_RENEWAL_RATIO = 0.8;
const TOKEN_RETRY_MS = 10_000;

/** Resolves with true when all is there: tokens first, then whatever else; with false when the pod no longer waits. */
export async function mountVolumes(pod: NodePod, context: FleetContext, host: VolumeHost): Promise<boolean> {
  const { clock } = context;
  const { random, signal } = host;
  const stillWanted = () => !pod.dropped && pod.machine.stage === 'mounting' && !signal.aborted;
  if (pod.machine.volumesReady) return false;
  await delay(VOLUME_TICK_MS * (1 + random.next()), { signal, clock });
  let backOffMs = MOUNT_BACK_OFF_FIRST_MS;
  while (stillWanted() && !(await requestTokens(pod, context, host))) {
    await delay(backOffMs, { signal, clock });
    backOffMs = Math.min(backOffMs * 2, MOUNT_BACK_OFF_CAP_MS);
  }
  backOffMs = MOUNT_BACK_OFF_FIRST_MS;
  while (stillWanted()) {
    const state = readiness(pod);
    if (state === 'ready') return true;
    if (state === 'unknown') {
      await delay(SYNC_POLL_MS, { signal, clock });
      continue;
    }
    postMissing(pod, host);
    await delay(backOffMs, { signal, clock });
    backOffMs = Math.min(backOffMs * 2, MOUNT_BACK_OFF_CAP_MS);
  }
  return false;
}

/** Asks for each token of the pod and sets when they are to be renewed; true if all are there. */
export async function requestTokens(pod: NodePod, context: FleetContext, host: VolumeHost): Promise<boolean> {
  const { spec } = pod.machine;
  const path = `/api/v1/namespaces/${spec.namespace}/serviceaccounts/${spec.serviceAccount}/token`;
  for (const token of spec.tokens) {
    const body = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: {},
      spec: {
        audiences: token.audience === '' ? null : [token.audience],
        expirationSeconds: token.expirationSeconds,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: spec.name, uid: spec.uid },
      },
      status: { token: '', expirationTimestamp: null },
    };
    try {
      const reply = await host.client.send(
        'createToken',
        { method: 'POST', path, body: JSON.stringify(body), discardBody: true },
        host.throttle,
      );
      // The Node authorizer learns of a pod by its own watch: right after binding it may still say 403.
      if (reply.status >= 300) return false;
    } catch (error) {
      if (error instanceof TransportError) return false;
      throw error;
    }
    const renewUs = context.clock.nowUs() + token.expirationSeconds * TOKEN_RENEWAL_RATIO * 1_000_000;
    pod.tokenDueUs = Math.min(pod.tokenDueUs, renewUs);
  }
  return true;
}

/** Renews the tokens, or sets when that is tried again. */
export async function renewTokens(pod: NodePod, context: FleetContext, host: VolumeHost): Promise<void> {
  pod.tokenDueUs = Number.POSITIVE_INFINITY;
  if (await requestTokens(pod, context, host)) return;
  pod.tokenDueUs = context.clock.nowUs() + TOKEN_RETRY_MS * 1_000;
}

function postMissing(pod: NodePod, host: VolumeHost): void {
  const missing = pod.watched.find((object) => object.state === 'absent' && !object.ref.optional);
  if (missing === undefined) return;
  const { resource, name, volume } = missing.ref;
  const kind = resource === 'secrets' ? 'secret' : 'configmap';
  host.events.post(pod.subject, pod.ledger(), {
    reason: volume === undefined ? 'Failed' : 'FailedMount',
    message:
      volume === undefined
        ? `${kind} "${name}" not found`
        : `volume "${volume}": ${kind} "${name}" not found`,
    type: 'Warning',
    fieldPath: '',
  });
}

function readiness(pod: NodePod): 'ready' | 'unknown' | 'missing' {
  let state: 'ready' | 'unknown' | 'missing' = 'ready';
  for (const object of pod.watched) {
    if (object.state === 'unknown') return 'unknown';
    if (object.state === 'absent' && !object.ref.optional) state = 'missing';
  }
  return state;
}
