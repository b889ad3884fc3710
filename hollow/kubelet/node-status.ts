/**
 * Reports the node's status: at once after registration, as soon as the node becomes ready, when something turned, and
 * otherwise each five minutes. A change moves the next periodic report by up to half a period, once.
 * Source: pkg/kubelet/kubelet_node_status.go v1.36.3
 */
import type { Pressure } from '../../src/config/index.ts';
import { delay, type Random } from '../../src/core/index.ts';
import { TransportError } from '../../src/kube/index.ts';
import { HEARTBEAT_TIMEOUT_MS, type NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import { nodeStatusPatch } from './node-object.ts';
import { type OwnNode, readNode } from './own-node.ts';

/** Status is worked out this often, and sent only if there is reason to. */
const TICK_MS = 10_000;
const TICK_JITTER_RATIO = 0.04;
const TRIES = 5;
/** The first period after a change is within ± this share of the whole. */
const CHANGE_SPREAD_RATIO = 0.5;

/** What the reporter reads of its kubelet. */
export interface NodeStatusSource {
  readonly nodeName: string;
  /** The watch's copy; undefined until it has delivered one. */
  readonly ownNode: OwnNode | undefined;
  /** CSINode is there: the kubelet calls itself ready. */
  readonly ready: boolean;
  /** What the node is short of. */
  readonly pressures: ReadonlySet<Pressure>;
  /** The kubelet works its status out, whether or not it then sends it. Absent on nodes that then do nothing else. */
  statusTick?(): void;
}

export class NodeStatusReporter implements TimerTarget {
  readonly #context: FleetContext;
  readonly #client: NodeClient;
  readonly #source: NodeStatusSource;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  readonly #timer = new Timer(this, 0);
  #reportDueUs = 0;
  #busy = false;

  constructor(
    context: FleetContext,
    client: NodeClient,
    source: NodeStatusSource,
    random: Random,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#client = client;
    this.#source = source;
    this.#random = random;
    this.#signal = signal;
  }

  stop(): void {
    this.#context.timers.cancel(this.#timer);
  }

  /**
   * Sends the status now, against `against` (the registration's copy, where the watch has none yet). True if the
   * server took it.
   */
  async report(against: OwnNode | undefined): Promise<boolean> {
    const sent = await this.#send(against);
    const periodUs = this.#context.settings.statusReportMs * 1_000;
    const spread = sent === 'turned' ? CHANGE_SPREAD_RATIO * (2 * this.#random.next() - 1) : 0;
    this.#reportDueUs = sent === 'failed' ? 0 : this.#context.clock.nowUs() + periodUs * (1 + spread);
    this.#armFor(this.#reportDueUs);
    return sent !== 'failed';
  }

  /** The server has the whole status just now: the next report is due after a period, spread as after a change. */
  scheduleNext(): void {
    const spread = CHANGE_SPREAD_RATIO * (2 * this.#random.next() - 1);
    this.#reportDueUs =
      this.#context.clock.nowUs() + this.#context.settings.statusReportMs * 1_000 * (1 + spread);
    this.#armFor(this.#reportDueUs);
  }

  /** Something in the server's copy differs from what the kubelet would say: looked at within one tick. */
  poke(): void {
    this.#armFor(0);
  }

  onTimer(): void {
    if (this.#busy || this.#signal.aborted) return;
    const { clock } = this.#context;
    if (this.#client.silent) {
      this.#armFor(0);
      return;
    }
    this.#source.statusTick?.();
    if (clock.nowUs() < this.#reportDueUs && !this.#turned()) {
      this.#armFor(this.#reportDueUs);
      return;
    }
    this.#busy = true;
    this.report(this.#source.ownNode)
      .catch((error: unknown) => {
        if (this.#signal.aborted) return;
        this.#context.log.error({ err: error, node: this.#source.nodeName }, 'node status report failed');
        this.#armFor(0);
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  /** True if the server's copy says something else than the kubelet would. */
  #turned(): boolean {
    const { ownNode, pressures, ready } = this.#source;
    return (
      ownNode === undefined ||
      nodeStatusPatch(ownNode.conditions, ready, this.#context.clock.wallMs(), pressures).turnedCount > 0
    );
  }

  /** Wakes at the first tick at or after `dueUs`. */
  #armFor(dueUs: number): void {
    const { clock, timers } = this.#context;
    // Ticks are not kept one by one: where the phase of the ticks falls is as good as uniform.
    const untilTickUs = this.#random.next() * TICK_MS * (1 + TICK_JITTER_RATIO) * 1_000;
    const wakeUs = Math.max(dueUs, clock.nowUs()) + untilTickUs;
    if (wakeUs < this.#timer.dueUs || this.#timer.place === -1) timers.arm(this.#timer, wakeUs);
  }

  async #send(against: OwnNode | undefined): Promise<'sent' | 'turned' | 'failed'> {
    const { clock } = this.#context;
    const path = `/api/v1/nodes/${this.#source.nodeName}`;
    let base = against;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        if (attempt > 0 || base === undefined) {
          const got = await this.#client.send('getNode', {
            method: 'GET',
            path: `${path}?timeout=10s`,
            timeoutMs: HEARTBEAT_TIMEOUT_MS,
          });
          if (got.status === 404) return 'failed';
          if (got.status !== 200) continue;
          base = readNode(JSON.parse(got.body));
        }
        const { pressures, ready } = this.#source;
        const { body, turnedCount } = nodeStatusPatch(base.conditions, ready, clock.wallMs(), pressures);
        const reply = await this.#client.send('patchNodeStatus', {
          method: 'PATCH',
          path: `${path}/status?timeout=10s`,
          contentType: 'application/strategic-merge-patch+json',
          body,
          timeoutMs: HEARTBEAT_TIMEOUT_MS,
          discardBody: true,
        });
        if (reply.status < 300) return turnedCount > 0 ? 'turned' : 'sent';
        if (reply.status === 404) return 'failed';
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        // The five tries of a real kubelet follow each other at once; a dead connection gets a moment to come back.
        await delay(TICK_JITTER_RATIO * TICK_MS, { signal: this.#signal, clock });
      }
    }
    return 'failed';
  }
}
