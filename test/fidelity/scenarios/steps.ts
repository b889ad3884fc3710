/** Steps that most scenarios take. */
import type { Manifest, PodCondition, Scenario, Step } from './scenario.ts';

/** A scenario of requests that concern no namespace, while it lasts. */
export function inWindow(name: string, title: string, ...steps: readonly Step[]): Scenario {
  return { name, title, scope: 'window', steps };
}

/** A scenario of requests that concern a namespace of its own. */
export function inNamespace(name: string, title: string, steps: readonly Step[]): Scenario {
  return { name, title, scope: 'namespace', steps };
}

export function create(...objects: readonly Manifest[]): Step {
  return { step: 'create', objects };
}

/** Waits until `count` pods of `app` are as said. */
export function pods(app: string, condition: PodCondition, count: number): Step {
  return { step: 'await', app, pods: condition, count };
}

/** Scales a Deployment and waits for its pods. */
export function scaleTo(deployment: string, replicas: number): Step[] {
  return [{ step: 'scale', deployment, replicas }, pods(deployment, 'ready', replicas)];
}

/** Deletes objects whose pods have their names, and waits until the pods are gone. */
export function clear(...objects: readonly (readonly [kind: Manifest['kind'], name: string])[]): Step[] {
  return [
    ...objects.map(([kind, name]): Step => ({ step: 'delete', kind, name })),
    ...objects.map(([, name]) => pods(name, 'gone', 0)),
  ];
}
