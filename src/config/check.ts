/**
 * Combinations that cannot work, each found by looking at more than one value of the resolved suite. What is merely
 * large is the plan's to say.
 */

import { checkFaults } from './check-faults.ts';
import { checkStorm } from './check-storm.ts';
import { nodePodCapacity, podFootprint } from './footprint.ts';
import { quote } from './issues.ts';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import { objectsOfUnit, podsOfUnit } from './resolve-object.ts';
import { LOCAL_ONLY_KEYS } from './schema-control-plane.ts';
import type { LoadAction, Suite } from './suite.ts';

/** Where the pieces of the resolved suite stand in the text. */
export interface CheckContext {
  report: ReportProblem;
  /** Keys of `controlPlane` that were written down, in the file or by `--set`. */
  controlPlaneKeys: readonly string[];
  /** Position in the text of each action by phase: actions with problems of their own are missing in the suite. */
  actionPath(phaseIndex: number, action: LoadAction): Path;
}

/** Reports every impossible combination of `suite`. */
export function checkSuite(suite: Suite, context: CheckContext): void {
  checkControlPlane(suite, context);
  checkFleet(suite, context.report);
  checkNames(suite, context);
  checkLoad(suite, context);
  checkFaults(suite, context.report);
}

function checkControlPlane(suite: Suite, context: CheckContext): void {
  const { apiserverCount, loadBalancer } = suite.controlPlane.topology;
  if (apiserverCount > 1 && loadBalancer === 'none')
    context.report(
      ['controlPlane', 'topology', 'loadBalancer'],
      `expected haproxy in front of ${apiserverCount} API servers, got none`,
    );
  if (suite.controlPlane.provider !== 'kubeconfig') return;
  for (const key of LOCAL_ONLY_KEYS) {
    if (context.controlPlaneKeys.includes(key))
      context.report(['controlPlane', key], 'is for provider: local; an attached cluster is as it is');
  }
}

function checkFleet(suite: Suite, report: ReportProblem): void {
  const { fleet } = suite;
  if (fleet.identity === 'certificate' && fleet.connections === 'shared')
    report(
      ['fleet', 'connections'],
      'shared connections carry many nodes and a client certificate names one: expected per-node, or identity: impersonation',
    );
  if (fleet.fidelity === 'light') checkLight(fleet, report);
  if (fleet.agentCount > Math.max(1, fleet.nodeCount))
    report(
      ['fleet', 'agents'],
      `expected at most one for each node, got ${fleet.agentCount} for ${fleet.nodeCount} nodes`,
    );
  if (fleet.compat === 'kubemark' && fleet.events)
    report(
      ['fleet', 'events'],
      "upstream's hollow node posts no events: expected false with compat: kubemark",
    );
  for (const [index, zone] of fleet.zones.entries())
    if (fleet.zones.indexOf(zone) < index)
      report(['fleet', 'zones', index], `expected a name of its own, got ${quote(zone)} a second time`);
  if (fleet.compat === 'kubemark' && Object.keys(fleet.behaviours).length > 0)
    report(
      ['fleet', 'behaviours'],
      "containers of upstream's hollow node do nothing by themselves: expected none with compat: kubemark",
    );
  checkLabels(fleet.labels, report);
  // The kubelet renews at a quarter of the duration and the API has whole seconds.
  if (fleet.leaseDurationMs < 4_000 || fleet.leaseDurationMs % 1_000 !== 0)
    report(
      ['fleet', 'leaseDuration'],
      `expected whole seconds, at least 4s, got ${fleet.leaseDurationMs} ms`,
    );
}

/** What light nodes do not have cannot be asked of them. */
function checkLight(fleet: Suite['fleet'], report: ReportProblem): void {
  const lacks = (key: string, what: string) =>
    report(['fleet', key], `light nodes ${what} (fidelity: light)`);
  if (fleet.identity === 'certificate')
    lacks('identity', 'speak under one credential: expected impersonation, or no identity');
  if (fleet.connections === 'per-node') lacks('connections', 'share their connections: expected shared');
  if (fleet.compat === 'kubemark') lacks('compat', "are less than upstream's hollow nodes: expected none");
  if (fleet.events) lacks('events', 'post no events: expected false');
  if (fleet.proxy) lacks('proxy', 'have no proxies: expected false');
}

/**
 * Labels in Kubernetes' own domains that NodeRestriction lets a node give itself; any other makes registration fail.
 * Source: pkg/kubelet/apis/well_known_labels.go of Kubernetes 1.36.
 */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
]);
const KUBELET_LABEL_DOMAINS = /(^|\.)(kubelet|node)\.kubernetes\.io$/;
const KUBERNETES_DOMAINS = /(^|\.)(kubernetes|k8s)\.io$/;

function checkLabels(labels: Readonly<Record<string, string>>, report: ReportProblem): void {
  for (const key of Object.keys(labels)) {
    const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
    if (domain === 'hollowmark.dev')
      report(['fleet', 'labels', key], 'labels of hollowmark.dev are given by hollowmark itself');
    else if (
      KUBERNETES_DOMAINS.test(domain) &&
      !KUBELET_LABELS.has(key) &&
      !KUBELET_LABEL_DOMAINS.test(domain)
    )
      report(['fleet', 'labels', key], 'NodeRestriction does not let a node give itself this label');
  }
}

function checkNames(suite: Suite, context: CheckContext): void {
  const phases = new Set<string>();
  for (const [index, phase] of suite.load.phases.entries()) {
    if (phases.has(phase.name))
      context.report(
        ['load', 'phases', index, 'name'],
        `expected a name of its own, got ${quote(phase.name)} a second time`,
      );
    phases.add(phase.name);
    const names = new Set<string>();
    for (const action of phase.actions) {
      if (names.has(action.name))
        context.report(
          [...context.actionPath(index, action), 'name'],
          `expected a name of its own in the phase, got ${quote(action.name)} a second time`,
        );
      names.add(action.name);
    }
  }
}

function checkLoad(suite: Suite, context: CheckContext): void {
  let standingPodCount = 0;
  for (const [index, phase] of suite.load.phases.entries()) {
    const phasePath = ['load', 'phases', index];
    if (
      phase.warmUp === undefined &&
      phase.durationMs === 0 &&
      phase.actions.length > 0 &&
      phase.actions.every(
        (action) =>
          action.action === 'watches' ||
          action.action === 'probes' ||
          (action.action === 'storm' && action.durationMs === undefined),
      )
    )
      context.report(
        [...phasePath, 'duration'],
        'is missing: watches, probes, and storms without `for`, last as long as their phase, and nothing else in it takes time',
      );
    const [, ...moreProbes] = phase.actions.filter((action) => action.action === 'probes');
    for (const action of moreProbes)
      context.report(
        context.actionPath(index, action),
        'expected at most one action of kind probes in a phase',
      );
    for (const action of phase.actions) {
      const path = context.actionPath(index, action);
      if (action.action === 'create') {
        standingPodCount += checkCreate(action, suite, standingPodCount, path, context.report);
      } else if (action.action === 'churn') {
        checkChurn(action, suite, standingPodCount, path, context.report);
      } else if (action.action === 'storm') {
        checkStorm(action, suite, path, context.report);
      }
    }
  }
}

type ActionOf<K extends LoadAction['action']> = Extract<LoadAction, { action: K }>;

function checkCreate(
  action: ActionOf<'create'>,
  suite: Suite,
  standingPodCount: number,
  path: Path,
  report: ReportProblem,
): number {
  const podCount = action.objectCount * podsOfUnit(action.object);
  if (action.waitFor === 'running') {
    const waitFor = [...path, 'waitFor'];
    if (podCount === 0)
      report(
        waitFor,
        `running needs pods, and a ${action.object.kind} stands for none (say how many with object.pods)`,
      );
    else if (suite.fleet.nodeCount === 0) report(waitFor, 'running needs nodes, and fleet.nodes is 0');
  }
  if (suite.fleet.nodeCount > 0 && action.waitFor === 'running')
    checkRoom(action, standingPodCount + podCount, suite, [...path, 'count'], report);
  return podCount;
}

function checkChurn(
  action: ActionOf<'churn'>,
  suite: Suite,
  standingPodCount: number,
  path: Path,
  report: ReportProblem,
): void {
  if (action.lifetimeMs > action.durationMs)
    report(
      [...path, 'lifetime'],
      `expected at most the duration of ${action.durationMs / 1_000}s: nothing would be deleted while objects are created (that is action: create)`,
    );
  const aliveCount =
    Math.ceil((action.ratePerSecond * action.lifetimeMs) / 1_000) * podsOfUnit(action.object);
  if (suite.fleet.nodeCount > 0 && aliveCount > 0)
    checkRoom(action, standingPodCount + aliveCount, suite, [...path, 'lifetime'], report);
}

function checkRoom(
  action: ActionOf<'create'> | ActionOf<'churn'>,
  podCount: number,
  suite: Suite,
  path: Path,
  report: ReportProblem,
): void {
  // Of a unit the object with the most pods stands for all of them.
  const [object = action.object] = [...objectsOfUnit(action.object)].sort((a, b) => b.podCount - a.podCount);
  const { count, limitedBy } = nodePodCapacity(podFootprint(object.manifest), suite.fleet.capacity);
  const room = count * suite.fleet.nodeCount;
  if (podCount > room)
    report(
      path,
      `${podCount} pods at once do not fit on ${suite.fleet.nodeCount} nodes of ${count} each (by ${limitedBy}): expected at most ${room}`,
    );
}
