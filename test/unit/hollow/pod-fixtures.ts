/** Pods as an API server shows them, and machines run over them, for the tests of hollow kubelets. */
import {
  type ContainerRunPlan,
  type PodProfile,
  steadyRun,
} from '../../../hollow/kubelet/pods/pod-behaviour.ts';
import { newPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { ApiPod } from '../../../hollow/kubelet/pods/pod-object.ts';
import { readPodSighting, readPodSpec } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { Instant, PodEffect, PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';

export const START_WALL_MS = Date.parse('2026-11-21T08:38:20Z');

/** An instant `ms` after the start of the test. */
export function at(ms: number): Instant {
  return { nowUs: ms * 1_000, wallMs: START_WALL_MS + ms };
}

type ProfileOverrides = Partial<Omit<PodProfile, 'run'>> & {
  stopMs?: number;
  run?(index: number, restartCount: number): Partial<ContainerRunPlan>;
};

/** A profile with round numbers; runs are steady where `overrides` do not say otherwise. */
export function profile({ stopMs = 200, run, ...overrides }: ProfileOverrides = {}): PodProfile {
  return {
    sandboxMs: 500,
    startMs: () => 100,
    sandboxStopMs: 50,
    cleanUpMs: 700,
    probed: true,
    jitter: () => 0,
    noticeMs: () => 0,
    ...overrides,
    run: (index, restartCount) => ({ ...steadyRun(stopMs), ...run?.(index, restartCount) }),
  };
}

export const POD_UID = '50e4392c-6476-4573-b60e-5bc4ab6ada08';

/** A pod that was just bound, as in the reference capture; `change` edits it. */
export function boundPod(
  change: (pod: Required<Pick<ApiPod, 'spec' | 'status'>> & ApiPod) => void = () => {},
): ApiPod {
  const pod = {
    metadata: {
      name: 'web-847f49cc4d-7j768',
      namespace: 'default',
      uid: POD_UID,
      resourceVersion: '290',
      generation: 1,
    },
    spec: {
      restartPolicy: 'Always' as const,
      serviceAccountName: 'default',
      containers: [
        {
          name: 'pause',
          image: 'registry.k8s.io/pause:3.10',
          resources: {},
          volumeMounts: [
            {
              name: 'kube-api-access-7b4wc',
              readOnly: true,
              mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
            },
          ],
        },
      ],
    },
    status: {
      phase: 'Pending' as const,
      conditions: [
        {
          type: 'PodScheduled',
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: '2026-11-21T08:38:20Z',
        },
      ],
      qosClass: 'BestEffort',
    },
  };
  change(pod);
  return pod;
}

/** The machine of `pod`, first seen at time 0. */
export function machineOf(
  pod: ApiPod,
  podProfile: PodProfile = profile(),
): { pod: PodMachine; effects: PodEffect[] } {
  const spec = readPodSpec(pod, (text) => text);
  return newPod(spec, podProfile, readPodSighting(pod), pod.status ?? {}, '10.88.0.8', at(0));
}

/** `pod` as its watch shows it once somebody deleted it. */
export function deletedPod(pod: ApiPod, graceSeconds: number): ApiPod {
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generation: (pod.metadata.generation ?? 1) + 1,
      deletionTimestamp: '2026-11-21T08:38:58Z',
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}
