/**
 * Of a pod, what a light node keeps in place of reading it before each write: enough to word its status, and no more,
 * because there may be tens of thousands in a process.
 */
import type { ApiPod } from '../kubelet/pods/pod-object.ts';

/** Without volumes, tokens and references to ConfigMaps or Secrets: a light node mounts and fetches nothing. */
export function withoutVolumes(pod: ApiPod): ApiPod {
  const { spec } = pod;
  if (spec === undefined) return pod;
  const bare = (containers: typeof spec.containers) =>
    (containers ?? []).map(({ name, image, restartPolicy }) => ({
      name,
      ...(image === undefined ? {} : { image }),
      ...(restartPolicy === undefined ? {} : { restartPolicy }),
    }));
  const { volumes: _volumes, imagePullSecrets: _secrets, containers, initContainers, ...rest } = spec;
  return {
    ...pod,
    spec: {
      ...rest,
      containers: bare(containers),
      initContainers: bare(initContainers),
    },
  };
}

/** The part of `pod` that its next status is worded from. */
export function shownPart(pod: ApiPod, intern: (text: string) => string): ApiPod {
  const names = (containers: NonNullable<ApiPod['spec']>['containers']) =>
    (containers ?? []).map(({ name, image }) => ({ name: intern(name), image: intern(image ?? '') }));
  const { status = {} } = pod;
  return {
    metadata: { name: pod.metadata.name, uid: pod.metadata.uid ?? '' },
    spec: {
      containers: names(pod.spec?.containers),
      initContainers: names(pod.spec?.initContainers),
    },
    status: {
      ...(status.phase === undefined ? {} : { phase: status.phase }),
      conditions: (status.conditions ?? []).map((condition) => ({
        ...condition,
        type: intern(condition.type),
      })),
    },
  };
}
