/**
 * Writes pod status to the API server, one pod at a time per node: reads the pod, patches what differs, and deletes it
 * when it is done with. Changes that come while a write is under way coalesce into the next one. What failed, and what
 * the server shows differently from what was written, is looked at again every ten seconds.
 * Source: pkg/kubelet/status/status_manager.go v1.36.3
 */
import { type TokenBucket, TransportError } from '../../../src/kube/index.ts';
import type { NodeClient } from '../../client.ts';
import type { FleetContext } from '../../context.ts';
import { Timer, type TimerTarget } from '../../timers.ts';
import type { ApiPod } from './pod-object.ts';
import { shownPhase } from './pod-phase.ts';
import type { PodMachine } from './pod-state.ts';
import { buildStatus, type StatusContext } from './pod-status.ts';
import { statusPatch } from './status-patch.ts';

/** A pod as the writer sees it. */
export interface WritablePod {
  readonly machine: PodMachine;
  /** Version of the machine that the server has; -1: none yet. */
  writtenVersion: number;
  /** The server shows something else than was written. */
  mismatched: boolean;
  /** In the writer's queue. */
  queued: boolean;
  /** As the watch showed it last; kept by light nodes, which do not read it before they write. */
  shown: ApiPod | undefined;
  /** The object is gone, or given up: nothing is written any more. */
  dropped: boolean;
  /** The final DELETE was acknowledged. */
  removed: boolean;
}

/** Source: syncPeriod, status_manager.go */
const RECHECK_MS = 10_000;

export class StatusWriter implements TimerTarget {
  readonly #context: FleetContext;
  readonly #client: NodeClient;
  readonly #throttle: TokenBucket;
  readonly #status: StatusContext;
  readonly #signal: AbortSignal;
  readonly #timer = new Timer(this, 0);
  #queue: WritablePod[] = [];
  readonly #recheck = new Set<WritablePod>();
  #busy = false;

  constructor(
    context: FleetContext,
    client: NodeClient,
    throttle: TokenBucket,
    status: StatusContext,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#client = client;
    this.#throttle = throttle;
    this.#status = status;
    this.#signal = signal;
  }

  /** The pod's status changed, or it is to be removed. */
  enqueue(pod: WritablePod): void {
    if (pod.queued || pod.dropped || this.#signal.aborted) return;
    pod.queued = true;
    this.#queue.push(pod);
    if (this.#busy) return;
    // Whatever wakes the writer also gives another chance to what failed before.
    for (const other of this.#recheck) {
      if (other === pod || other.queued || other.dropped || !isStale(other)) continue;
      other.queued = true;
      this.#queue.push(other);
    }
    this.#busy = true;
    this.#drain()
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'status writer failed'))
      .finally(() => {
        this.#busy = false;
      });
  }

  /** Looks at the pod with the next recheck. */
  recheckLater(pod: WritablePod): void {
    if (pod.dropped) return;
    this.#recheck.add(pod);
    if (this.#timer.place === -1) {
      this.#context.timers.arm(this.#timer, this.#context.clock.nowUs() + RECHECK_MS * 1_000);
    }
  }

  onTimer(): void {
    for (const pod of this.#recheck) {
      if (isStale(pod) || pod.mismatched) this.enqueue(pod);
    }
    this.#recheck.clear();
  }

  stop(): void {
    this.#context.timers.cancel(this.#timer);
    this.#recheck.clear();
    this.#queue = [];
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#signal.aborted) {
      const batch = this.#queue;
      this.#queue = [];
      for (const pod of batch) {
        pod.queued = false;
        if (pod.dropped || this.#signal.aborted) continue;
        try {
          if (!(await this.#sync(pod))) this.recheckLater(pod);
        } catch (error) {
          if (this.#signal.aborted) return;
          const { namespace, name } = pod.machine.spec;
          if (!(error instanceof TransportError)) {
            this.#context.log.error({ err: error, namespace, pod: name }, 'pod status not written');
          }
          this.recheckLater(pod);
        }
      }
    }
  }

  /** True if the server has what the machine says. */
  async #sync(pod: WritablePod): Promise<boolean> {
    if (this.#client.silent) return false;
    if (this.#context.settings.fidelity === 'light') return this.#syncLight(pod);
    const { machine } = pod;
    const { namespace, name, uid } = machine.spec;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const reply = await this.#client.send('getPod', { method: 'GET', path }, this.#throttle);
    if (reply.status !== 200 && reply.status !== 404) return false;
    const read = reply.status === 200 ? (JSON.parse(reply.body) as ApiPod) : undefined;
    // Built after the read: what changed meanwhile goes into this write.
    const { version } = machine;
    if (read === undefined || read.metadata.uid !== uid) {
      // Gone, or another pod of the same name: the watch will say so.
      pod.writtenVersion = version;
      pod.removed = true;
      return true;
    }
    if (!(await this.#patch(pod, path, read))) return false;
    pod.writtenVersion = version;
    pod.mismatched = false;
    if (machine.stage !== 'removing' || machine.version !== version || pod.removed) return true;
    return await this.#remove(pod, path);
  }

  /**
   * Light: what others wait for (Running, an end of its own) is one PATCH from what the watch showed, a deletion is the
   * final DELETE alone. True if the server has it, or need not.
   */
  async #syncLight(pod: WritablePod): Promise<boolean> {
    const { machine, shown } = pod;
    const { namespace, name } = machine.spec;
    const { version } = machine;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (machine.stage === 'removing') {
      if (!pod.removed && !(await this.#remove(pod, path))) return false;
    } else if (shown !== undefined && !machine.deleting && shownPhase(machine) !== 'Pending') {
      if (!(await this.#patch(pod, path, shown))) return false;
      pod.mismatched = false;
    }
    pod.writtenVersion = version;
    return true;
  }

  async #patch(pod: WritablePod, path: string, read: ApiPod): Promise<boolean> {
    const { machine } = pod;
    const wanted = buildStatus(machine, read, this.#status);
    const body = statusPatch(machine.spec.uid, read.status ?? {}, wanted);
    if (body === undefined) return true;
    const { clock, instants } = this.#context;
    if (wanted['phase'] === 'Running' && read.status?.phase !== 'Running') {
      const { namespace, name, uid } = machine.spec;
      instants.note('running-sent', namespace, name, clock.nowUs(), { uid });
    }
    const reply = await this.#client.send(
      'patchPodStatus',
      {
        method: 'PATCH',
        path: `${path}/status`,
        contentType: 'application/strategic-merge-patch+json',
        body,
        discardBody: true,
      },
      this.#throttle,
    );
    return reply.status < 300 || reply.status === 404;
  }

  async #remove(pod: WritablePod, path: string): Promise<boolean> {
    const { uid } = pod.machine.spec;
    const options = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
      preconditions: { uid },
    };
    const reply = await this.#client.send(
      'deletePod',
      { method: 'DELETE', path, body: JSON.stringify(options), discardBody: true },
      this.#throttle,
    );
    // 409: the name belongs to another pod by now.
    if (reply.status >= 300 && reply.status !== 404 && reply.status !== 409) return false;
    pod.removed = true;
    if (reply.status < 300) this.#context.counters.podsDeletedCount++;
    return true;
  }
}

function isStale({ machine, removed, writtenVersion }: WritablePod): boolean {
  return writtenVersion !== machine.version || (machine.stage === 'removing' && !removed);
}
