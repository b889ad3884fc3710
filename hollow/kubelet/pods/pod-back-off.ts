/**
 * When a container that ended starts again: at once the first time, then after 10 s, 20 s, 40 s and so on up to 300 s
 * from its end, and from the beginning again once it has run for ten minutes. Policies and rules that decide whether
 * it starts again at all stand here too.
 * Source: doBackOff, pkg/kubelet/kuberuntime/kuberuntime_manager.go; newCrashLoopBackOff, pkg/kubelet/kubelet.go;
 * ContainerShouldRestart, pkg/api/v1/pod/util.go; completeWork, pkg/kubelet/pod_workers.go; all v1.36.3
 */
import type { RestartPolicy } from './pod-object.ts';
import type { ContainerSpec, RestartRule } from './pod-spec.ts';

/** Where a container stands with its restarts. Monotonic µs. */
export interface BackOff {
  /** 0: it was never restarted, or not yet since the last reset. */
  backOffMs: number;
  /** Of the last restart. */
  backOffSinceUs: number;
}

const FIRST_MS = 10_000;
const MAX_MS = 300_000;
const RESET_MS = 600_000;
/** A pod worker that failed comes back when the back-off is over, at the latest after a minute... */
const RESYNC_MS = 60_000;
/** ...and up to this share later. */
const RETRY_JITTER_RATIO = 0.5;

/** How long to wait yet before a restart of what ended at `endedUs`; 0: start now. */
export function backOffLeftMs(backOff: BackOff, endedUs: number, nowUs: number): number {
  if (backOff.backOffMs === 0 || endedUs - backOff.backOffSinceUs > RESET_MS * 1_000) return 0;
  return Math.max(0, backOff.backOffMs - (nowUs - endedUs) / 1_000);
}

/** Notes a restart, now, of what ended at `endedUs`. */
export function noteRestart(backOff: BackOff, endedUs: number, nowUs: number): void {
  const reset = backOff.backOffMs === 0 || endedUs - backOff.backOffSinceUs > RESET_MS * 1_000;
  backOff.backOffMs = reset ? FIRST_MS : Math.min(MAX_MS, backOff.backOffMs * 2);
  backOff.backOffSinceUs = nowUs;
}

/** When the worker looks again at a container that must wait for `leftMs` yet; `jitter` is in [0, 1). */
export function retryAfterMs(leftMs: number, jitter: number): number {
  return Math.min(leftMs, RESYNC_MS) * (1 + RETRY_JITTER_RATIO * jitter);
}

/** A duration as Go prints it: `40s`, `2m40s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** True if the container starts again after it ended with `exitCode`. */
export function restartsAfter(container: ContainerSpec, podPolicy: RestartPolicy, exitCode: number): boolean {
  // An init container that ended well is done, whatever its rules say.
  if (container.kind === 'init' && exitCode === 0) return false;
  if (container.restartPolicy !== undefined) {
    if (ruleFor(container, exitCode) !== undefined) return true;
  }
  switch (policyOf(container, podPolicy)) {
    case 'Always':
      return true;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return false;
  }
}

/** True if all containers of the pod start again after this one exited with `exitCode`: the first rule for it decides. */
export function restartsAll(container: ContainerSpec, exitCode: number): boolean {
  return ruleFor(container, exitCode)?.all === true;
}

function ruleFor({ restartRules }: ContainerSpec, exitCode: number): RestartRule | undefined {
  return restartRules.find(({ codes, negated }) => codes.includes(exitCode) !== negated);
}

/** True if a container that a probe killed starts again: rules look at exits, and this is none. */
export function restartsAfterKill(container: ContainerSpec, podPolicy: RestartPolicy): boolean {
  return policyOf(container, podPolicy) !== 'Never';
}

/** An init container of a pod that restarts its containers always runs once all the same. */
function policyOf(container: ContainerSpec, podPolicy: RestartPolicy): RestartPolicy {
  if (container.kind === 'sidecar') return 'Always';
  const policy = container.restartPolicy ?? podPolicy;
  return container.kind === 'init' && policy === 'Always' ? 'OnFailure' : policy;
}
