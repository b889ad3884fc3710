/**
 * Whether one fleet process holds 1,000 full nodes for 5 minutes under churn: no node lost, no lease missed, leases on
 * time. A run of bench/fleet/hold.yaml through the command line; the figures are read from its result.
 *
 *   node dist/bench/fleet/hold.js [--nodes 1000] [--duration 5m]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatUs, packageRoot } from '../../src/core/index.ts';
import { readResult } from '../../src/result/index.ts';

const GOAL_LEASE_LATENESS_P99_US = 250_000;

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '1000' }, duration: { type: 'string', default: '5m' } },
});
const folder = mkdtempSync(join(tmpdir(), 'hollowmark-hold-'));
try {
  spawnSync(
    process.execPath,
    [
      join(packageRoot(), 'bin', 'hollowmark.js'),
      'run',
      join(packageRoot(), 'bench', 'fleet', 'hold.yaml'),
      '--nodes',
      values.nodes,
      '--set',
      `load.phases[0].duration=${values.duration}`,
      '--out',
      folder,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const { fleet, agents, verdicts, timeline } = await readResult(join(folder, 'latest'));
  const lateness = (
    fleet.leaseLatenessByPhase?.find(({ phase }) => phase === 'hold')?.lateness ?? fleet.leaseLateness
  ).summary;
  const agent = agents.find((one) => one.role === 'fleet');
  const holding = timeline.filter((window) => window.phase === 'hold');
  const cores = holding.reduce((sum, window) => sum + (window.gauges.fleetCpuCores ?? 0), 0) / holding.length;
  const lines: [string, string, boolean | undefined][] = [
    ['nodes Ready', `${fleet.readyCount} of ${fleet.nodeCount}`, fleet.readyCount === fleet.nodeCount],
    ['nodes lost', String(fleet.lostCount), fleet.lostCount === 0],
    [
      'leases missed',
      `${fleet.leaseMissedCount} of ${fleet.leaseLateness.summary.count}`,
      fleet.leaseMissedCount === 0,
    ],
    [
      'lease lateness',
      `p50 ${formatUs(lateness.p50Us)}, p99 ${formatUs(lateness.p99Us)}, max ${formatUs(lateness.maxUs)}; goal p99 < ${formatUs(GOAL_LEASE_LATENESS_P99_US)}`,
      lateness.p99Us < GOAL_LEASE_LATENESS_P99_US,
    ],
    ['pods started', `${fleet.podsStartedCount}, deleted ${fleet.podsDeletedCount}`, undefined],
    [
      'fleet process',
      `${(cores * 1_000).toFixed(0)} ms/s CPU under churn, ${((agent?.maxRssBytes ?? 0) / 2 ** 20).toFixed(0)} MiB RSS at most`,
      undefined,
    ],
    ['trust', verdicts.trust.state, undefined],
  ];
  for (const [name, text, met] of lines) {
    process.stdout.write(
      `${name.padEnd(16)} ${text}${met === undefined ? '' : met ? '  met' : '  MISSED'}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
