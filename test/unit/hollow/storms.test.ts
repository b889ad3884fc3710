import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseKeeper } from '../../../hollow/kubelet/lease.ts';
import { DisturbedConnection } from '../../../hollow/storms/disturbed-connection.ts';
import type { FleetCommand, StormEnded } from '../../../hollow/storms/fleet-command.ts';
import { NodeCertificate } from '../../../hollow/storms/node-certificate.ts';
import { NodeDisturbance } from '../../../hollow/storms/node-disturbance.ts';
import { selectNodes } from '../../../hollow/storms/select-nodes.ts';
import { Storms } from '../../../hollow/storms/storms.ts';
import { seededRandom, silentLogger } from '../../../src/core/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';
import { pass, ScriptedConnection, scriptedFleet } from './scripted-connection.ts';

const ZONES = ['a', 'b', 'c'];
const fleetOf = (nodeCount: number) => ({
  nodeCount,
  nameOf: (index: number) => `n-${index}`,
  zoneOf: (index: number) => ZONES[index % ZONES.length],
});
const shares = fc.double({ min: 0.001, max: 1, noNaN: true });

describe('the choice of nodes', () => {
  it('takes the share, in order, without repeats, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), shares, fc.nat(), (nodeCount, ratio, seed) => {
        const chosen = selectNodes({ ratio, seed }, fleetOf(nodeCount));
        expect(chosen).toHaveLength(Math.min(nodeCount, Math.max(1, Math.round(nodeCount * ratio))));
        expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
        expect(chosen.every((index) => index >= 0 && index < nodeCount)).toBe(true);
      }),
    );
  });

  it('makes a smaller share a part of a larger one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), shares, shares, fc.nat(), (nodeCount, a, b, seed) => {
        const small = selectNodes({ ratio: Math.min(a, b), seed }, fleetOf(nodeCount));
        const large = new Set(selectNodes({ ratio: Math.max(a, b), seed }, fleetOf(nodeCount)));
        expect(small.every((index) => large.has(index))).toBe(true);
      }),
    );
  });

  it('keeps to a zone and to names', () => {
    const zone = selectNodes({ ratio: 1, zone: 'b', seed: 1 }, fleetOf(10));
    expect(zone).toEqual([1, 4, 7]);
    const named = selectNodes({ ratio: 1, names: ['n-3', 'n-4', 'other'], seed: 1 }, fleetOf(10));
    expect(named).toEqual([3, 4]);
    expect(selectNodes({ ratio: 1, zone: 'nowhere', seed: 1 }, fleetOf(10))).toEqual([]);
    expect(selectNodes({ ratio: 0.1, nodeCount: 7, seed: 1 }, fleetOf(10))).toHaveLength(7);
  });

  it('differs by seed', () => {
    const chosen = [1, 2, 3].map((seed) => selectNodes({ ratio: 0.1, seed }, fleetOf(300)).join());
    expect(new Set(chosen).size).toBe(3);
  });
});

function storms(nodeCount = 4) {
  const clock = virtualClock();
  const disturbances = Array.from({ length: nodeCount }, () => new NodeDisturbance());
  const hits: string[] = [];
  const ended: StormEnded[] = [];
  const state = (index: number) => disturbances[index] ?? new NodeDisturbance();
  const subject = new Storms({
    clock,
    log: silentLogger(),
    fleet: {
      nameOf: (index) => `n-${index}`,
      disturbance: state,
      node: (index) => ({
        certificate: undefined,
        cutConnections: () => hits.push(`cut ${index} at ${clock.nowUs() / 1_000}`),
      }),
      restart: (index) => hits.push(`restart ${index} at ${clock.nowUs() / 1_000}`),
    },
    expiredContext: async () => undefined,
    onEnded: (end) => ended.push(end),
  });
  return { clock, disturbances, ended, hits, state, subject };
}

type Storm = Extract<FleetCommand, { type: 'storm' }>;
const storm = (id: string, disturbance: Storm['disturbance'], durationMs?: number): Storm => ({
  type: 'storm',
  id,
  disturbance,
  selection: { ratio: 1, seed: 1 },
  ...(durationMs === undefined ? {} : { durationMs }),
});

describe('a storm', () => {
  it('says what it did to whom, and takes it back by itself', async () => {
    const { clock, disturbances, ended, subject } = storms();
    const started = await subject.begin(storm('s', { kind: 'silence' }, 5_000), [1, 3]);
    expect(started).toEqual({ id: 's', kind: 'silence', atUs: 0, nodeNames: ['n-1', 'n-3'] });
    expect(disturbances.map(({ silent }) => silent)).toEqual([false, true, false, true]);
    await clock.advance(4_999);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect(ended).toEqual([{ id: 's', atUs: 5_000_000 }]);
    expect(disturbances.some(({ silent, stormCount }) => silent || stormCount > 0)).toBe(false);
    expect(clock.pending()).toBe(0);
  });

  it('adds to others on the same node, and takes back its own only', async () => {
    const { state, subject } = storms();
    await subject.begin(storm('a', { kind: 'silence' }), [0]);
    await subject.begin(storm('b', { kind: 'silence' }), [0]);
    await subject.begin(storm('c', { kind: 'slow', delayMs: 200 }), [0]);
    await subject.begin(storm('d', { kind: 'slow', delayMs: 50 }), [0]);
    subject.heal('a');
    subject.heal('c');
    expect(state(0)).toMatchObject({ silent: true, delayMs: 50, stormCount: 2 });
    subject.heal('b');
    subject.heal('d');
    expect(state(0)).toMatchObject({ silent: false, delayMs: 0, stormCount: 0 });
  });

  it('leaves no trace, whatever storms begin and end in whatever order', async () => {
    const kinds = fc.constantFrom<Storm['disturbance']>(
      { kind: 'silence' },
      { kind: 'slow', delayMs: 100 },
      { kind: 'flap', silentMs: 700, aliveMs: 300 },
      { kind: 'restart', overMs: 900 },
    );
    const step = fc.record({
      disturbance: kinds,
      durationMs: fc.integer({ min: 1, max: 3_000 }),
      afterMs: fc.nat(500),
      nodes: fc.uniqueArray(fc.nat(3), { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { clock, disturbances, ended, subject } = storms();
        for (const [place, { disturbance, durationMs, afterMs, nodes }] of steps.entries()) {
          await clock.advance(afterMs);
          await subject.begin(storm(`s${place}`, disturbance, durationMs), nodes);
        }
        await clock.advance(10_000);
        expect(ended).toHaveLength(steps.length);
        expect(clock.pending()).toBe(0);
        for (const state of disturbances)
          expect(state).toMatchObject({ silenceCount: 0, delayMs: 0, stormCount: 0 });
      }),
      { numRuns: 40 },
    );
  });

  it('hits restarted nodes one after the other, evenly, and is then over', async () => {
    const { clock, ended, hits, subject } = storms();
    await subject.begin(storm('s', { kind: 'restart', overMs: 4_000 }), [0, 1, 2, 3]);
    await clock.advance(10_000);
    expect(hits).toEqual(['restart 0 at 0', 'restart 1 at 1000', 'restart 2 at 2000', 'restart 3 at 3000']);
    expect(ended).toEqual([{ id: 's', atUs: 3_000_000 }]);
  });

  it('makes flapping nodes silent for their time, each at its own phase', async () => {
    const { clock, disturbances, subject } = storms();
    await subject.begin(storm('s', { kind: 'flap', silentMs: 3_000, aliveMs: 1_000 }), [0, 1, 2, 3]);
    const silentMs = [0, 0, 0, 0];
    const patterns = new Set<string>();
    for (let tick = 0; tick < 400; tick++) {
      await clock.advance(100);
      for (const [index, { silent }] of disturbances.entries())
        silentMs[index] = (silentMs[index] ?? 0) + (silent ? 100 : 0);
      patterns.add(disturbances.map(({ silent }) => silent).join());
    }
    // 40 s of periods of 4 s, the first begun late by up to 1 s.
    for (const ms of silentMs) expect(ms / 40_000).toBeCloseTo(0.75, 1);
    expect(patterns.size).toBeGreaterThan(2);
    subject.stop();
    expect(disturbances.some(({ silent }) => silent)).toBe(false);
  });

  it('refuses an id that is in use', async () => {
    const { subject } = storms();
    await subject.begin(storm('s', { kind: 'silence' }), [0]);
    await expect(subject.begin(storm('s', { kind: 'silence' }), [1])).rejects.toMatchObject({
      code: 'HM_USAGE',
    });
  });
});

describe('a silent node', () => {
  it('renews no lease, and renews it within a period of the end, in its old rhythm', async () => {
    const fleet = scriptedFleet((request) => ({ status: request.method === 'GET' ? 200 : 200, body: LEASE }));
    const keeper = new LeaseKeeper(fleet.context, fleet.client, 'n1', seededRandom(1), fleet.abort.signal);
    keeper.start();
    await pass(fleet.clock, 25_000);
    const before = fleet.connection.calls.length;
    expect(before).toBeGreaterThan(2);
    fleet.disturbance.silenceCount = 1;
    await pass(fleet.clock, 60_000);
    expect(fleet.connection.calls).toHaveLength(before);
    fleet.disturbance.silenceCount = 0;
    await pass(fleet.clock, 10_500);
    expect(fleet.connection.calls).toHaveLength(before + 1);
    // What was kept back on purpose is no lateness of the fleet.
    expect(fleet.context.counters.leaseMissedCount).toBe(0);
    expect(fleet.context.counters.leaseSlip.distribution().summary.maxUs).toBeLessThan(1_000_000);
  });
});

const LEASE = {
  metadata: { name: 'n1', uid: 'l', resourceVersion: '1' },
  spec: { holderIdentity: 'n1', renewTime: '2026-01-01T00:00:00.000000Z' },
};

describe('the connection of a slow node', () => {
  function slow(delayMs: number) {
    const clock = virtualClock();
    const inner = Object.assign(new ScriptedConnection(clock, () => ({ status: 200 })), { cut: () => {} });
    const disturbance = new NodeDisturbance();
    disturbance.delayMs = delayMs;
    return { clock, inner, disturbance, connection: new DisturbedConnection(inner, disturbance, clock) };
  }

  it('sends calls and watches late, and at once when it is healed', async () => {
    const { clock, connection, disturbance, inner } = slow(300);
    const reply = connection.request({ method: 'GET', path: '/a' });
    connection.watch('/b', { onFrame: () => {}, onEnd: () => {} });
    await clock.advance(299);
    expect(inner.calls).toEqual([]);
    await clock.advance(1);
    expect(inner.calls).toEqual(['GET /a', 'WATCH /b']);
    expect((await reply).status).toBe(200);
    disturbance.delayMs = 0;
    connection.watch('/c', { onFrame: () => {}, onEnd: () => {} });
    expect(inner.calls).toContain('WATCH /c');
  });

  it('ends a watch that was closed before it was sent, once, and never sends it', async () => {
    const { clock, connection, inner } = slow(300);
    const ends: unknown[] = [];
    const handle = connection.watch('/b', { onFrame: () => {}, onEnd: (error) => ends.push(error) });
    handle.close();
    handle.close();
    await clock.advance(1_000);
    expect(inner.calls).toEqual([]);
    expect(ends).toEqual([expect.objectContaining({ class: 'cancelled' })]);
  });
});

describe('a certificate that expires', () => {
  it('changes what new sessions present, and back', () => {
    const valid = {
      version: 1,
      headers: () => ({}),
      secureContext: () => undefined,
      renewalDue: () => false,
      renew: async () => {},
      rejected: () => {},
    };
    const certificate = new NodeCertificate(valid);
    const expired = { context: 'expired' } as never;
    certificate.expire(expired);
    expect(certificate.secureContext()).toBe(expired);
    expect(certificate.version).toBe(2);
    certificate.restore();
    certificate.restore();
    expect(certificate.secureContext()).toBeUndefined();
    expect(certificate.version).toBe(3);
  });
});
