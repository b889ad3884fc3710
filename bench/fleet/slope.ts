/**
 * What one more idle hollow node costs this process: resident memory and CPU at a small and at a large number of
 * nodes against a real control plane, and the slope between them. Prints the ratios against the goals and against
 * upstream's hollow node, with the raw numbers. Run: `node dist/bench/fleet/slope.js [--small 200] [--large 1000]`.
 *
 * The process holds the fleet only; etcd, kube-apiserver and the rest are processes of their own. Base costs cancel in
 * the slope. Idle means: registered, settled, heartbeats and bookmarks going on.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Fleet } from '../../hollow/index.ts';
import { delay, formatMs, silentLogger, systemClock } from '../../src/core/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { LatencyHistogram } from '../../src/result/index.ts';
import { benchSettings, benchShard, startBenchPlane } from './bench-plane.ts';

const GOAL_RSS_MB = 0.3;
const GOAL_CPU_MS_PER_S = 0.09;
/** Upstream's hollow node, measured once (140 MB and 4.1 ms/s a node). */
const KUBEMARK_RSS_MB = 140;
const KUBEMARK_CPU_MS_PER_S = 4.1;

interface Sample {
  nodeCount: number;
  rssMb: number;
  heapUsedMb: number;
  externalMb: number;
  cpuMsPerS: number;
  leaseLatenessP99Ms: number;
  leaseSlipP99Ms: number;
  leaseCount: number;
  lostCount: number;
}

const { values } = parseArgs({
  options: {
    small: { type: 'string', default: '200' },
    large: { type: 'string', default: '1000' },
    'measure-seconds': { type: 'string', default: '60' },
    'settle-seconds': { type: 'string', default: '25' },
    ramp: { type: 'string', default: '25' },
    connections: { type: 'string', default: 'per-node' },
  },
});
const smallCount = Number(values.small);
const largeCount = Number(values.large);
const signal = new AbortController().signal;
const directory = mkdtempSync(join(tmpdir(), 'hollowmark-slope-'));
const print = (line: string) => process.stdout.write(`${line}\n`);

const plane = await startBenchPlane(directory, 'production-like', signal);
const fleets: Fleet[] = [];
try {
  const small = await grow(0, smallCount);
  const large = await grow(smallCount, largeCount);
  report(small, large);
} finally {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  await plane.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** Adds nodes up to `toCount` and measures when they have settled. */
async function grow(fromCount: number, toCount: number): Promise<Sample> {
  const startUs = systemClock.nowUs();
  const settings = benchSettings({
    nodeCount: toCount - fromCount,
    rampPerSecond: Number(values.ramp),
    connections: values.connections === 'shared' ? 'shared' : 'per-node',
  });
  const fleet = new Fleet(benchShard(`slope-${fromCount}`, settings, plane), {
    clock: systemClock,
    log: silentLogger(),
    recorder: new RunCallRecorder(),
    podInstants: new PodInstantBuffer(),
  });
  fleets.push(fleet);
  await fleet.start(signal);
  await fleet.ready(signal);
  print(`${toCount} nodes ready after ${formatMs((systemClock.nowUs() - startUs) / 1_000)}`);
  await delay(Number(values['settle-seconds']) * 1_000, { signal, clock: systemClock });
  for (const each of fleets) each.drain();
  return await measure(toCount);
}

async function measure(nodeCount: number): Promise<Sample> {
  const seconds = Number(values['measure-seconds']);
  const rss: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startUs = systemClock.nowUs();
  for (let second = 0; second < seconds; second++) {
    await delay(1_000, { signal, clock: systemClock });
    rss.push(process.memoryUsage.rss());
  }
  const cpu = process.cpuUsage(cpuBefore);
  const elapsedS = (systemClock.nowUs() - startUs) / 1e6;
  const windows = fleets.map((fleet) => fleet.drain());
  const lateness = LatencyHistogram.merged(windows.map((w) => LatencyHistogram.fromWire(w.leaseLateness)));
  const slip = LatencyHistogram.merged(windows.map((w) => LatencyHistogram.fromWire(w.leaseSlip)));
  const memory = process.memoryUsage();
  return {
    nodeCount,
    rssMb: (rss.sort((a, b) => a - b)[Math.floor(rss.length / 2)] ?? 0) / 1e6,
    heapUsedMb: memory.heapUsed / 1e6,
    externalMb: memory.external / 1e6,
    cpuMsPerS: (cpu.user + cpu.system) / 1_000 / elapsedS,
    leaseLatenessP99Ms: lateness.percentile(0.99) / 1_000,
    leaseSlipP99Ms: slip.percentile(0.99) / 1_000,
    leaseCount: lateness.count,
    lostCount: windows.reduce((sum, w) => sum + w.stats.lostCount, 0),
  };
}

function report(small: Sample, large: Sample): void {
  const nodes = large.nodeCount - small.nodeCount;
  const rssMb = (large.rssMb - small.rssMb) / nodes;
  const cpuMsPerS = (large.cpuMsPerS - small.cpuMsPerS) / nodes;
  for (const sample of [small, large]) print(JSON.stringify(round(sample)));
  const line = (name: string, value: number, unit: string, goal: number, kubemark: number) =>
    print(
      `${name} per idle node: ${value.toFixed(3)} ${unit}; ${(value / goal).toFixed(2)}x the goal of ${goal}; ` +
        `1/${Math.round(kubemark / value)} of upstream's ${kubemark}`,
    );
  print(`between ${small.nodeCount} and ${large.nodeCount} idle nodes, connections ${values.connections}:`);
  line('resident memory', rssMb, 'MB', GOAL_RSS_MB, KUBEMARK_RSS_MB);
  line('CPU', cpuMsPerS, 'ms/s', GOAL_CPU_MS_PER_S, KUBEMARK_CPU_MS_PER_S);
}

function round(sample: Sample): Record<string, number> {
  return Object.fromEntries(
    Object.entries(sample).map(([key, value]) => [key, Math.round(Number(value) * 100) / 100]),
  );
}
