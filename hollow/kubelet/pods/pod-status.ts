/**
 * Pod status as a kubelet would report it: worked out from the state machine and the pod as it was just read (images,
 * mounts and resources are taken from there), and the strategic-merge patch from what the server has to that.
 *
 * The patch has only what differs, in the form that apimachinery produces: conditions merge by type and go with an
 * order list, container statuses are replaced whole, removed strings become null.
 * Source: pkg/util/pod/pod.go, pkg/kubelet/status/{generate,status_manager}.go v1.36.3; reference captures.
 */
import { createHash } from 'node:crypto';
import type { WireForm } from '../../wire-form.ts';
import { rfc3339Seconds } from '../timestamps.ts';
import {
  type ApiCondition,
  type ApiContainer,
  type ApiPod,
  isTerminalPhase,
  type PodPhase,
} from './pod-spec.ts';
import {
  type ContainerRun,
  type ContainerTermination,
  isContainerReady,
  isInitialized,
  POD_CONDITIONS,
  type PodMachine,
  phaseOf,
} from './pod-state.ts';

type Json = { [key: string]: unknown };

/** What of the node shows in its pods' status. */
export interface StatusContext {
  readonly form: WireForm;
  readonly hostIp: string;
}

const KUBELET_CONDITIONS: ReadonlySet<string> = new Set([...POD_CONDITIONS, 'PodScheduled']);

/** The status the kubelet wants `read` (the pod as the server has it) to have. */
export function buildStatus(pod: PodMachine, read: ApiPod, context: StatusContext): Json {
  const { form, hostIp } = context;
  const current = read.status ?? {};
  const status: Json = {
    phase: phaseOf(pod),
    conditions: buildConditions(pod, current.conditions ?? [], form),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    startTime: rfc3339Seconds(pod.startTimeMs),
  };
  if (form.observedGeneration) status['observedGeneration'] = pod.generation;
  if (form.podResources) status['resources'] = read.spec?.resources ?? {};
  if (pod.podIpShown) {
    const ip = pod.spec.hostNetwork ? hostIp : pod.podIp;
    status['podIP'] = ip;
    status['podIPs'] = [{ ip }];
  }
  const init = containerStatuses(pod, read, form, false);
  if (init.length > 0) status['initContainerStatuses'] = init;
  status['containerStatuses'] = containerStatuses(pod, read, form, true);
  return status;
}

/**
 * Body of the patch that turns `current` into `wanted`, or undefined where nothing differs. A terminal phase of the
 * server is never patched back: then only what else differs goes.
 */
export function statusPatch(uid: string, current: Json, wanted: Json): string | undefined {
  const patch: Json = {};
  for (const [field, value] of Object.entries(wanted)) {
    if (field === 'conditions') patchConditions(patch, readConditions(current), value as ApiCondition[]);
    else if (field === 'phase' && isTerminalPhase((current['phase'] ?? 'Pending') as PodPhase)) continue;
    else if (!sameJson(current[field], value)) patch[field] = value;
  }
  if (Object.keys(patch).length === 0) return undefined;
  return JSON.stringify({ metadata: { uid }, status: sorted(patch) });
}

/** `containerd://<64 hex digits>`, the same for the same run of the same container. */
export function containerId(pod: PodMachine, index: number, form: WireForm): string {
  const { uid, name, namespace, containers } = pod.spec;
  const container = containers[index]?.name ?? '';
  const count = pod.runs[index]?.restartCount ?? 0;
  if (form.containerScheme === 'fakeRuntime') {
    return `fakeRuntime://${name}_${namespace}_${uid}_0_${container}_${count}`;
  }
  return `${form.containerScheme}://${sha256(`${uid}/${container}/${count}`)}`;
}

function buildConditions(pod: PodMachine, current: readonly ApiCondition[], form: WireForm): ApiCondition[] {
  // Conditions of others come first and stay as they are. Source: mergePodStatus, status_manager.go
  const conditions = current.filter((condition) => !KUBELET_CONDITIONS.has(condition.type));
  const phase = phaseOf(pod);
  POD_CONDITIONS.forEach((type, index) => {
    const since = pod.conditionSinceMs[index] ?? pod.startTimeMs;
    const isTrue =
      (pod.conditionTrue[index] ?? false) || (form.alwaysReady && index >= 2 && !isTerminalPhase(phase));
    const condition: ApiCondition = {
      type,
      status: isTrue ? 'True' : 'False',
      lastProbeTime: null,
      lastTransitionTime: rfc3339Seconds(since),
    };
    explain(condition, pod, index, isTrue, phase);
    if (form.observedGeneration) condition.observedGeneration = pod.generation;
    conditions.push(condition);
  });
  const scheduled = current.find((condition) => condition.type === 'PodScheduled');
  conditions.push({
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: scheduled?.lastTransitionTime ?? rfc3339Seconds(pod.startTimeMs),
    ...(form.observedGeneration ? { observedGeneration: pod.generation } : {}),
  });
  return conditions;
}

/** Source: pkg/kubelet/status/generate.go v1.36.3 */
function explain(
  condition: ApiCondition,
  pod: PodMachine,
  index: number,
  isTrue: boolean,
  phase: PodPhase,
): void {
  const initialized = POD_CONDITIONS[index] === 'Initialized';
  if (initialized && phase === 'Succeeded') condition.reason = 'PodCompleted';
  if (initialized && !isTrue) {
    condition.reason = 'ContainersNotInitialized';
    condition.message = `containers with incomplete status: [${namesOf(pod, (i) => pod.spec.containers[i]?.kind !== 'main' && !isContainerReady(pod, i))}]`;
  }
  if (index < 2 || isTrue) return;
  if (phase === 'Succeeded') condition.reason = 'PodCompleted';
  else if (phase === 'Failed') condition.reason = 'PodFailed';
  else {
    condition.reason = 'ContainersNotReady';
    condition.message = `containers with unready status: [${namesOf(pod, (i) => pod.spec.containers[i]?.kind !== 'init' && !isContainerReady(pod, i))}]`;
  }
}

function namesOf(pod: PodMachine, matches: (index: number) => boolean): string {
  return pod.spec.containers
    .filter((_, index) => matches(index))
    .map((container) => container.name)
    .join(' ');
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
  const hasRun = run !== undefined && (run.state === 'running' || run.startedAtMs > 0);
  const status: Json = {};
  if (hasRun) {
    status['containerID'] = containerId(pod, index, form);
    if (spec.resources?.['requests'] !== undefined) status['allocatedResources'] = spec.resources['requests'];
  }
  status['image'] = image;
  status['imageID'] = hasRun ? imageId(image, form) : '';
  status['lastState'] =
    run?.lastTermination === undefined ? {} : { terminated: terminated(run.lastTermination) };
  status['name'] = spec.name;
  status['ready'] = form.alwaysReady && main ? true : isContainerReady(pod, index);
  if (hasRun) status['resources'] = spec.resources ?? {};
  status['restartCount'] = run?.restartCount ?? 0;
  if (form.startedField) status['started'] = run?.state === 'running';
  status['state'] = stateOf(pod, run, containerId(pod, index, form), form);
  if (spec.volumeMounts !== undefined && spec.volumeMounts.length > 0) {
    status['volumeMounts'] = spec.volumeMounts.map(({ mountPath, name, readOnly }) =>
      readOnly === true ? { mountPath, name, readOnly, recursiveReadOnly: 'Disabled' } : { mountPath, name },
    );
  }
  return status;
}

function stateOf(pod: PodMachine, run: ContainerRun | undefined, id: string, form: WireForm): Json {
  if (run?.state === 'running') return { running: { startedAt: rfc3339Seconds(run.startedAtMs) } };
  if (run?.state === 'terminated' && run.termination !== undefined) {
    const state = terminated(run.termination);
    if (run.startedAtMs > 0) state['containerID'] = id;
    if (form.containerScheme === 'fakeRuntime') delete state['reason'];
    return { terminated: sorted(state) };
  }
  if (run !== undefined && run.waitingReason !== '') {
    return { waiting: { message: 'back-off restarting failed container', reason: run.waitingReason } };
  }
  const hasInit = pod.spec.containers.some((container) => container.kind !== 'main');
  const reason =
    hasInit && !(isInitialized(pod) && pod.stage !== 'mounting') ? 'PodInitializing' : 'ContainerCreating';
  return { waiting: { reason } };
}

function terminated(termination: ContainerTermination): Json {
  const { exitCode, reason, startedAtMs, finishedAtMs } = termination;
  if (reason === 'ContainerStatusUnknown') {
    return {
      exitCode,
      finishedAt: null,
      message: 'The container could not be located when the pod was terminated',
      reason,
      startedAt: null,
    };
  }
  return {
    exitCode,
    finishedAt: rfc3339Seconds(finishedAtMs),
    reason,
    startedAt: rfc3339Seconds(startedAtMs),
  };
}

function patchConditions(
  patch: Json,
  current: readonly ApiCondition[],
  wanted: readonly ApiCondition[],
): void {
  const changes: Json[] = [];
  for (const condition of wanted) {
    const before = current.find((other) => other.type === condition.type);
    const change = before === undefined ? { ...condition } : conditionChange(before, condition);
    if (change !== undefined) changes.push(sorted(change as Json));
  }
  if (changes.length === 0) return;
  if (current.length > 0) patch['$setElementOrder/conditions'] = wanted.map(({ type }) => ({ type }));
  patch['conditions'] = changes;
}

function conditionChange(before: ApiCondition, after: ApiCondition): Json | undefined {
  const change: Json = {};
  if (before.status !== after.status) change['status'] = after.status;
  // A stamp moves only with the status, and only if the second differs.
  if (before.status !== after.status && before.lastTransitionTime !== after.lastTransitionTime) {
    change['lastTransitionTime'] = after.lastTransitionTime;
  }
  if (before.observedGeneration !== after.observedGeneration && after.observedGeneration !== undefined) {
    change['observedGeneration'] = after.observedGeneration;
  }
  for (const field of ['reason', 'message'] as const) {
    if (before[field] === after[field]) continue;
    change[field] = after[field] ?? null;
  }
  if (Object.keys(change).length === 0) return undefined;
  change['type'] = after.type;
  return change;
}

function readConditions(current: Json): ApiCondition[] {
  const conditions = current['conditions'];
  return Array.isArray(conditions) ? (conditions as ApiCondition[]) : [];
}

/** Equality of JSON values; null counts as absent, order of keys does not matter. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b || ((a ?? undefined) === undefined && (b ?? undefined) === undefined)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Json;
  const right = b as Json;
  for (const key in left) if (!sameJson(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !sameJson(undefined, right[key])) return false;
  return true;
}

/** Strategic-merge bodies are JSON maps: their keys are in alphabetical order. */
function sorted(value: Json): Json {
  const result: Json = {};
  for (const key of Object.keys(value).sort()) result[key] = value[key];
  return result;
}

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
