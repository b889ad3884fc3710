/**
 * The words of a kubelet's events about pods.
 * Source: pkg/kubelet/kuberuntime/kuberuntime_{container,manager}.go, pkg/kubelet/prober/prober.go,
 * pkg/probe/{http,tcp} v1.36.3
 */
import type { EventRequest } from '../event-ledger.ts';
import type { ProbeKind } from './pod-probes.ts';
import type { ContainerSpec, ProbeSpec } from './pod-spec.ts';
import type { ContainerEventReason, PodMachine } from './pod-state.ts';

/** The event `reason` about container `index`; `probe` is the one that failed, `text` replaces the usual message. */
export function containerEvent(
  pod: PodMachine,
  reason: ContainerEventReason,
  index: number,
  probe: ProbeKind | undefined,
  text?: string,
): EventRequest | undefined {
  const container = pod.spec.containers[index];
  if (container === undefined) return undefined;
  const list = container.kind === 'main' ? 'containers' : 'initContainers';
  return {
    reason,
    message: text ?? message(pod, container, reason, probe),
    type: reason === 'BackOff' || reason === 'Unhealthy' ? 'Warning' : 'Normal',
    fieldPath: `spec.${list}{${container.name}}`,
  };
}

/** The event about why the kubelet ended the pod. */
export function verdictEvent(pod: PodMachine): EventRequest | undefined {
  const { verdict } = pod;
  if (verdict === undefined) return undefined;
  return {
    reason: verdict.reason,
    message:
      verdict.kind === 'rejected' ? verdict.message.replace(/^Pod was rejected: /, '') : verdict.message,
    type: verdict.kind === 'deadline' ? 'Normal' : 'Warning',
    fieldPath: '',
  };
}

function message(
  pod: PodMachine,
  container: ContainerSpec,
  reason: ContainerEventReason,
  probe: ProbeKind | undefined,
): string {
  const { name, namespace, uid, restartPolicy } = pod.spec;
  switch (reason) {
    case 'Pulled':
      return `Container image "${container.image}" already present on machine and can be accessed by the pod`;
    case 'Created':
      return 'Container created';
    case 'Started':
      return 'Container started';
    case 'BackOff':
      return `Back-off restarting failed container ${container.name} in pod ${name}_${namespace}(${uid})`;
    case 'Unhealthy':
      return `${capital(probe)} probe failed: ${output(pod, specOf(container, probe))}`;
    default:
      if (probe === undefined) return `Stopping container ${container.name}`;
      if (container.kind === 'sidecar') return `Init container ${container.name} failed ${probe} probe`;
      return `Container ${container.name} failed ${probe} probe${
        (container.restartPolicy ?? restartPolicy) === 'Never' ? '' : ', will be restarted'
      }`;
  }
}

function specOf(container: ContainerSpec, probe: ProbeKind | undefined): ProbeSpec | undefined {
  if (probe === 'startup') return container.startupProbe;
  return probe === 'liveness' ? container.livenessProbe : container.readinessProbe;
}

/** What a real probe of this kind finds where nothing answers well. */
function output(pod: PodMachine, spec: ProbeSpec | undefined): string {
  switch (spec?.how) {
    case 'http':
      return 'HTTP probe failed with statuscode: 503';
    case 'tcp':
      return `dial tcp ${pod.podIp}:${spec.port}: connect: connection refused`;
    case 'grpc':
      return 'service unhealthy (responded with "NOT_SERVING")';
    default:
      return '';
  }
}

function capital(word: string | undefined): string {
  return word === undefined ? '' : `${word[0]?.toUpperCase() ?? ''}${word.slice(1)}`;
}
