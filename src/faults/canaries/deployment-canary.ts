/**
 * Dead controllers answer no probe and fail none. A small Deployment made every few seconds asks them: the controller
 * manager has to make its pod, the scheduler has to bind it.
 */
import type { PodPlacement } from '../../../loadgen/index.ts';
import type { Clock } from '../../core/index.ts';
import type { CallDispatcher } from '../../kube/index.ts';
import type { DeploymentCanary, PodSighting } from './records.ts';

export interface DeploymentCanariesOptions {
  namespace: string;
  labels: Readonly<Record<string, string>>;
  /** Where its pods may go. */
  placement: PodPlacement;

  timeoutMs: number;
  clock: Clock;
  dispatcher: CallDispatcher;
}

/** A canary is removed this long after it was made: later than any takeover of a leader. */
const KEPT_US = 90e6;
/** Bound ones go sooner; they have said what they had to. */
const KEPT_BOUND_US = 10e6;
const NAME_LABEL = 'hollowmark.dev/canary';

export class DeploymentCanaries {
  readonly #options: DeploymentCanariesOptions;
  readonly #alive = new Map<string, DeploymentCanary>();
  #changed = new Set<DeploymentCanary>();
  #count = 0;

  constructor(options: DeploymentCanariesOptions) {
    this.#options = options;
  }

  /** Makes the next one, and removes those that are done. */
  fire(dueUs: number): void {
    const { clock, dispatcher, timeoutMs } = this.#options;
    this.#removeOld();
    const canary: DeploymentCanary = { name: `canary-${this.#count++}`, dueUs };
    this.#alive.set(canary.name, canary);
    this.#changed.add(canary);
    dispatcher.dispatch(
      { method: 'POST', path: this.#path(''), body: JSON.stringify(this.#manifest(canary.name)), timeoutMs },
      {
        onSent: () => {},
        onReply: ({ status }) => {
          if (status >= 300) return;
          canary.createdUs = clock.nowUs();
          this.#changed.add(canary);
        },
        // Not created: it asks nobody anything, and the write canaries tell why.
        onFailure: () => {},
      },
    );
  }

  /** Takes what the watch of pods showed. */
  sighted(pods: readonly PodSighting[]): void {
    for (const pod of pods) {
      if (pod.namespace !== this.#options.namespace || pod.gone) continue;
      // Deployment, ReplicaSet and pod: canary-7, canary-7-5d4c8b, canary-7-5d4c8b-x2x9p.
      const canary = this.#alive.get(pod.name.split('-').slice(0, 2).join('-'));
      if (canary === undefined) continue;
      if (canary.podSeenUs === undefined) {
        canary.podSeenUs = pod.atUs;
        this.#changed.add(canary);
      }
      if (pod.node !== '' && canary.boundUs === undefined) {
        canary.boundUs = pod.atUs;
        this.#changed.add(canary);
      }
    }
  }

  /** Canaries that changed since the last call. */
  drain(): DeploymentCanary[] {
    const changed = [...this.#changed].map((canary) => ({ ...canary }));
    this.#changed = new Set();
    return changed;
  }

  #removeOld(): void {
    const { clock, dispatcher, timeoutMs } = this.#options;
    const nowUs = clock.nowUs();
    for (const [name, canary] of [...this.#alive]) {
      const ageUs = nowUs - canary.dueUs;
      if (ageUs < (canary.boundUs === undefined ? KEPT_US : KEPT_BOUND_US)) continue;
      this.#alive.delete(name);
      dispatcher.dispatch(
        {
          method: 'DELETE',
          path: this.#path(`/${name}`),
          body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' }),
          timeoutMs,
        },
        {
          onSent: () => {},
          onReply: ({ status }) => {
            if (status >= 300 && status !== 404) this.#alive.set(name, canary);
          },
          // Asked again with the next canary: during an outage they would pile up on the nodes.
          onFailure: () => this.#alive.set(name, canary),
        },
      );
    }
  }

  #manifest(name: string): object {
    // The pod is not marked as the run's: it is no part of the load, and its namespace is removed as a whole.
    const own = { [NAME_LABEL]: name };
    const { nodeSelector, tolerations } = this.#options.placement;
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels: { ...this.#options.labels, ...own } },
      spec: {
        replicas: 1,
        selector: { matchLabels: own },
        template: {
          metadata: { labels: own },
          spec: {
            nodeSelector,
            tolerations,
            terminationGracePeriodSeconds: 1,
            containers: [{ name: 'canary', image: 'registry.k8s.io/pause:3.10' }],
          },
        },
      },
    };
  }

  #path(name: string): string {
    return `/apis/apps/v1/namespaces/${this.#options.namespace}/deployments${name}`;
  }
}
