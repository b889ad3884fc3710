/**
 * The conditions of a pod's status: those of others as they are, then the kubelet's own with their reasons.
 * Source: pkg/kubelet/status/{generate,status_manager}.go v1.36.3; reference captures.
 */
import type { WireForm } from '../../wire-form.ts';
import { rfc3339Seconds } from '../timestamps.ts';
import { type ApiCondition, isTerminalPhase, type PodPhase } from './pod-object.ts';
import { computedPhase, shownPhase } from './pod-phase.ts';
import { canReset, isContainerReady, isInitDone, POD_CONDITIONS, type PodMachine } from './pod-state.ts';

/** Of pods one of whose containers can have all of them restarted. */
const RESETTING = 'AllContainersRestarting';

const KUBELET_CONDITIONS: ReadonlySet<string> = new Set([...POD_CONDITIONS, 'PodScheduled', RESETTING]);

/** All conditions that the pod is to have, where the server has `current`. */
export function buildConditions(
  pod: PodMachine,
  current: readonly ApiCondition[],
  form: WireForm,
): ApiCondition[] {
  // Conditions of others come first and stay as they are. Source: mergePodStatus, status_manager.go
  const conditions = current.filter((condition) => !KUBELET_CONDITIONS.has(condition.type));
  const phase = computedPhase(pod);
  if (pod.verdict?.kind === 'evicted' && isTerminalPhase(shownPhase(pod)))
    noteDisruption(conditions, pod, form);
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
  // An API server that knows no such rules has no such pods.
  if (canReset(pod.spec)) conditions.push(resetCondition(pod, phase));
  return conditions;
}

const OVER: Readonly<Partial<Record<PodPhase, string>>> = { Succeeded: 'PodCompleted', Failed: 'PodFailed' };

/** Source: GenerateAllContainersRestartingCondition, pkg/kubelet/status/generate.go v1.36.3 */
function resetCondition(pod: PodMachine, phase: PodPhase): ApiCondition {
  const reason = OVER[phase];
  const why = pod.resetting
    ? { reason: 'RestartAllContainersStarted', message: 'container exited with restart policy rule' }
    : reason === undefined
      ? {}
      : { reason };
  return {
    type: RESETTING,
    status: pod.resetting ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: rfc3339Seconds(pod.resetSinceMs),
    ...why,
  };
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
    condition.message = `containers with incomplete status: [${namesOf(pod, (i) => !isInitDone(pod, i))}]`;
  }
  if (index < 2 || isTrue) return;
  if (index === 2 && pod.conditionTrue[3] === true) {
    condition.reason = 'ReadinessGatesNotReady';
    condition.message = pod.gateMessage;
    return;
  }
  if (phase === 'Succeeded') condition.reason = 'PodCompleted';
  else if (phase === 'Failed') condition.reason = 'PodFailed';
  else {
    condition.reason = 'ContainersNotReady';
    condition.message = `containers with unready status: [${namesOf(pod, (i) => pod.spec.containers[i]?.kind !== 'init' && !isContainerReady(pod, i))}]`;
  }
}

/** An eviction is told of once the containers have ended. */
function noteDisruption(conditions: ApiCondition[], pod: PodMachine, form: WireForm): void {
  if (conditions.some(({ type }) => type === 'DisruptionTarget')) return;
  conditions.push({
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: rfc3339Seconds(pod.verdictSinceMs),
    reason: 'TerminationByKubelet',
    message: pod.verdict?.disruption ?? pod.verdict?.message ?? '',
    ...(form.observedGeneration ? { observedGeneration: pod.generation } : {}),
  });
}

function namesOf(pod: PodMachine, matches: (index: number) => boolean): string {
  return pod.spec.containers
    .filter((_, index) => matches(index))
    .map((container) => container.name)
    .join(' ');
}
