import { describe, expect, it } from 'vitest';
import {
  addUp,
  type Expectation,
  FAULTS,
  faultOf,
  judgeFault,
  type ObservationInput,
  observe,
  type ProbeCall,
  ProbeLog,
  scheduleOf,
  timingsOf,
  WritePlan,
} from '../../../src/faults/index.ts';

const S = 1e6;
/** Of a suite that sets none of them. */
const UPSTREAM = timingsOf({ controlPlane: { flags: {} }, fleet: { leaseDurationMs: 40_000 } });
const WINDOW = { beforeUs: 0, inducedUs: 10 * S, healedUs: 20 * S, endUs: 30 * S };
const LIMITS = { writeLimitUs: S, readLimitUs: S, quantile: 0.99 };

/** Writes and reads each 50 ms; `outage` says how those sent in a span end. */
function probed(outage?: { fromUs: number; untilUs: number; endsAfterUs: number; ok: boolean }): ProbeLog {
  const log = new ProbeLog();
  const calls: ProbeCall[] = [];
  for (let dueUs = 0; dueUs < WINDOW.endUs; dueUs += 50_000) {
    for (const kind of ['write', 'read'] as const) {
      const hit = outage !== undefined && dueUs >= outage.fromUs && dueUs < outage.untilUs;
      const tookUs = hit ? outage.endsAfterUs : 10_000;
      const ok = !hit || outage.ok;
      calls.push({
        path: 'balanced',
        kind,
        dueUs,
        sentUs: dueUs,
        endUs: dueUs + tookUs,
        ok,
        error: ok ? '' : 'http-500',
      });
    }
  }
  log.add({ calls, watches: [], incidents: [], leases: [], pods: [], nodes: [], deployments: [] });
  return log;
}

function seen(log: ProbeLog, more: Partial<ObservationInput> = {}) {
  return observe({
    log,
    window: WINDOW,
    limits: LIMITS,
    notices: [],
    processes: [],
    findings: [],
    etcdLeaderChangeCount: 0,
    fleet: { before: { reconnectCount: 5, relistCount: 1 }, after: { reconnectCount: 9, relistCount: 1 } },
    unknown: { unknownCount: 0, appliedCount: 0 },
    ...more,
  });
}

describe('observation', () => {
  it('detects nothing where nothing was broken', () => {
    const quiet = seen(probed());
    expect(quiet.firstWrongAnswerMs).toBeUndefined();
    expect(quiet.noticed).toBeUndefined();
    expect(quiet).toMatchObject({ recoveredMs: 0, errors: [], writeAvailabilityRatio: 1 });
    expect(quiet.writeGapMs).toBeLessThan(100);
    const verdict = judgeFault(
      quiet,
      FAULTS.control.expectations({ fault: 'control', with: [], expect: 'met' }, UPSTREAM),
      [],
    );
    expect(verdict.state).toBe('met');
  });

  it('tells a gap of 2 s and its recovery, with errors at the instant at which they were sent', () => {
    // Calls of these two seconds fail, but say so only 7 s later: the outage is none the longer.
    const outage = { fromUs: 10 * S, untilUs: 12 * S, endsAfterUs: 7 * S, ok: false };
    const broken = seen(probed(outage));
    expect(broken.firstWrongAnswerMs).toBe(0);
    expect(broken.writeGapMs).toBeGreaterThanOrEqual(2_000);
    expect(broken.writeGapMs).toBeLessThan(2_200);
    expect(broken.recoveredMs).toBe(2_000);
    expect(broken.recoveredAfterHealMs).toBe(0);
    expect(broken.errors[0]).toMatchObject({
      error: 'http-500',
      count: 40,
      firstSentMs: 0,
      lastSentMs: 1_950,
    });
  });

  it('counts late answers against the SLO though they are no errors', () => {
    const late = seen(probed({ fromUs: 10 * S, untilUs: 15 * S, endsAfterUs: 3 * S, ok: true }));
    expect(late.errors).toEqual([]);
    expect(late.recoveredMs).toBe(5_000);
    expect(late.writeAvailabilityRatio).toBeCloseTo(0.75);
  });

  it('says that it saw no recovery when calls fail to the end of the window', () => {
    const dead = seen(probed({ fromUs: 10 * S, untilUs: 30 * S, endsAfterUs: 10_000, ok: false }));
    expect(dead.recoveredMs).toBeUndefined();
    expect(dead.writeGapMs).toBeGreaterThanOrEqual(20_000);
  });

  it('forgives one bad call and not two within five seconds', () => {
    const one = seen(probed({ fromUs: 12 * S, untilUs: 12 * S + 1, endsAfterUs: 10_000, ok: false }));
    expect(one.recoveredMs).toBe(0);
    const two = seen(probed({ fromUs: 12 * S, untilUs: 12 * S + 60_000, endsAfterUs: 10_000, ok: false }));
    expect(two.recoveredMs).toBe(2_100);
  });

  it('orders what the system noticed and leaves out what lies outside of the window', () => {
    const noticed = seen(probed(), {
      notices: [
        { atUs: 13 * S, by: 'second' },
        { atUs: 9 * S, by: 'before the fault' },
        { atUs: 11 * S, by: 'first' },
      ],
    });
    expect(noticed.notices).toEqual([
      { afterMs: 1_000, by: 'first' },
      { afterMs: 3_000, by: 'second' },
    ]);
    expect(noticed.fleetReconnectCount).toBe(4);
  });

  it('sees a lease that passed on, and Deployments that waited for it', () => {
    const log = probed();
    const lease = { lease: 'kube-scheduler', acquiredWallMs: 0, renewedWallMs: 0, durationMs: 15_000 };
    const common = { transitionCount: 0, released: false };
    log.add({
      calls: [],
      watches: [],
      incidents: [],
      leases: [
        { ...lease, ...common, atUs: 9 * S, holder: 'a_1' },
        { ...lease, ...common, atUs: 26 * S, holder: 'b_2' },
      ],
      pods: [],
      nodes: [],
      deployments: [
        { name: 'canary-1', dueUs: 11 * S, createdUs: 11 * S, podSeenUs: 11.2 * S, boundUs: 27 * S },
        { name: 'canary-2', dueUs: 29 * S, createdUs: 29 * S },
      ],
    });
    const led = seen(log);
    expect(led.leaderChanges.scheduler).toBe(1);
    expect(led.noticed).toEqual({ afterMs: 16_000, by: 'the lease kube-scheduler passed to b' });
    expect(led).toMatchObject({ podMadeMs: 200, podBoundMs: 16_000, deploymentsStuckCount: 0 });
  });
});

describe('the verdict on a fault', () => {
  const bound: Expectation = { figure: 'writeGapMs', atMost: 1_000, because: 'a test' };

  it('is not met when a bound is missed, and says which', () => {
    const outage = { fromUs: 10 * S, untilUs: 12 * S, endsAfterUs: 10_000, ok: false };
    const verdict = judgeFault(seen(probed(outage)), [bound], []);
    expect(verdict.state).toBe('not-met');
    expect(verdict.text).toContain('longest time without a good write');
  });

  it('is not met when a change that had to come did not', () => {
    const change: Expectation = { figure: 'etcdLeaderChanges', atLeast: 1, because: 'the leader was killed' };
    expect(judgeFault(seen(probed()), [change], []).state).toBe('not-met');
  });

  it('is not met when an invariant is violated, whatever the figures', () => {
    const violated = {
      name: 'acknowledged-writes' as const,
      state: 'violated' as const,
      examinedCount: 1,
      violationCount: 1,
      violations: ['gone'],
      text: 'gone',
    };
    expect(judgeFault(seen(probed()), [bound], [violated]).state).toBe('not-met');
  });

  it('has no data without a probe call', () => {
    expect(judgeFault(seen(new ProbeLog()), [bound], []).state).toBe('no-data');
  });
});

describe('the library', () => {
  it.each(Object.entries(FAULTS))('%s has its four parts and bounds with their reasons', (name, fault) => {
    expect(fault.name).toBe(name);
    for (const part of [fault.fails, fault.induced, fault.expected, fault.observed])
      expect(part).not.toBe('');
    const expectations = fault.expectations({ fault: fault.name, with: [], expect: 'met' }, UPSTREAM);
    expect(expectations.length).toBeGreaterThan(0);
    for (const { because } of expectations) expect(because).not.toBe('');
  });

  it('adds upper bounds up when faults come together, and keeps the lesser lower one', () => {
    const sum = addUp([
      { figure: 'writeGapMs', atMost: 1_000, because: 'a' },
      { figure: 'writeGapMs', atMost: 2_000, because: 'b' },
      { figure: 'etcdLeaderChanges', atLeast: 1, because: 'c' },
    ]);
    expect(sum).toEqual([
      { figure: 'writeGapMs', atMost: 3_000, because: 'a; and b' },
      { figure: 'etcdLeaderChanges', atLeast: 1, because: 'c' },
    ]);
    const both = faultOf({ fault: 'etcd-leader-kill', with: ['controller-manager-kill'], expect: 'met' });
    expect(both.durationMs).toBe(FAULTS['controller-manager-kill'].durationMs);
  });
});

describe('the schedule', () => {
  const probes = { balancedPerSecond: 20, memberPerSecond: 4, deploymentsPerSecond: 0.3, timeoutMs: 10_000 };
  const names = ['control', 'apiserver-kill', 'etcd-leader-kill', 'nodes-drain', 'partition'] as const;
  const settings = {
    probes,
    phase: 'faults',
    pauseMs: 5_000,
    schedule: names.map((fault) => ({ fault, with: [], expect: 'met' as const })),
  };

  it('keeps its order in sequence, and shuffles by seed alike each time', () => {
    const order = (mode: 'sequence' | 'random', seed: number) =>
      scheduleOf({ ...settings, order: mode }, seed).map((one) => one.settings.fault);
    expect(order('sequence', 1)).toEqual(names);
    expect(order('random', 1)).toEqual(order('random', 1));
    expect([...order('random', 1)].sort()).toEqual([...names].sort());
    expect([1, 2, 3, 4].some((seed) => order('random', seed).join() !== order('random', 0).join())).toBe(
      true,
    );
  });
});

describe('the writes of a canary', () => {
  it('never touch an object whose last write is open or of unknown outcome', () => {
    const plan = new WritePlan('b');
    const open = new Set<string>();
    const frozen = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      const write = plan.next();
      expect(open.has(write.object) || frozen.has(write.object)).toBe(false);
      const name = write.name === '' ? `probe-made-up-${i}` : write.name;
      // Every seventh stays open, every fifth ends unknown.
      if (i % 7 === 0) open.add(write.object);
      else if (i % 5 === 0) {
        frozen.add(write.object);
        plan.ended({ ...write, name, outcome: 'unknown' });
      } else plan.ended({ ...write, name, outcome: 'acknowledged' });
    }
  });
});
