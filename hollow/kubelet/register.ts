/**
 * The registration of one node, call for call as a kubelet does it: CSINode probe, POST of the Node, first status, the
 * CSINode in parallel, and the Ready status as soon as that is there.
 * Source: pkg/kubelet/{kubelet_node_status,kubelet}.go, pkg/volume/csi/{csi_plugin,nodeinfomanager}.go v1.36.3;
 * reference/real-kubelet-v1.36.3.ndjson, first second.
 */
import { delay } from '../../src/core/index.ts';
import { type ApiReply, type ApiRequest, type TokenBucket, TransportError } from '../../src/kube/index.ts';
import type { CallKind } from '../calls.ts';
import type { NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import { uidOf } from './lease.ts';
import { csiNodeBody, type NodeIdentity, nodeBody, nodeLabels } from './node-object.ts';
import type { NodeStatusReporter } from './node-status.ts';
import { type OwnNode, readNode } from './own-node.ts';

/** What registration does to and reads of its kubelet. */
export interface Registrant {
  readonly context: FleetContext;
  readonly identity: NodeIdentity;
  readonly client: NodeClient;
  readonly throttle: TokenBucket;
  readonly status: NodeStatusReporter;
  readonly signal: AbortSignal;
  /** The watch's copy of the node. */
  readonly ownNode: OwnNode | undefined;
  /** The API server has answered for the first time: what waits for that starts now. */
  serverReached(): void;
  /** The CSINode is there: the kubelet counts as ready. */
  csiNodeReady(): void;
  /** A node event that goes with this step. */
  postNodeEvents(step: 'starting' | 'conditions' | 'allocatable' | 'ready'): void;
}

const PROBE_PERIOD_MS = 1_000;
const REGISTER_FIRST_MS = 100;
const REGISTER_CAP_MS = 7_000;
/** From the first answer until the kubelet's own loop begins, as captured. */
const LOOP_START_MS = 90;
const FAST_STATUS_MS = 100;
/**
 * Waits between the tries to see the node and make its CSINode: four quick ones, then slower rounds. A real kubelet's
 * rounds go on to 15 s and 2 min, and then it exits and is restarted; here they stop growing, because a node that
 * missed a round would say for as long that the API server is slow and hold the ramp back for nothing.
 */
const CSI_INNER_MS = [10, 50, 250] as const;
const CSI_OUTER_FIRST_MS = 30;
const CSI_OUTER_FACTOR = 8;
const CSI_OUTER_CAP_MS = 1_920;

/** Resolves when the Ready status is acknowledged. @throws the signal's reason */
export async function registerNode(registrant: Registrant): Promise<void> {
  const { context, signal } = registrant;
  const { clock } = context;
  registrant.postNodeEvents('starting');
  await probeCsiNode(registrant);
  registrant.serverReached();
  const csiNode = makeCsiNode(registrant);
  // Whoever waits for it comes later; a failure in between must not count as unhandled.
  csiNode.catch(() => {});
  await delay(LOOP_START_MS, { signal, clock });
  registrant.postNodeEvents('conditions');
  registrant.postNodeEvents('allocatable');
  const slices = context.form.deletesResourceSlices ? deleteResourceSlices(registrant) : undefined;
  const node = await createNode(registrant);
  registrant.postNodeEvents('conditions');
  registrant.postNodeEvents('conditions');
  await registrant.status.report(node);
  await csiNode;
  registrant.csiNodeReady();
  while (!(await registrant.status.report(registrant.ownNode ?? node))) {
    await delay(FAST_STATUS_MS, { signal, clock });
  }
  registrant.postNodeEvents('ready');
  await slices;
}

/** Asks until the server answers with 200 or 404: a proof that it can be reached. */
async function probeCsiNode(registrant: Registrant): Promise<void> {
  const { clock } = registrant.context;
  const path = `/apis/storage.k8s.io/v1/csinodes/${registrant.identity.name}?resourceVersion=0`;
  for (;;) {
    const reply = await attempt(registrant, 'getCsiNode', { method: 'GET', path });
    if (reply?.status === 200 || reply?.status === 404) return;
    await delay(PROBE_PERIOD_MS, { signal: registrant.signal, clock });
  }
}

/** POSTs the node, or takes over the one that is there. Returns its copy as the server has it. */
async function createNode(registrant: Registrant): Promise<OwnNode> {
  const { context, identity, signal } = registrant;
  const { clock, shape } = context;
  for (let waitMs = REGISTER_FIRST_MS; ; waitMs = Math.min(waitMs * 2, REGISTER_CAP_MS)) {
    await delay(waitMs, { signal, clock });
    const reply = await attempt(registrant, 'createNode', {
      method: 'POST',
      path: '/api/v1/nodes',
      body: nodeBody(shape, identity, clock.wallMs()),
    });
    if (reply?.status === 201) return readNode(JSON.parse(reply.body));
    // A server may also refuse with 403 what exists. Source: tryRegisterWithAPIServer v1.36.3
    if (reply?.status !== 409 && reply?.status !== 403) continue;
    const node = await takeOver(registrant);
    if (node !== undefined) return node;
  }
}

async function takeOver(registrant: Registrant): Promise<OwnNode | undefined> {
  const { context, identity } = registrant;
  const path = `/api/v1/nodes/${identity.name}`;
  const found = await attempt(registrant, 'getNode', { method: 'GET', path });
  if (found?.status !== 200) return undefined;
  const object = JSON.parse(found.body) as { metadata?: { labels?: Record<string, string> } };
  const current = object.metadata?.labels ?? {};
  const changed = Object.entries(nodeLabels(context.shape, identity)).filter(
    ([key, value]) => current[key] !== value,
  );
  if (changed.length > 0) {
    const reply = await attempt(registrant, 'patchNodeStatus', {
      method: 'PATCH',
      path: `${path}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body: JSON.stringify({ metadata: { labels: Object.fromEntries(changed) } }),
      discardBody: true,
    });
    if (reply === undefined || reply.status >= 300) return undefined;
  }
  return readNode(object);
}

/** Waits for the node object, then makes its CSINode if there is none. */
async function makeCsiNode(registrant: Registrant): Promise<void> {
  const { clock } = registrant.context;
  const { signal } = registrant;
  for (let roundMs = CSI_OUTER_FIRST_MS; ; roundMs = Math.min(roundMs * CSI_OUTER_FACTOR, CSI_OUTER_CAP_MS)) {
    for (const waitMs of [0, ...CSI_INNER_MS]) {
      if (waitMs > 0) await delay(waitMs, { signal, clock });
      if (await tryCsiNode(registrant)) return;
    }
    await delay(roundMs, { signal, clock });
  }
}

async function tryCsiNode(registrant: Registrant): Promise<boolean> {
  const { name } = registrant.identity;
  const node = await attempt(registrant, 'getNode', { method: 'GET', path: `/api/v1/nodes/${name}` });
  const uid = node?.status === 200 ? uidOf(node.body) : undefined;
  if (uid === undefined) return false;
  const base = '/apis/storage.k8s.io/v1/csinodes';
  const found = await attempt(registrant, 'getCsiNode', { method: 'GET', path: `${base}/${name}` });
  if (found?.status === 200) return true;
  if (found?.status !== 404) return false;
  const made = await attempt(registrant, 'createCsiNode', {
    method: 'POST',
    path: base,
    body: csiNodeBody(name, uid),
    discardBody: true,
  });
  return made?.status === 201;
}

async function deleteResourceSlices(registrant: Registrant): Promise<void> {
  const selector = encodeURIComponent(`spec.nodeName=${registrant.identity.name}`);
  await attempt(registrant, 'deleteResourceSlices', {
    method: 'DELETE',
    path: `/apis/resource.k8s.io/v1/resourceslices?fieldSelector=${selector}`,
    body: '{"kind":"DeleteOptions","apiVersion":"resource.k8s.io/v1"}',
    discardBody: true,
  });
}

/** The reply, or undefined where there was none: every step of a registration is tried again. */
async function attempt(
  registrant: Registrant,
  kind: CallKind,
  request: ApiRequest,
): Promise<ApiReply | undefined> {
  try {
    return await registrant.client.send(kind, request, registrant.throttle);
  } catch (error) {
    if (error instanceof TransportError && !registrant.signal.aborted) return undefined;
    throw error;
  }
}
