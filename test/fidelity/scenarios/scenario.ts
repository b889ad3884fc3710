/**
 * What a scenario is: data. Each player goes through the same steps with pods pinned to its own node, in a namespace of
 * its own, which is how the audit log tells scenarios apart.
 */
import { HOLLOW_TAINT } from '../../../hollow/index.ts';
import { PAUSE_IMAGE } from '../players/pause-image.ts';
import type { PlayerName } from '../players/player.ts';

export type Step =
  /** Makes objects; the namespace is put in. */
  | { readonly step: 'create'; readonly objects: readonly Manifest[] }
  | { readonly step: 'scale'; readonly deployment: string; readonly replicas: number }
  /** Waits until this many pods with the label `app` are as said. */
  | { readonly step: 'await'; readonly app: string; readonly pods: PodCondition; readonly count: number }
  /** Waits until some pod with the label `app` has a container that was restarted this often. */
  | { readonly step: 'restarted'; readonly app: string; readonly count: number }
  /** Waits until the EndpointSlices of a Service hold this many ready endpoints. */
  | { readonly step: 'endpoints'; readonly service: string; readonly count: number }
  | { readonly step: 'delete'; readonly kind: Manifest['kind']; readonly name: string }
  /** POSTs an Eviction for every pod with the label `app`. */
  | { readonly step: 'evict'; readonly app: string }
  /** Marks the player's node unschedulable, or takes the mark away. */
  | { readonly step: 'cordon'; readonly unschedulable: boolean }
  | { readonly step: 'wait'; readonly ms: number };

export type PodCondition = 'ready' | 'gone' | 'succeeded' | 'failed';

export interface Manifest {
  readonly kind: 'Pod' | 'Deployment' | 'ConfigMap' | 'Secret' | 'Service' | 'Job';
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly [key: string]: unknown;
}

export interface Scenario {
  readonly name: string;
  /** What happens, for people. */
  readonly title: string;
  /**
   * `namespace`: requests that concern the scenario's namespaces, whenever they come. `window`: requests that concern no
   * namespace of any scenario, while it lasts.
   */
  readonly scope: 'namespace' | 'window';
  /** Reasons of events about the node that belong to it too. */
  readonly nodeEvents?: readonly string[];
  /** Absent: everybody. */
  readonly players?: readonly PlayerName[];
  readonly steps: readonly Step[];
}

/** Spec of a pod with these containers on the node `NODE`, which the stage replaces. */
export function podSpec(containers: readonly object[], rest: object = {}): object {
  return {
    nodeSelector: { 'kubernetes.io/hostname': 'NODE' },
    tolerations: [{ key: HOLLOW_TAINT.key, operator: 'Exists' }],
    terminationGracePeriodSeconds: 5,
    containers,
    ...rest,
  };
}

export function container(name: string, rest: object = {}): object {
  return { name, image: PAUSE_IMAGE, imagePullPolicy: 'IfNotPresent', ...rest };
}

export function pod(name: string, spec: object, annotations: Record<string, string> = {}): Manifest {
  return {
    kind: 'Pod',
    metadata: { name, labels: { app: name }, annotations } as Manifest['metadata'],
    spec,
  };
}

export function deployment(name: string, replicas: number, spec: object): Manifest {
  const labels = { app: name };
  return {
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
