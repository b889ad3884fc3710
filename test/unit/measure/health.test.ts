import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import {
  AgentHealthLedger,
  HostMonitor,
  ProcessHealth,
  ProcessUsageMeter,
} from '../../../src/measure/index.ts';
import { recordLag } from '../../../src/measure/self-health.ts';
import { LatencyHistogram } from '../../../src/result/index.ts';
import { histogramOf } from '../../helpers/results.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hollowmark-health-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function busy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

describe('process health', () => {
  it('shows a blocked event loop in lag, utilisation and CPU, and an idle one without the resolution', async () => {
    const health = new ProcessHealth(systemClock);
    health.start();
    health.start();
    await sleep(300);
    const idle = health.drain();
    await sleep(50);
    busy(200);
    await sleep(50);
    const blocked = health.drain();
    health.stop();
    health.stop();
    // Other work shares the machine: half of the idle samples must be near zero, not near 10 ms.
    expect(LatencyHistogram.fromWire(idle.loopLag).percentile(0.5)).toBeLessThan(5_000);
    const lag = LatencyHistogram.fromWire(blocked.loopLag);
    expect(lag.maxUs).toBeGreaterThan(150_000);
    expect(lag.percentile(0.5)).toBeGreaterThan(20_000);
    expect(blocked.loopUtilizationRatio).toBeGreaterThan(0.3);
    expect(blocked.cpuMs).toBeGreaterThan(50);
    expect(blocked.durationMs).toBeGreaterThanOrEqual(295);
    expect(blocked.rssBytes).toBeGreaterThan(10e6);
  });

  it('counts garbage collections', async () => {
    const health = new ProcessHealth(systemClock);
    health.start();
    for (let round = 0; round < 60; round++) {
      JSON.parse(JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ i, text: `${round}-${i}` }))));
    }
    await sleep(20);
    const window = health.drain();
    health.stop();
    expect(window.gcCount).toBeGreaterThan(0);
    expect(window.gcMs).toBeGreaterThan(0);
    expect(window.maxGcPauseMs).toBeLessThanOrEqual(window.gcMs);
  });

  it('puts back the probes that a block swallowed', () => {
    const lag = new LatencyHistogram();
    recordLag(lag, 95_000);
    // Probes were due 85, 75, … 5 ms before the block ended.
    expect(lag.count).toBe(10);
    expect(lag.minUs).toBe(5_000);
    recordLag(lag, -300);
    expect(lag.minUs).toBe(0);
  });
});

describe('agent health', () => {
  it('adds up an agent over its windows', () => {
    const ledger = new AgentHealthLedger();
    const window = {
      durationMs: 10_000,
      loopLag: histogramOf({ us: 1_000, count: 10 }).toWire(),
      loopUtilizationRatio: 0.5,
      gcMs: 100,
      gcCount: 3,
      maxGcPauseMs: 40,
      cpuMs: 2_000,
      rssBytes: 100,
      heapUsedBytes: 50,
    };
    ledger.add('load-0', window);
    ledger.add('load-0', { ...window, cpuMs: 9_000, rssBytes: 300, maxGcPauseMs: 10 });
    // The last window is short; its CPU says nothing.
    ledger.add('load-0', { ...window, durationMs: 5, cpuMs: 50 });
    ledger.noteInFlight('load-0', 7);
    ledger.noteInFlight('load-0', 3);
    const facts = { id: 'load-0', role: 'load', pid: 9, state: 'completed', maxReportGapMs: 1_200 } as const;
    expect(ledger.health(facts)).toMatchObject({
      ...facts,
      gcRatio: 300 / 20_005,
      maxGcPauseMs: 40,
      meanCpuRatio: 11_050 / 20_005,
      maxCpuRatio: 0.9,
      maxRssBytes: 300,
      maxInFlightCount: 7,
      loopLag: { summary: { count: 30 } },
    });
  });

  it('has zeros and the reason for an agent that never reported', () => {
    const health = new AgentHealthLedger().health({
      id: 'fleet-3',
      role: 'fleet',
      pid: 0,
      state: 'lost',
      reason: 'never registered',
      maxReportGapMs: 0,
    });
    expect(health).toMatchObject({ state: 'lost', reason: 'never registered', gcRatio: 0, meanCpuRatio: 0 });
  });
});

describe('host health', () => {
  const stat = (line: string) => writeFileSync(join(root, 'stat'), `${line}\ncpu0 0\n`);

  it('gives busy and stolen shares and throttling between first and last sample', () => {
    const cgroupFolder = join(root, 'cgroup');
    mkdirSync(cgroupFolder);
    const throttled = (count: number) =>
      writeFileSync(join(cgroupFolder, 'cpu.stat'), `usage_usec 1\nnr_periods 9\nnr_throttled ${count}\n`);
    const monitor = new HostMonitor({ procRoot: root, cgroupFolder });
    // user nice system idle iowait irq softirq steal guest guest_nice
    stat('cpu  100 0 50 800 10 0 0 40 30 0');
    throttled(5);
    expect(monitor.sample()).toBeUndefined();
    stat('cpu  150 0 60 820 10 5 5 50 80 0');
    expect(monitor.sample()).toBeCloseTo(70 / 100);
    stat('cpu  150 0 60 920 10 5 5 50 80 0');
    throttled(7);
    expect(monitor.sample()).toBe(0);
    expect(monitor.summary()).toMatchObject({
      meanCpuRatio: 70 / 200,
      maxCpuRatio: 0.7,
      stealRatio: 10 / 200,
      throttledCount: 2,
    });
  });

  it('says that it does not know where the host does not tell', () => {
    const monitor = new HostMonitor({ procRoot: join(root, 'absent'), cgroupFolder: join(root, 'absent') });
    expect(monitor.sample()).toBeUndefined();
    expect(monitor.summary().stealRatio).toBeNaN();
  });
});

describe('process usage', () => {
  const process = (pid: number, ticks: number, rssKib: number) => {
    mkdirSync(join(root, String(pid)), { recursive: true });
    const fields = Array.from({ length: 40 }, (_, i) => (i === 11 ? ticks : i === 12 ? ticks : 0));
    writeFileSync(join(root, String(pid), 'stat'), `${pid} (a (strange) name) ${fields.join(' ')}\n`);
    writeFileSync(join(root, String(pid), 'status'), `Name:\tx\nVmRSS:\t  ${rssKib} kB\n`);
  };

  it('sums CPU and memory of the processes it follows', async () => {
    const clock = virtualClock();
    const meter = new ProcessUsageMeter(clock, { procRoot: root });
    process(1, 100, 1_000);
    process(2, 0, 24);
    meter.follow([1, 2, 3]);
    expect(meter.sample()).toEqual({ rssBytes: 1_048_576 });
    await clock.advance(2_000);
    process(1, 150, 1_000);
    process(2, 50, 24);
    expect(meter.sample()).toEqual({ rssBytes: 1_048_576, cpuCores: 1 });
  });

  it('knows nothing of processes that are gone', () => {
    const meter = new ProcessUsageMeter(virtualClock(), { procRoot: root });
    meter.follow([77]);
    expect(meter.sample()).toBeUndefined();
  });

  it.skipIf(globalThis.process.platform !== 'linux')('reads this very process', () => {
    const meter = new ProcessUsageMeter(systemClock);
    meter.follow([globalThis.process.pid]);
    meter.sample();
    busy(100);
    const usage = meter.sample();
    expect(usage?.rssBytes).toBeGreaterThan(10e6);
    expect(usage?.cpuCores).toBeGreaterThan(0.1);
  });
});
