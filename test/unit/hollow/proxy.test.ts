import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetworkProgramming } from '../../../hollow/proxy/network-programming.ts';
import { RuleTracker } from '../../../hollow/proxy/rule-tracker.ts';
import {
  parseTriggerTime,
  ServiceNetwork,
  TRIGGER_TIME_ANNOTATION,
} from '../../../hollow/proxy/service-network.ts';
import { SyncRunner } from '../../../hollow/proxy/sync-runner.ts';
import { Timers } from '../../../hollow/timers.ts';
import { LatencyHistogram } from '../../../src/result/index.ts';
import { NetworkProgrammingSums } from '../../../src/run/network-programming-sums.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';
import { scriptedFleet } from './scripted-connection.ts';

interface SliceShape {
  name?: string;
  service?: string;
  trigger?: string;
  ready?: boolean[];
  addressType?: string;
}

function sliceFrame(type: string, version: number, shape: SliceShape = {}): Buffer {
  const { name = 'web-1', service = 'web', trigger, ready = [true], addressType = 'IPv4' } = shape;
  return Buffer.from(
    JSON.stringify({
      type,
      object: {
        kind: 'EndpointSlice',
        metadata: {
          name,
          namespace: 'ns',
          resourceVersion: String(version),
          labels: { 'kubernetes.io/service-name': service },
          annotations: trigger === undefined ? {} : { [TRIGGER_TIME_ANNOTATION]: trigger },
        },
        addressType,
        endpoints: ready.map((isReady, i) => ({
          addresses: [`10.0.0.${i}`],
          conditions: { ready: isReady },
        })),
        ports: [{ name: '', port: 80, protocol: 'TCP' }],
      },
    }),
  );
}

function serviceFrame(type: string, version: number, spec: object): Buffer {
  const object = { metadata: { name: 'web', namespace: 'ns', resourceVersion: String(version) }, spec };
  return Buffer.from(JSON.stringify({ type, object }));
}

const SPEC = { type: 'ClusterIP', clusterIP: '10.96.0.9', ports: [{ port: 80 }] };

/** A proxy whose lists are empty and complete, `ms` after the fleet's clock began. */
function syncedProxy(proxySync = { baseUs: 0, perRuleUs: 0 }) {
  const fleet = scriptedFleet(() => ({ status: 200 }));
  const context = { ...fleet.context, settings: { ...fleet.context.settings, proxySync } };
  const tracker = new RuleTracker(context);
  for (const sink of [tracker.slices, tracker.services]) {
    sink.onListBegin();
    sink.onListEnd('10');
  }
  const samples = () =>
    context.programming.drain().flatMap(({ programming, proxyDelay }) => ({
      programming: LatencyHistogram.fromWire(programming),
      proxyDelay: LatencyHistogram.fromWire(proxyDelay),
    }));
  return { clock: fleet.clock, context, tracker, samples };
}

describe('the sync runner', () => {
  function runner(durationUs: number) {
    const clock = virtualClock();
    const startsMs: number[] = [];
    const endsMs: number[] = [];
    const timers = new Timers(clock, (error) => {
      throw error;
    });
    const runs = new SyncRunner(timers, clock, {
      beginSync() {
        startsMs.push(clock.nowUs() / 1_000);
        return durationUs;
      },
      endSync: () => endsMs.push(clock.nowUs() / 1_000),
    });
    return { clock, runs, startsMs, endsMs };
  }

  it('syncs at once when idle, and once for all that is asked for within a second of its end', async () => {
    const { clock, runs, startsMs } = runner(0);
    runs.request();
    await clock.advance(300);
    runs.request();
    runs.request();
    await clock.advance(5_000);
    runs.request();
    expect(startsMs).toEqual([0, 1_000, 5_300]);
  });

  it('counts the second from the end of a sync that takes time', async () => {
    const { clock, runs, startsMs, endsMs } = runner(400_000);
    runs.request();
    await clock.advance(100);
    runs.request();
    await clock.advance(3_000);
    expect(startsMs).toEqual([0, 1_400]);
    expect(endsMs).toEqual([400, 1_800]);
  });

  it('syncs once an hour without being asked, and never after its stop', async () => {
    const { clock, runs, startsMs } = runner(0);
    runs.request();
    await clock.advance(3_600_000 * 2 + 1_000);
    expect(startsMs).toEqual([0, 3_600_000, 7_200_000]);
    runs.stop();
    await clock.advance(3_600_000 * 2);
    expect(startsMs).toHaveLength(3);
  });

  it('keeps the shortest interval whatever it is asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 2_000 }),
        async (gapsMs, durationMs) => {
          const { clock, runs, startsMs, endsMs } = runner(durationMs * 1_000);
          let lastAskedMs = -1;
          for (const gapMs of gapsMs) {
            await clock.advance(gapMs);
            runs.request();
            lastAskedMs = clock.nowUs() / 1_000;
          }
          await clock.advance(10_000);
          for (const [i, startMs] of startsMs.slice(1).entries())
            expect(startMs - (endsMs[i] ?? 0)).toBeGreaterThanOrEqual(1_000);
          // Nothing that was asked for is forgotten.
          expect(startsMs.at(-1) ?? -1).toBeGreaterThanOrEqual(lastAskedMs);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a proxy', () => {
  it('measures from the trigger time to the end of the sync, and from the arrival', async () => {
    const { clock, tracker, samples } = syncedProxy({ baseUs: 250_000, perRuleUs: 0 });
    await clock.advance(10_000);
    tracker.slices.onFrame('ADDED', sliceFrame('ADDED', 11, { trigger: '2026-01-01T00:00:09Z' }), false);
    await clock.advance(1_000);
    const [first] = samples().filter(({ programming }) => programming.count > 0);
    expect([first?.programming.count, first?.programming.maxUs, first?.proxyDelay.maxUs]).toEqual([
      1, 1_250_000, 250_000,
    ]);
  });

  it('takes longer by the number of rules', async () => {
    const { clock, tracker, samples } = syncedProxy({ baseUs: 1_000, perRuleUs: 100 });
    tracker.services.onFrame('ADDED', serviceFrame('ADDED', 11, SPEC), false);
    await clock.advance(10_000);
    const frame = sliceFrame('ADDED', 12, { trigger: '2026-01-01T00:00:10Z', ready: [true, true, false] });
    tracker.slices.onFrame('ADDED', frame, false);
    await clock.advance(2_000);
    // One port of the Service, two endpoints that are ready.
    expect(samples().at(-1)?.proxyDelay.maxUs).toBe(1_000 + 3 * 100);
  });

  it('leaves out changes from before its start, without a time, of IPv6, and of no Service', async () => {
    const { clock, tracker, samples } = syncedProxy();
    await clock.advance(5_000);
    const late = '2026-01-01T00:00:04Z';
    const ignored: SliceShape[] = [
      { trigger: '2025-12-31T23:59:59Z' },
      {},
      { trigger: late, addressType: 'IPv6' },
      { trigger: late, service: '' },
    ];
    for (const [i, shape] of ignored.entries())
      tracker.slices.onFrame('MODIFIED', sliceFrame('MODIFIED', 20 + i, shape), false);
    await clock.advance(3_000);
    expect(samples().every(({ programming }) => programming.count === 0)).toBe(true);
  });

  it('forgets what waits for a Service whose slice is deleted', async () => {
    const { clock, tracker, samples } = syncedProxy();
    await clock.advance(5_000);
    const trigger = '2026-01-01T00:00:04Z';
    const see = (type: 'ADDED' | 'DELETED', version: number, shape: SliceShape) =>
      tracker.slices.onFrame(type, sliceFrame(type, version, shape), false);
    // The first is synced at once, the rest wait for the interval.
    see('ADDED', 20, { trigger });
    see('ADDED', 21, { name: 'web-2', trigger });
    see('ADDED', 22, { name: 'other-1', service: 'other', trigger });
    see('DELETED', 23, { name: 'web-2', trigger });
    await clock.advance(3_000);
    expect(samples().reduce((sum, { programming }) => sum + programming.count, 0)).toBe(2);
  });

  it('does not count again what a new list shows, and counts what changed meanwhile', async () => {
    const { clock, tracker, samples } = syncedProxy();
    await clock.advance(5_000);
    const trigger = '2026-01-01T00:00:04Z';
    tracker.slices.onFrame('ADDED', sliceFrame('ADDED', 20, { trigger }), false);
    tracker.slices.onListBegin();
    tracker.slices.onFrame('ADDED', sliceFrame('ADDED', 20, { trigger }), true);
    tracker.slices.onFrame('ADDED', sliceFrame('ADDED', 25, { name: 'web-2', trigger }), true);
    tracker.slices.onListEnd('30');
    await clock.advance(3_000);
    expect(samples().reduce((sum, { programming }) => sum + programming.count, 0)).toBe(2);
  });

  it('syncs for a Service only when its rules change', async () => {
    const { clock, context, tracker } = syncedProxy();
    const syncs = () => context.programming.drain().reduce((sum, { syncCount }) => sum + syncCount, 0);
    const see = async (version: number, spec: object) => {
      tracker.services.onFrame('MODIFIED', serviceFrame('MODIFIED', version, spec), false);
      await clock.advance(2_000);
      return syncs();
    };
    await clock.advance(2_000);
    expect(syncs()).toBe(1);
    expect(await see(20, SPEC)).toBe(1);
    expect(await see(21, SPEC)).toBe(0);
    expect(await see(22, { ...SPEC, ports: [{ port: 81 }] })).toBe(1);
  });

  it('does nothing before both lists are complete', async () => {
    const { context, clock } = scriptedFleet(() => ({ status: 200 }));
    const tracker = new RuleTracker(context);
    await clock.advance(1_000);
    tracker.slices.onListBegin();
    const frame = sliceFrame('ADDED', 5, { trigger: '2026-01-01T00:00:00.5Z' });
    tracker.slices.onFrame('ADDED', frame, true);
    tracker.slices.onListEnd('6');
    await clock.advance(5_000);
    expect(context.programming.drain()).toEqual([]);
    tracker.services.onListEnd('6');
    expect(context.programming.drain()).toMatchObject([{ syncCount: 1 }]);
  });
});

describe('what proxies share', () => {
  it('is one object for each version, whoever asks', () => {
    const network = new ServiceNetwork();
    const first = network.slice('ADDED', sliceFrame('ADDED', 5), 5);
    expect(network.slice('ADDED', Buffer.from('never read'), 5)).toBe(first);
  });

  it('does not grow with the number of changes', () => {
    const network = new ServiceNetwork();
    for (let version = 1; version <= 20_000; version++)
      network.slice('MODIFIED', sliceFrame('MODIFIED', version), version);
    expect(network.versionCount).toBeLessThanOrEqual(4_097);
  });

  it('counts rules of Services that are proxied and of endpoints that are ready, until they go', () => {
    const network = new ServiceNetwork();
    network.slice('ADDED', sliceFrame('ADDED', 1, { ready: [true, false] }), 1);
    expect(network.ruleCount).toBe(0);
    network.service('ADDED', serviceFrame('ADDED', 2, SPEC), 2);
    expect([network.ruleCount, network.serviceCount]).toEqual([2, 1]);
    network.service('MODIFIED', serviceFrame('MODIFIED', 3, { ...SPEC, type: 'ExternalName' }), 3);
    expect([network.ruleCount, network.serviceCount]).toEqual([0, 0]);
    network.service('MODIFIED', serviceFrame('MODIFIED', 4, SPEC), 4);
    network.slice('DELETED', sliceFrame('DELETED', 5), 5);
    expect(network.ruleCount).toBe(1);
  });

  it('loses what a later list no longer shows, and keeps what is newer than the list', () => {
    const network = new ServiceNetwork();
    network.service('ADDED', serviceFrame('ADDED', 1, SPEC), 1);
    network.slice('ADDED', sliceFrame('ADDED', 2, { name: 'gone' }), 2);
    network.slice('ADDED', sliceFrame('ADDED', 3, { name: 'kept' }), 3);
    network.slice('ADDED', sliceFrame('ADDED', 9, { name: 'newer' }), 9);
    const note = network.noteList('slices');
    expect(network.noteList('slices')).toBeUndefined();
    note?.begin();
    note?.show(3);
    note?.end(8);
    expect(network.ruleCount).toBe(1 + 2);
    expect(network.noteList('slices')).toBeDefined();
  });

  it('reads trigger times to the nanosecond that a number can hold', () => {
    expect(parseTriggerTime('2026-01-01T00:00:00.123456789Z') - Date.UTC(2026, 0, 1)).toBeCloseTo(
      123.456789,
      3,
    );
    expect(parseTriggerTime('2026-01-01T02:00:00+02:00')).toBe(Date.UTC(2026, 0, 1));
    for (const wrong of [undefined, '', 'yesterday', '2026-01-01']) expect(parseTriggerTime(wrong)).toBeNaN();
  });
});

describe('the fleet’s figure', () => {
  it('is that of the raw samples of all agents together, phase by phase', () => {
    const raw: number[] = [];
    const sums = new NetworkProgrammingSums();
    for (let agent = 0; agent < 3; agent++) {
      const programming = new NetworkProgramming('warm-up');
      programming.record(9_000_000, 1);
      programming.setPhase('churn');
      for (let i = 0; i < 500; i++) {
        const us = 1_000 + ((i * 7_919 + agent * 104_729) % 2_000_000);
        raw.push(us);
        programming.record(us, us / 2);
      }
      sums.add(programming.drain());
      expect(programming.drain()).toEqual([]);
    }
    raw.sort((a, b) => a - b);
    const churn = sums.summary().find(({ phase }) => phase === 'churn');
    const p99 = raw[Math.ceil(0.99 * raw.length) - 1] ?? 0;
    expect(churn?.programming.summary).toMatchObject({ count: 1_500, minUs: raw[0], maxUs: raw.at(-1) });
    expect(Math.abs((churn?.programming.summary.p99Us ?? 0) / p99 - 1)).toBeLessThanOrEqual(0.001);
  });
});
