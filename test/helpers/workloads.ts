/** Manifests of workloads on hollow nodes, with a behaviour where one is named. */
import { BEHAVIOUR_KEY } from '../../src/config/index.ts';

/** Image of every container. */
export const IMAGE = 'registry.k8s.io/pause:3.10';

/** A probe's handler; hollow containers answer as their behaviour says. */
export const HTTP = { httpGet: { path: '/ready', port: 8080 } };
/** A container that is probed each second. */
export const READINESS = { readinessProbe: { ...HTTP, periodSeconds: 1 } };

/** Metadata and spec of a pod of `app: NAME` that behaves as `behaviourName` says; empty: as all do. */
export function template(name: string, behaviourName: string, spec: object, container: object = {}) {
  return {
    metadata: {
      labels: { app: name },
      ...(behaviourName === '' ? {} : { annotations: { [BEHAVIOUR_KEY]: behaviourName } }),
    },
    spec: {
      terminationGracePeriodSeconds: 5,
      // Not best effort: a node short of memory takes it all the same.
      containers: [{ name: 'main', image: IMAGE, resources: { requests: { memory: '16Mi' } }, ...container }],
      ...spec,
    },
  };
}

/** A Deployment, StatefulSet or DaemonSet of such pods. */
export function workload(
  name: string,
  replicas: number | undefined,
  behaviourName: string,
  spec: object,
  container: object = {},
) {
  return {
    metadata: { name },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: template(name, behaviourName, {}, container),
      ...spec,
    },
  };
}
