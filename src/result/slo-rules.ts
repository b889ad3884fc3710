/**
 * Which official SLO a call falls under, and its limit. Names, keys and limits are those of sig-scalability:
 * mutating calls per (resource, verb), reads per (resource, scope), stateless pods that can be scheduled.
 *
 * Source: kubernetes/community sig-scalability/slos/{api_call_latency,pod_startup_latency}.md @ 24e7d8f5.
 */
import type { Scope, SloKind, Verb } from './run-result.ts';

export const SLO_NAME = {
  mutating: 'mutating API call latency',
  read: 'read-only API call latency',
  podStartup: 'pod startup latency',
  networkProgramming: 'network programming latency',
} as const;

/** Limits of the official text, in milliseconds, and its quantile. */
export const OFFICIAL_LIMITS: SloLimits = {
  mutatingLimitMs: 1_000,
  readResourceLimitMs: 1_000,
  readNamespaceLimitMs: 30_000,
  readClusterLimitMs: 30_000,
  podStartupLimitMs: 5_000,
  quantile: 0.99,
};

/** The official window over which a percentile is taken. */
export const SLO_WINDOW_MS = 300_000;

export interface SloLimits {
  mutatingLimitMs: number;
  readResourceLimitMs: number;
  readNamespaceLimitMs: number;
  readClusterLimitMs: number;
  podStartupLimitMs: number;
  /** 0..1 */
  quantile: number;
}

/** The suite's `slo` section fits here. */
export interface SloRules extends SloLimits {
  /** Which verdicts decide the exit code. */
  judge: readonly SloKind[];
}

/** What the SLOs ask of a call. */
export interface CallShape {
  verb: Verb;
  /** Plural with group where there is one. */
  resource: string;
  subresource: string;
  scope: Scope;
}

/** What one call is judged by: calls with the same `subject` are judged together. */
export interface CallSlo {
  slo: (typeof SLO_NAME)['mutating' | 'read'];
  /** `create pods (resource)`, `read pods (namespace)`. */
  subject: string;
  limitUs: number;
}

const MUTATING: ReadonlySet<Verb> = new Set(['create', 'update', 'patch', 'delete']);
const READING: ReadonlySet<Verb> = new Set(['get', 'list']);
/** Streams, whose duration says how long somebody looked. */
const STREAMING_SUBRESOURCES: ReadonlySet<string> = new Set([
  'log',
  'exec',
  'attach',
  'portforward',
  'proxy',
]);
/** Resources that are computed and never stored: outside the official text, as are custom and aggregated ones. */
const VIRTUAL_RESOURCES: ReadonlySet<string> = new Set([
  'componentstatuses',
  'tokenreviews.authentication.k8s.io',
  'selfsubjectreviews.authentication.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
]);
/** Groups that kube-apiserver 1.36 serves itself; resources of any other are custom or aggregated. */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** The SLO of a call; undefined for calls that no SLO speaks of (watches, collections deleted, custom resources). */
export function callSlo(call: CallShape, limits: SloLimits): CallSlo | undefined {
  const [, group = ''] = /^[^.]*\.?(.*)$/.exec(call.resource) ?? [];
  if (!BUILT_IN_GROUPS.has(group) || VIRTUAL_RESOURCES.has(call.resource)) return undefined;
  if (STREAMING_SUBRESOURCES.has(call.subresource)) return undefined;
  const resource = call.subresource === '' ? call.resource : `${call.resource}/${call.subresource}`;
  if (MUTATING.has(call.verb)) {
    const subject = `${call.verb} ${resource} (${call.scope})`;
    return { slo: SLO_NAME.mutating, subject, limitUs: limits.mutatingLimitMs * 1_000 };
  }
  if (!READING.has(call.verb)) return undefined;
  const limitMs = {
    resource: limits.readResourceLimitMs,
    namespace: limits.readNamespaceLimitMs,
    cluster: limits.readClusterLimitMs,
  }[call.scope];
  return { slo: SLO_NAME.read, subject: `read ${resource} (${call.scope})`, limitUs: limitMs * 1_000 };
}
