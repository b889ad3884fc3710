/**
 * Faults that the suite's cluster cannot have: each is refused at its place with what is missing. An entry that says
 * `expect: not-met` may lack redundancy, because that is then the point of it; what the fault cannot do without
 * (processes to kill, links to cut) it must have all the same.
 */
import { checkFaultTimes } from './check-fault-times.ts';
import { FAULT_KINDS, type FaultName, type FaultNeed } from './fault-kinds.ts';
import type { FaultSettings } from './faults.ts';
import { quote } from './issues.ts';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import type { Suite } from './suite.ts';
import { ZONE_LAYOUTS } from './topology.ts';

interface NeedCheck {
  isMet: (suite: Suite, entry: FaultSettings) => boolean;
  /** Completes "… needs". */
  text: string;
  /** True where going without is itself a test. */
  redundancy?: true;
}

const NEEDS: Readonly<Record<FaultNeed, NeedCheck>> = {
  'local-plane': {
    isMet: ({ controlPlane }) => controlPlane.provider === 'local',
    text: 'a control plane that hollowmark starts (provider: local); on an attached cluster use `fault: command`',
  },
  supervisor: {
    isMet: ({ controlPlane }) => controlPlane.provider !== 'local' || controlPlane.topology.supervised,
    text: 'members that are started again (topology.supervised: true, or topology: ha)',
  },
  'several-apiservers': {
    isMet: ({ controlPlane }) => controlPlane.topology.apiserverCount > 1,
    text: 'two API servers or more (topology.apiservers)',
    redundancy: true,
  },
  'load-balancer': {
    isMet: ({ controlPlane }) => controlPlane.topology.loadBalancer !== 'none',
    text: 'a load balancer (topology.loadBalancer: haproxy)',
  },
  // Two are enough to lose one: that they are no safer than one is warned about, and for the fault to show.
  'several-etcd-members': {
    isMet: ({ controlPlane }) => controlPlane.topology.etcdCount > 1,
    text: 'two etcd members or more (topology.etcd), or expect: not-met',
    redundancy: true,
  },
  links: {
    isMet: ({ controlPlane }) => controlPlane.topology.links === 'proxied',
    text: 'links that can be cut (topology.links: proxied)',
  },
  'several-controller-managers': {
    isMet: ({ controlPlane }) => controlPlane.topology.controllerManagerCount > 1,
    text: 'two controller managers (topology.controllerManagers), or expect: not-met',
    redundancy: true,
  },
  'several-schedulers': {
    isMet: ({ controlPlane }) => controlPlane.topology.schedulerCount > 1,
    text: 'two schedulers (topology.schedulers), or expect: not-met',
    redundancy: true,
  },
  fsync: {
    isMet: ({ controlPlane }) => controlPlane.profile !== 'fast',
    text: 'a disk that etcd waits for (profile: production-like); with `fast` it does not',
  },
  'several-zones': {
    isMet: ({ controlPlane }) => new Set(ZONE_LAYOUTS[controlPlane.topology.layout]).size > 1,
    text: 'several zones (topology.layout)',
  },
  nodes: { isMet: ({ fleet }) => fleet.nodeCount > 0, text: 'nodes (fleet.nodes)' },
  'node-certificates': {
    isMet: ({ fleet }) => fleet.identity === 'certificate',
    text: 'nodes with certificates of their own (fleet.identity: certificate)',
  },
  commands: {
    isMet: (_suite, { induce, heal }) => induce !== undefined && heal !== undefined,
    text: 'both commands, `induce` and `heal`',
  },
};

/** Reports every fault that cannot be had, and every setting of the schedule that contradicts another. */
export function checkFaults(suite: Suite, report: ReportProblem): void {
  const { faults } = suite;
  if (faults === undefined) return;
  if (!suite.load.phases.some(({ name }) => name === faults.phase))
    report(['faults', 'phase'], `expected the name of a phase, got ${quote(faults.phase)}`);
  for (const [index, entry] of faults.schedule.entries())
    checkEntry(suite, faults.order, entry, ['faults', 'schedule', index], report);
  checkFaultTimes(suite, report);
}

function checkEntry(
  suite: Suite,
  order: string,
  entry: FaultSettings,
  path: Path,
  report: ReportProblem,
): void {
  for (const name of [entry.fault, ...entry.with])
    for (const text of missing(suite, name, entry)) report([...path, 'fault'], `${name} needs ${text}`);
  if (order === 'times' && entry.atMs === undefined)
    report([...path, 'at'], 'is missing: with order: times each fault names its instant');
  if (order !== 'times' && entry.atMs !== undefined)
    report([...path, 'at'], `is for order: times, got order: ${order}`);
  if (entry.fault !== 'command' && (entry.induce !== undefined || entry.heal !== undefined))
    report([...path, entry.induce === undefined ? 'heal' : 'induce'], 'is for fault: command');
  if (entry.fault === 'upgrade' && entry.version === suite.controlPlane.version)
    report([...path, 'version'], 'expected another version than that of the control plane');
  if (entry.fault === 'upgrade' && entry.version === undefined)
    report([...path, 'version'], 'is missing: expected the version to upgrade to, such as v1.36.3');
}

function missing(suite: Suite, name: FaultName, entry: FaultSettings): string[] {
  const needs: readonly FaultNeed[] = FAULT_KINDS[name].needs;
  // Of a cluster that hollowmark did not start nothing more is known.
  if (suite.controlPlane.provider !== 'local' && needs.includes('local-plane'))
    return [NEEDS['local-plane'].text];
  return needs
    .map((need) => NEEDS[need])
    .filter(({ isMet, redundancy }) => !isMet(suite, entry) && !(redundancy && entry.expect === 'not-met'))
    .map(({ text }) => text);
}
