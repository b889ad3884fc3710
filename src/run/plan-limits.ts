/**
 * What a planned run goes beyond: published limits of Kubernetes, client limits of its components, and what makes
 * the run's own figures weak. None of these stops a run; each says what to expect.
 */
import { objectsOfUnit, podsOfUnit, resourceLabel, type Suite, topologyWarnings } from '../config/index.ts';
import { faultWarnings } from './plan-faults.ts';
import type { PlannedPhase } from './plan-phases.ts';
import type { PlanTotals } from './plan-totals.ts';

export interface PlanWarning {
  /** `published-limit`: outside what the SLOs are promised for. `bottleneck`: something will set the pace. `figures`: results will be weak. */
  kind: 'published-limit' | 'bottleneck' | 'figures';
  /** One sentence with the figures. */
  text: string;
}

/**
 * Limits within which the official SLOs hold.
 * Source: kubernetes/community sig-scalability/configs-and-limits/thresholds.md and slos/slos.md @ 24e7d8f5.
 */
const LIMITS = {
  nodes: 5_000,
  pods: 150_000,
  containers: 300_000,
  podsPerNode: 110,
  podsPerNamespace: 3_000,
  namespaces: 10_000,
  objectsPerType: 150_000,
  deploymentsPerNamespace: 2_000,
  servicesPerNamespace: 5_000,
  services: 10_000,
  endpointsPerService: 250,
  churnPerSecond: 20,
} as const;

/** kube-controller-manager `--kube-api-qps`: each controller's client, so also the one that makes a ReplicaSet's pods. */
const CONTROLLER_QPS = 20;
/** KubeSchedulerConfiguration clientConnection.qps: one binding a pod. */
const SCHEDULER_QPS = 50;
/** Fewer samples cannot show with 95 % confidence that 99 % are within a limit without the maximum being it too. */
const SAMPLES_FOR_P99 = 368;

/** Everything worth knowing before the run, the most serious kind first. */
export function planWarnings(
  suite: Suite,
  phases: readonly PlannedPhase[],
  totals: PlanTotals,
): PlanWarning[] {
  return [
    ...publishedLimits(suite, phases, totals),
    ...(suite.controlPlane.provider === 'local' ? topologyWarnings(suite.controlPlane.topology) : []).map(
      (text) => ({ kind: 'figures' as const, text }),
    ),
    ...bottlenecks(suite, phases, totals),
    ...weakFigures(suite, phases),
    ...faultWarnings(suite, phases),
  ];
}

function publishedLimits(suite: Suite, phases: readonly PlannedPhase[], totals: PlanTotals): PlanWarning[] {
  const nodeCount = suite.fleet.nodeCount;
  const namespaceCount = suite.load.namespaceCount;
  const podsPerNode = nodeCount === 0 ? 0 : Math.ceil(totals.peakPodCount / nodeCount);
  const checks: [what: string, value: number, limit: number][] = [
    ['nodes', nodeCount, LIMITS.nodes],
    ['pods at once', totals.peakPodCount, LIMITS.pods],
    ['containers at once', totals.peakContainerCount, LIMITS.containers],
    ['pods a node', podsPerNode, LIMITS.podsPerNode],
    ['pods a node (capacity)', suite.fleet.capacity.podCount, LIMITS.podsPerNode],
    ['pods a namespace', Math.ceil(totals.peakPodCount / namespaceCount), LIMITS.podsPerNamespace],
    ['namespaces', namespaceCount, LIMITS.namespaces],
  ];
  for (const [resource, count] of Object.entries(totals.peakObjects)) {
    checks.push([
      `${resource} at once`,
      count,
      resource === 'services' ? LIMITS.services : LIMITS.objectsPerType,
    ]);
    const perNamespace = Math.ceil(count / namespaceCount);
    if (resource === 'deployments.apps')
      checks.push(['deployments a namespace', perNamespace, LIMITS.deploymentsPerNamespace]);
    if (resource === 'services')
      checks.push(['services a namespace', perNamespace, LIMITS.servicesPerNamespace]);
  }
  checks.push(['endpoints of a service', mostEndpoints(suite), LIMITS.endpointsPerService]);
  const seen = new Set<string>();
  const warnings = checks.flatMap(([what, value, limit]): PlanWarning[] => {
    // Pods have a limit of their own, the same as that of every type.
    if (value <= limit || (what === 'pods at once' && seen.has(what))) return [];
    seen.add(what);
    return [
      { kind: 'published-limit', text: `${number(value)} ${what}: the published limit is ${number(limit)}` },
    ];
  });
  for (const phase of phases) {
    const churn = phase.podChangesPerSecond + phase.userRequestsPerSecond;
    if (churn > LIMITS.churnPerSecond)
      warnings.push({
        kind: 'published-limit',
        text: `${number(churn)}/s cluster churn in phase ${phase.name} (${number(phase.podChangesPerSecond)} pods created or deleted, ${number(phase.userRequestsPerSecond)} requests): the SLOs are promised up to ${LIMITS.churnPerSecond}/s`,
      });
  }
  return warnings;
}

// A Service made together with workloads under one name is taken to select their pods.
function mostEndpoints(suite: Suite): number {
  const counts = suite.load.phases.flatMap(({ actions }) =>
    actions.map((action) => {
      if (action.action !== 'create' && action.action !== 'churn') return 0;
      const hasService = objectsOfUnit(action.object).some(({ kind }) => kind === 'Service');
      return hasService ? podsOfUnit(action.object) : 0;
    }),
  );
  return Math.max(0, ...counts);
}

function bottlenecks(suite: Suite, phases: readonly PlannedPhase[], totals: PlanTotals): PlanWarning[] {
  const warnings: PlanWarning[] = [];
  const lifted = (component: string) =>
    suite.controlPlane.profile === 'fast' ||
    suite.controlPlane.flags[component]?.['kube-api-qps'] !== undefined ||
    suite.controlPlane.flags[component]?.['config'] !== undefined;
  for (const phase of phases) {
    if (phase.controllerPodsPerSecond > CONTROLLER_QPS && !lifted('kube-controller-manager'))
      warnings.push({
        kind: 'bottleneck',
        text: `${number(phase.controllerPodsPerSecond)}/s pods of controllers in phase ${phase.name}: kube-controller-manager's client makes at most ${CONTROLLER_QPS}/s by default (profile fast, or its flag kube-api-qps, lifts it)`,
      });
    if (phase.podsStartedPerSecond > SCHEDULER_QPS && !lifted('kube-scheduler'))
      warnings.push({
        kind: 'bottleneck',
        text: `${number(phase.podsStartedPerSecond)}/s pods in phase ${phase.name}: kube-scheduler's client binds at most ${SCHEDULER_QPS}/s by default (profile fast lifts it)`,
      });
  }
  if (totals.inFlightAtLimitCount > suite.load.maxInFlightCount)
    warnings.push({
      kind: 'bottleneck',
      text: `${number(totals.inFlightAtLimitCount)} calls would be in flight if each took as long as its SLO allows: load.maxInFlight is ${number(suite.load.maxInFlightCount)}, the rest would be dropped`,
    });
  const room = suite.fleet.nodeCount * suite.fleet.capacity.podCount;
  if (totals.peakPodCount > room)
    warnings.push({
      kind: 'bottleneck',
      text: `${number(totals.peakPodCount)} pods at once on nodes for ${number(room)}: the rest stay Pending`,
    });
  return warnings;
}

/** What every cluster with nodes in it has some of. */
const ALWAYS_THERE = new Set([
  'nodes',
  'leases.coordination.k8s.io',
  'csinodes.storage.k8s.io',
  'namespaces',
  'serviceaccounts',
  'configmaps',
  'services',
  'endpoints',
  'endpointslices.discovery.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
]);

// A patch is of an object that the load has made, and needs one.
function changesOfNothing(suite: Suite): PlanWarning[] {
  const made = new Set<string>();
  return suite.load.phases.flatMap((phase) => {
    for (const action of phase.actions) {
      if (action.action !== 'create' && action.action !== 'churn') continue;
      for (const object of objectsOfUnit(action.object)) made.add(resourceLabel(object.resource));
      if (podsOfUnit(action.object) > 0) made.add('pods');
    }
    return phase.actions.flatMap((action): PlanWarning[] => {
      if (action.action !== 'update' && action.action !== 'scale') return [];
      const resource = resourceLabel(action.resource);
      if (made.has(resource)) return [];
      return [
        {
          kind: 'figures',
          text: `${action.action} ${resource} in phase ${phase.name}: the suite has created none by then; its arrivals are dropped and the run is invalid`,
        },
      ];
    });
  });
}

// A GET asks for an object that exists; where there is none its arrivals are dropped, and drops void a run.
function getsOfNothing(suite: Suite): PlanWarning[] {
  const made = new Set(ALWAYS_THERE);
  return suite.load.phases.flatMap((phase) => {
    for (const action of phase.actions) {
      if (action.action !== 'create' && action.action !== 'churn') continue;
      for (const object of objectsOfUnit(action.object)) made.add(resourceLabel(object.resource));
      if (podsOfUnit(action.object) > 0) made.add('pods');
    }
    return phase.actions.flatMap((action) =>
      (action.action === 'reads' ? action.mix : [])
        .filter(({ verb, resource }) => verb === 'get' && !made.has(resourceLabel(resource)))
        .map(
          ({ resource }): PlanWarning => ({
            kind: 'figures',
            text: `get ${resourceLabel(resource)} in phase ${phase.name}: the suite has created none by then; unless the cluster has some, its arrivals are dropped and the run is invalid`,
          }),
        ),
    );
  });
}

function weakFigures(suite: Suite, phases: readonly PlannedPhase[]): PlanWarning[] {
  const warnings = [...getsOfNothing(suite), ...changesOfNothing(suite)];
  if (suite.load.identity.groups.includes('system:masters'))
    warnings.push({
      kind: 'figures',
      text: 'the load is in system:masters: Priority & Fairness does not apply to it',
    });
  for (const phase of phases.filter(({ measured }) => measured)) {
    for (const [subject, count] of samplesBySlo(phase)) {
      if (count < SAMPLES_FOR_P99)
        warnings.push({
          kind: 'figures',
          text: `${number(count)} samples of ${subject} in phase ${phase.name}: a p99 of fewer than ${SAMPLES_FOR_P99} is little more than their maximum`,
        });
    }
  }
  return warnings;
}

// One SLO is held against all calls of a (verb, resource, scope), however they were made.
function samplesBySlo(phase: PlannedPhase): Map<string, number> {
  const samples = new Map<string, number>();
  // Probes are no calls of the load: no SLO is held against them.
  const judged = phase.actions.filter(({ action }) => action !== 'probes');
  for (const { verb, resource, scope, count } of judged.flatMap(({ calls }) => calls)) {
    if (verb === 'watch') continue;
    const subject = `${verb} ${resource} (${scope})`;
    samples.set(subject, (samples.get(subject) ?? 0) + count);
  }
  return samples;
}

function number(value: number): string {
  return (Math.round(value * 10) / 10).toLocaleString('en-US');
}
