/**
 * How many full nodes are held: registered, and then kept for the duration with no node lost, no lease missed and
 * leases on time. A run of bench/fleet/hold.yaml through the command line; the figures are read from its result. With
 * several numbers of nodes the largest comes first and the smaller ones only where it does not hold.
 *
 *   node dist/bench/fleet/hold.js [--nodes 1000] [--duration 5m] [--rate 10/s] [--lateness 250ms]
 *   node dist/bench/fleet/hold.js --nodes 4000,3000 --duration 10m --rate 1/s --lateness 1s
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatMs, formatUs, packageRoot, parseDurationMs } from '../../src/core/index.ts';
import { findLimiter, type Gauges, type RunResult, readResult } from '../../src/result/index.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    duration: { type: 'string', default: '5m' },
    /** Pods that come and go in a second. */
    rate: { type: 'string', default: '10/s' },
    /** Goal for the lateness of leases at p99. */
    lateness: { type: 'string', default: '250ms' },
    keep: { type: 'string' },
  },
});
/** Registrations that two shared cores get through in a second, with room: 12 were seen with 1,000 nodes. */
const SLOWEST_RAMP_PER_SECOND = 7;
const SHORTEST_READY_TIMEOUT_S = 300;
const goalUs = (parseDurationMs(values.lateness) ?? 250) * 1_000;
const print = (line: string) => process.stdout.write(`${line}\n`);

// Ctrl-C reaches the run too, which then cleans up; this waits for it.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});
let heldCount = 0;
for (const nodeCount of values.nodes
  .split(',')
  .map(Number)
  .sort((a, b) => b - a)) {
  if (await hold(nodeCount)) {
    heldCount = nodeCount;
    break;
  }
  if (interrupted) break;
}
print(
  heldCount > 0
    ? `${heldCount} full nodes are held for ${values.duration} on ${cpus().length} cores shared with the control plane`
    : `none of ${values.nodes} full nodes are held for ${values.duration} on ${cpus().length} cores shared with the control plane`,
);

/** One run; true if everything held. */
async function hold(nodeCount: number): Promise<boolean> {
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'hollowmark-hold-'));
  const readySeconds = Math.max(SHORTEST_READY_TIMEOUT_S, nodeCount / SLOWEST_RAMP_PER_SECOND);
  const settings = [
    `load.phases[0].duration=${values.duration}`,
    `load.phases[0].actions[0].rate=${values.rate}`,
    `fleet.readyTimeout=${Math.ceil(readySeconds)}s`,
  ];
  try {
    const child = spawn(
      process.execPath,
      [
        join(packageRoot(), 'bin', 'hollowmark.js'),
        'run',
        join(packageRoot(), 'bench', 'fleet', 'hold.yaml'),
        '--nodes',
        String(nodeCount),
        ...settings.flatMap((setting) => ['--set', setting]),
        '--out',
        folder,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await once(child, 'exit');
    const result = await readResult(join(folder, 'latest'));
    return report(nodeCount, result);
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function report(nodeCount: number, result: RunResult): boolean {
  const { fleet, agents, verdicts, timeline } = result;
  const lateness = (
    fleet.leaseLatenessByPhase?.find(({ phase }) => phase === 'hold')?.lateness ?? fleet.leaseLateness
  ).summary;
  const holding = timeline.filter((window) => window.phase === 'hold').map(({ gauges }) => gauges);
  const mean = (of: (gauges: Gauges) => number | undefined) =>
    holding.reduce((sum, gauges) => sum + (of(gauges) ?? 0), 0) / holding.length;
  const most = (of: (gauges: Gauges) => number | undefined) =>
    Math.max(0, ...holding.map((gauges) => of(gauges) ?? 0));
  const fleetAgents = agents.filter(({ role }) => role === 'fleet');
  const phase = result.phases.find(({ name }) => name === 'hold');
  const lines: [string, string, boolean | undefined][] = [
    [
      'run',
      `${result.state}${result.reason === undefined ? '' : `: ${result.reason}`}`,
      result.state === 'completed',
    ],
    ['nodes Ready', `${fleet.readyCount} of ${fleet.nodeCount}`, fleet.readyCount === nodeCount],
    ['nodes lost', String(fleet.lostCount), fleet.lostCount === 0],
    [
      'leases missed',
      `${fleet.leaseMissedCount} of ${fleet.leaseLateness.summary.count}`,
      fleet.leaseMissedCount === 0,
    ],
    [
      'lease lateness',
      `p50 ${formatUs(lateness.p50Us)}, p99 ${formatUs(lateness.p99Us)}, max ${formatUs(lateness.maxUs)}; goal p99 < ${formatUs(goalUs)}`,
      phase !== undefined && lateness.p99Us < goalUs,
    ],
    ['held for', phase === undefined ? 'not at all' : formatMs(phase.endMs - phase.startMs), undefined],
    ['pods started', `${fleet.podsStartedCount}, deleted ${fleet.podsDeletedCount}`, undefined],
    [
      'fleet',
      `${fleetAgents.length} processes, ${(mean(({ fleetCpuCores }) => fleetCpuCores) * 1_000).toFixed(0)} ms/s CPU, ${formatBytes(most(({ fleetRssBytes }) => fleetRssBytes))} RSS at most`,
      undefined,
    ],
    [
      'API server',
      `${(mean(({ apiserverCpuCores }) => apiserverCpuCores) * 1_000).toFixed(0)} ms/s CPU, ${formatBytes(most(({ apiserverRssBytes }) => apiserverRssBytes))} RSS at most`,
      undefined,
    ],
    ['etcd', `${(mean(({ etcdCpuCores }) => etcdCpuCores) * 1_000).toFixed(0)} ms/s CPU`, undefined],
    ['machine', `${(mean(({ hostCpuRatio }) => hostCpuRatio) * 100).toFixed(0)} % busy`, undefined],
    ['limited by', findLimiter(result).text, undefined],
    ['trust', verdicts.trust.state, undefined],
  ];
  print(`${nodeCount} full nodes, ${values.rate} pods:`);
  for (const [name, text, met] of lines)
    print(`${name.padEnd(16)} ${text}${met === undefined ? '' : met ? '  met' : '  MISSED'}`);
  return lines.every(([, , met]) => met !== false);
}
