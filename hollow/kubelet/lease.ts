/**
 * Keeps a node's lease alive: a first look at the start, then a renewal each quarter of its duration, sliding, by PUT
 * of the object that the last reply brought. How late each renewal is acknowledged is the fleet's measure of its own
 * health.
 * Source: k8s.io/component-helpers apimachinery/lease/controller.go v0.36.3
 */
import { delay, type Random } from '../../src/core/index.ts';
import { TransportError } from '../../src/kube/index.ts';
import { HEARTBEAT_TIMEOUT_MS, type NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import { leaseBody, renewedLease } from './lease-object.ts';

const JITTER_RATIO = 0.04;
/**
 * Renewals of one process are due on a common grid, so that one wake-up serves several of a thousand nodes: 0.085
 * instead of 0.126 ms of CPU a second and idle node, measured over bare connections. The period is 10.0 to 10.5 s
 * instead of 10.0 to 10.4 s; nodes still spread over it at random.
 */
const GRID_US = 100_000;
const RENEW_TRIES = 5;
const ENSURE_FIRST_MS = 200;
const ENSURE_CAP_MS = 7_000;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

export class LeaseKeeper implements TimerTarget {
  readonly #context: FleetContext;
  readonly #client: NodeClient;
  readonly #nodeName: string;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  readonly #timer = new Timer(this, 0);
  /** The lease as the server sent it last; undefined: not known to exist. */
  #lease: string | undefined;
  #busy = false;
  #newNodeUid: string | undefined;

  constructor(
    context: FleetContext,
    client: NodeClient,
    nodeName: string,
    random: Random,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#client = client;
    this.#nodeName = nodeName;
    this.#random = random;
    this.#signal = signal;
  }

  /**
   * Looks for the lease at once; from then on a tick per period. Again after a re-registration. With the uid of a node
   * that was made just now the lease is made without a look: there can be none of its.
   */
  start(newNodeUid?: string): void {
    this.#lease = undefined;
    this.#newNodeUid = newNodeUid;
    this.#context.timers.arm(this.#timer, this.#context.clock.nowUs());
  }

  stop(): void {
    this.#context.timers.cancel(this.#timer);
  }

  onTimer(_kind: number, dueUs: number): void {
    if (this.#busy || this.#signal.aborted) return;
    // Silence skips ticks and keeps their rhythm, so that nodes that come back together are still spread over a period.
    if (this.#client.silent) {
      this.#armNext();
      return;
    }
    this.#busy = true;
    this.#tick(dueUs)
      .catch((error: unknown) => {
        if (!this.#signal.aborted)
          this.#context.log.error({ err: error, node: this.#nodeName }, 'lease tick failed');
      })
      .finally(() => {
        this.#busy = false;
        if (!this.#signal.aborted) this.#armNext();
      });
  }

  #armNext(): void {
    const periodUs = (this.#context.settings.leaseDurationMs / 4) * 1_000;
    const nextUs = this.#context.clock.nowUs() + periodUs * (1 + JITTER_RATIO * this.#random.next());
    this.#context.timers.arm(this.#timer, Math.ceil(nextUs / GRID_US) * GRID_US);
  }

  async #tick(dueUs: number): Promise<void> {
    if (this.#lease !== undefined && (await this.#renew(dueUs))) return;
    const state = await this.#ensure();
    // A renewal that comes after all counts the periods that it missed itself.
    if (state === 'found' && !(await this.#renew(dueUs))) this.#context.counters.leaseMissedCount++;
  }

  /** PUTs until one is acknowledged, at most five times. */
  async #renew(dueUs: number): Promise<boolean> {
    const { clock, counters, settings } = this.#context;
    for (let attempt = 0; attempt < RENEW_TRIES; attempt++) {
      const body = this.#lease === undefined ? undefined : renewedLease(this.#lease, clock.wallMs());
      if (body === undefined) return false;
      if (attempt === 0) counters.leaseSlip.record(clock.nowUs() - dueUs);
      const reply = await this.#call('updateLease', {
        method: 'PUT' as const,
        path: `${LEASES}/${this.#nodeName}?timeout=10s`,
        body,
      });
      if (this.#signal.aborted) return true;
      if (reply !== undefined && reply.status < 300) {
        this.#lease = reply.body;
        const latenessUs = clock.nowUs() - dueUs;
        counters.leaseLateness.record(latenessUs);
        counters.leaseMissedCount += Math.floor(latenessUs / ((settings.leaseDurationMs / 4) * 1_000));
        return true;
      }
      if (reply?.status === 404) break;
      if (reply?.status === 409 && (await this.#ensure()) !== 'found') break;
    }
    return false;
  }

  /** Gets the lease, or makes it if there is a node to own it; `skipped` leaves it to the next tick. */
  async #ensure(): Promise<'found' | 'created' | 'skipped'> {
    const { clock } = this.#context;
    for (let waitMs = ENSURE_FIRST_MS; ; waitMs = Math.min(waitMs * 2, ENSURE_CAP_MS)) {
      const state = await this.#ensureOnce();
      if (state !== 'failed') return state;
      await delay(waitMs, { signal: this.#signal, clock });
    }
  }

  async #ensureOnce(): Promise<'found' | 'created' | 'skipped' | 'failed'> {
    if (this.#newNodeUid !== undefined) {
      const made = await this.#create(this.#newNodeUid);
      this.#newNodeUid = undefined;
      if (made) return 'created';
    }
    const found = await this.#call('getLease', {
      method: 'GET',
      path: `${LEASES}/${this.#nodeName}?timeout=10s`,
    });
    if (found?.status === 200) {
      this.#lease = found.body;
      return 'found';
    }
    this.#lease = undefined;
    if (found?.status !== 404) return 'failed';
    // The owner's uid is asked for each time: the node may have been replaced.
    const node = await this.#call('getNode', {
      method: 'GET',
      path: `/api/v1/nodes/${this.#nodeName}?timeout=10s`,
    });
    const uid = node?.status === 200 ? uidOf(node.body) : undefined;
    if (uid === undefined) return 'skipped';
    return (await this.#create(uid)) ? 'created' : 'failed';
  }

  async #create(nodeUid: string): Promise<boolean> {
    const { clock, settings } = this.#context;
    const durationSeconds = Math.round(settings.leaseDurationMs / 1_000);
    const created = await this.#call('createLease', {
      method: 'POST',
      path: `${LEASES}?timeout=10s`,
      body: leaseBody(this.#nodeName, nodeUid, durationSeconds, clock.wallMs()),
    });
    if (created === undefined || created.status >= 300) return false;
    this.#lease = created.body;
    return true;
  }

  async #call(
    kind: 'getLease' | 'getNode' | 'createLease' | 'updateLease',
    request: { method: 'GET' | 'POST' | 'PUT'; path: string; body?: string },
  ) {
    try {
      return await this.#client.send(kind, { ...request, timeoutMs: HEARTBEAT_TIMEOUT_MS });
    } catch (error) {
      if (error instanceof TransportError) return undefined;
      throw error;
    }
  }
}

/** metadata.uid of an object's JSON; the first `uid` is its own, because it stands before ownerReferences. */
export function uidOf(json: string): string | undefined {
  return /"uid":"([^"]+)"/.exec(json)?.[1];
}
