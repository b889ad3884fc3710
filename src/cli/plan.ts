/**
 * `hollowmark plan SUITE`: what a run would do and need, before anything runs.
 */
import type { Command } from 'commander';
import type { LoadedSuite } from '../config/index.ts';
import { formatBytes, formatMs, type Host } from '../core/index.ts';
import { type PlannedCall, type PlannedPhase, planRun, type RunPlan } from '../run/index.ts';
import { addSuiteOptions, loadNamedSuite, type SuiteOptions } from './suite-options.ts';

/** Adds the command to `program`. */
export function registerPlanCommand(program: Command, host: Host): void {
  addSuiteOptions(
    program
      .command('plan')
      .description('Show what a suite will do and need: calls, watches, memory, time. Nothing is started.')
      .argument('<suite>', 'path of a suite, or the name of one that ships')
      .option('--json', 'the plan as JSON'),
  ).action((name: string, options: SuiteOptions & { json?: boolean }) => {
    const loaded = loadNamedSuite(name, options, host);
    const plan = planRun(loaded.suite);
    host.stdout.write(
      options.json === true ? `${JSON.stringify(plan, null, 2)}\n` : formatPlan(plan, loaded),
    );
  });
}

/** The plan as text for people, at most 110 columns wide as far as names allow. */
export function formatPlan(plan: RunPlan, { suite, path }: Pick<LoadedSuite, 'suite' | 'path'>): string {
  const lines = [
    `${suite.name} (${path})${suite.description === '' ? '' : `: ${suite.description}`}`,
    '',
    ...fleetLines(plan),
    '',
    ...plan.phases.flatMap((phase, index) => [...phaseLines(phase, index), '']),
    ...totalLines(plan),
    ...warningLines(plan),
  ];
  return `${lines.join('\n')}\n`;
}

function fleetLines({ fleet, nodeCount }: RunPlan): string[] {
  return [
    `fleet     ${number(nodeCount)} nodes: ${number(fleet.connectionCount)} connections, ${number(fleet.watchCount)} watches, ${number(fleet.leasesPerSecond)}/s lease renewals, ${number(fleet.statusPerSecond)}/s status writes`,
  ];
}

function phaseLines(phase: PlannedPhase, index: number): string[] {
  const start = index === 0 ? '' : `, from ${formatMs(phase.startMs)}`;
  const lines = [
    `phase     ${phase.name}${phase.measured ? '' : ' (warm-up, not judged)'}: ${phase.endsByRule ? 'until p50 is steady, at most' : 'about'} ${formatMs(phase.durationMs)}${start}`,
  ];
  for (const action of phase.actions) {
    lines.push(`  ${action.name.padEnd(10)} ${action.description}`);
    const rows = action.calls.map(callRow);
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const [what, count, rate] of rows)
      lines.push(
        `    ${what.padEnd(Math.max(44, widths[0] ?? 0))} ${count.padStart(Math.max(10, widths[1] ?? 0))} ${rate}`.trimEnd(),
      );
    if (action.watchEventsPerSecond > 0)
      lines.push(`    about ${number(action.watchEventsPerSecond)}/s events to them, all together`);
  }
  lines.push(`  fleet      about ${number(phase.fleetRequestsPerSecond)} requests/s of kubelets beside it`);
  return lines;
}

function callRow(call: PlannedCall): [what: string, count: string, rate: string] {
  const variant = call.variant === '' ? '' : `, ${call.variant}`;
  return [
    `${call.verb} ${call.resource} (${call.scope}${variant})`,
    number(call.count),
    call.perSecond === 0 ? '' : `${number(call.perSecond).padStart(8)}/s`,
  ];
}

function totalLines(plan: RunPlan): string[] {
  const { totals, memory, duration, idleCpuCores } = plan;
  const objects = Object.entries(totals.peakObjects).map(
    ([resource, count]) => `${number(count)} ${resource}`,
  );
  const plane =
    memory.apiserverBytes === 0
      ? ''
      : `, kube-apiserver ${formatBytes(memory.apiserverBytes)}, etcd ${formatBytes(memory.etcdBytes)}, controller manager and scheduler ${formatBytes(memory.controllersBytes)}`;
  return [
    `total     ${number(totals.objectCount)} objects (${number(totals.podCount)} pods), ${number(totals.callCount)} requests, ${number(totals.watcherCount)} watches`,
    `at once   ${objects.length === 0 ? 'no objects' : objects.join(', ')}; about ${number(totals.inFlightTypicalCount)} calls in flight, ${number(totals.inFlightAtLimitCount)} if each took as long as its SLO allows`,
    `memory    about ${formatBytes(memory.totalBytes)} here: fleet ${formatBytes(memory.fleetBytes)}, load ${formatBytes(memory.loadBytes)}${plane}`,
    `idle CPU  about ${percent(idleCpuCores.apiserver)} of a core in kube-apiserver and ${percent(idleCpuCores.fleet)} in the fleet, for the nodes alone`,
    `time      about ${formatMs(duration.totalMs)}: start ${formatMs(duration.startMs)}, registration ${formatMs(duration.registrationMs)}, phases ${formatMs(duration.phasesMs)}, clean-up ${formatMs(duration.cleanUpMs)}`,
  ];
}

function warningLines(plan: RunPlan): string[] {
  if (plan.warnings.length === 0) return ['limits    within every published limit of Kubernetes'];
  return plan.warnings.map(({ kind, text }, index) => {
    const heading = { 'published-limit': 'beyond', bottleneck: 'pace', figures: 'figures' }[kind];
    const repeated = index > 0 && plan.warnings[index - 1]?.kind === kind;
    return `${(repeated ? '' : heading).padEnd(9)} ${text}`;
  });
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function percent(cores: number): string {
  const value = cores * 100;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
