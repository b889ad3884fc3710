/**
 * Pod status as a kubelet would report it: worked out from the state machine and the pod as it was just read (images,
 * mounts and resources are taken from there).
 * Source: pkg/kubelet/kubelet_pods.go v1.36.3; reference captures.
 */
import { createHash } from 'node:crypto';
import type { WireForm } from '../../wire-form.ts';
import { rfc3339Seconds } from '../timestamps.ts';
import { goDuration } from './pod-back-off.ts';
import { buildConditions } from './pod-conditions.ts';
import type { ApiContainer, ApiPod } from './pod-object.ts';
import { shownPhase } from './pod-phase.ts';
import {
  type ContainerRun,
  type ContainerTermination,
  isContainerReady,
  type PodMachine,
  RESET_REASON,
} from './pod-state.ts';

type Json = { [key: string]: unknown };

/** What of the node shows in its pods' status. */
export interface StatusContext {
  readonly form: WireForm;
  readonly hostIp: string;
  /** Of pods on the host's network. */
  readonly hostNetworkIp: string;
}

/** The status the kubelet wants `read` (the pod as the server has it) to have. */
export function buildStatus(pod: PodMachine, read: ApiPod, context: StatusContext): Json {
  const { form, hostIp, hostNetworkIp } = context;
  const current = read.status ?? {};
  const status: Json = { phase: shownPhase(pod), startTime: rfc3339Seconds(pod.startTimeMs) };
  if (form.observedGeneration) status['observedGeneration'] = pod.generation;
  if (pod.verdict !== undefined && pod.stage !== 'stopping' && status['phase'] === 'Failed') {
    status['reason'] = pod.verdict.reason;
    status['message'] = pod.verdict.message;
  }
  if (pod.verdict?.kind === 'rejected') {
    // What the node did not admit has neither conditions nor containers. Source: rejectPod, pkg/kubelet/kubelet.go
    status['conditions'] = undefined;
    return status;
  }
  status['conditions'] = buildConditions(pod, current.conditions ?? [], form);
  status['hostIP'] = hostIp;
  status['hostIPs'] = [{ ip: hostIp }];
  if (form.podResources) status['resources'] = read.spec?.resources ?? {};
  if (pod.podIpShown) {
    const ip = pod.spec.hostNetwork ? hostNetworkIp : pod.podIp;
    status['podIP'] = ip;
    status['podIPs'] = [{ ip }];
  }
  const init = containerStatuses(pod, read, form, false);
  if (init.length > 0) status['initContainerStatuses'] = init;
  status['containerStatuses'] = containerStatuses(pod, read, form, true);
  return status;
}

/** `containerd://<64 hex digits>`, the same for run `restartCount` of the same container. */
export function containerId(pod: PodMachine, index: number, restartCount: number, form: WireForm): string {
  const { uid, name, namespace, containers } = pod.spec;
  const container = containers[index]?.name ?? '';
  if (form.containerScheme === 'fakeRuntime') {
    return `fakeRuntime://${name}_${namespace}_${uid}_0_${container}_${restartCount}`;
  }
  return `${form.containerScheme}://${sha256(`${uid}/${container}/${restartCount}`)}`;
}

function containerStatuses(pod: PodMachine, read: ApiPod, form: WireForm, main: boolean): Json[] {
  const specs = (main ? read.spec?.containers : read.spec?.initContainers) ?? [];
  return specs.map((spec) => {
    const index = pod.spec.containers.findIndex((c) => c.name === spec.name && (c.kind === 'main') === main);
    return containerStatus(pod, index, spec, form);
  });
}

function containerStatus(pod: PodMachine, index: number, spec: ApiContainer, form: WireForm): Json {
  const run = pod.runs[index];
  const image = spec.image ?? '';
  const main = pod.spec.containers[index]?.kind === 'main';
  const hasRun = run !== undefined && run.startedAtMs > 0;
  const status: Json = {};
  if (hasRun) {
    status['containerID'] = containerId(pod, index, run.restartCount, form);
    if (spec.resources?.requests !== undefined) status['allocatedResources'] = spec.resources.requests;
  }
  status['image'] = image;
  status['imageID'] = hasRun ? imageId(image, form) : '';
  // A container that waits for its restart shows its last end here, any other the end before the newest run.
  const before = run?.state === 'waiting' ? run.termination : run?.lastTermination;
  status['lastState'] = before === undefined ? {} : { terminated: terminated(pod, index, before, form) };
  status['name'] = spec.name;
  status['ready'] = form.alwaysReady && main ? true : isContainerReady(pod, index);
  if (hasRun) status['resources'] = spec.resources ?? {};
  status['restartCount'] = run?.restartCount ?? 0;
  if (form.startedField) status['started'] = run?.started === true;
  status['state'] = stateOf(pod, index, run, form);
  if (spec.volumeMounts !== undefined && spec.volumeMounts.length > 0) {
    status['volumeMounts'] = spec.volumeMounts.map(({ mountPath, name, readOnly }) =>
      readOnly === true ? { mountPath, name, readOnly, recursiveReadOnly: 'Disabled' } : { mountPath, name },
    );
  }
  return status;
}

function stateOf(pod: PodMachine, index: number, run: ContainerRun | undefined, form: WireForm): Json {
  if (run?.state === 'running') return { running: { startedAt: rfc3339Seconds(run.startedAtMs) } };
  if (run?.state === 'terminated' && run.termination !== undefined) {
    return { terminated: terminated(pod, index, run.termination, form) };
  }
  if (run?.termination?.reason === RESET_REASON) {
    return { waiting: { message: RESET_MESSAGE, reason: RESET_REASON } };
  }
  if (run?.termination !== undefined) {
    const { name, namespace, uid, containers } = pod.spec;
    const message = `back-off ${goDuration(run.backOffMs)} restarting failed container=${containers[index]?.name} pod=${name}_${namespace}(${uid})`;
    return { waiting: { message, reason: 'CrashLoopBackOff' } };
  }
  const hasInit = pod.spec.containers.some((container) => container.kind !== 'main');
  return { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } };
}

function terminated(pod: PodMachine, index: number, termination: ContainerTermination, form: WireForm): Json {
  const { exitCode, reason, startedAtMs, finishedAtMs, restartCount } = termination;
  const unseen = UNSEEN_ENDS[reason];
  if (unseen !== undefined) {
    return {
      exitCode,
      finishedAt: null,
      message: unseen,
      reason,
      startedAt: null,
    };
  }
  return {
    containerID: containerId(pod, index, restartCount, form),
    exitCode,
    finishedAt: rfc3339Seconds(finishedAtMs),
    ...(form.containerScheme === 'fakeRuntime' ? {} : { reason }),
    startedAt: rfc3339Seconds(startedAtMs),
  };
}

const RESET_MESSAGE = 'The container is removed because RestartAllContainers in place';
/** Messages of ends that nobody saw, by reason. */
const UNSEEN_ENDS: Readonly<Record<string, string>> = {
  ContainerStatusUnknown: 'The container could not be located when the pod was terminated',
  [RESET_REASON]: RESET_MESSAGE,
};

const imageIds = new Map<string, string>();

function imageId(image: string, form: WireForm): string {
  if (form.containerScheme === 'fakeRuntime') return image;
  let id = imageIds.get(image);
  if (id === undefined) {
    id = `sha256:${sha256(image)}`;
    imageIds.set(image, id);
  }
  return id;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
