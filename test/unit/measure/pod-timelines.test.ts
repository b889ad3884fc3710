import { describe, expect, it } from 'vitest';
import {
  type PodDetail,
  type PodInstant,
  PodInstantBuffer,
  PodTimelines,
  replayBatch,
} from '../../../src/measure/index.ts';
import type { PodRecord } from '../../../src/result/index.ts';

const EPOCH_US = 5_000_000_000;
const LIMIT_MS = 5_000;

/** Instants in seconds after the start of the run, by instant. */
type Life = Partial<Record<PodInstant, number>>;

function timelines() {
  const records: PodRecord[] = [];
  const pods = new PodTimelines({
    epochUs: EPOCH_US,
    startupLimitMs: LIMIT_MS,
    onFinished: (record) => records.push(record),
  });
  pods.beginPhase('fill', EPOCH_US);
  pods.beginPhase('churn', EPOCH_US + 60e6);
  const live = (name: string, life: Life, details: Partial<Record<PodInstant, PodDetail>> = {}) => {
    for (const [instant, seconds] of Object.entries(life) as [PodInstant, number][]) {
      pods.note(instant, 'ns', name, EPOCH_US + seconds * 1e6, details[instant]);
    }
  };
  return { pods, records, live };
}

const whole: Life = {
  intended: 1,
  sent: 1.001,
  created: 1.01,
  seen: 1.012,
  scheduled: 1.02,
  'kubelet-seen': 1.025,
  'running-sent': 1.5,
  'running-seen': 1.51,
  'delete-sent': 8,
  deleted: 8.01,
  'delete-seen': 8.012,
  terminated: 9,
  gone: 9.1,
};

describe('lives that go on', () => {
  it('can be looked at as they stand, without a change to what is found at the end', () => {
    const { pods, records, live } = timelines();
    const {
      'delete-sent': _sent,
      deleted: _deleted,
      'delete-seen': _seen,
      terminated: _t,
      gone: _gone,
      ...running
    } = whole;
    live('running', running);
    live('pending', { sent: 3, created: 3.01, seen: 3.02 });
    const soFar = (atSeconds: number) => {
      const [startup] = pods.startupsSoFar(EPOCH_US + atSeconds * 1e6);
      return {
        started: startup?.startedCount,
        never: startup?.neverStartedCount,
        young: startup?.censoredCount,
      };
    };
    expect(soFar(4)).toEqual({ started: 1, never: 0, young: 1 });
    expect(soFar(9)).toEqual({ started: 1, never: 1, young: 0 });
    expect(pods.startups()).toEqual([]);
    expect(records).toEqual([]);
    pods.finish(EPOCH_US + 9e6);
    expect(pods.startups()[0]).toMatchObject({ createdCount: 2, startedCount: 1, neverStartedCount: 1 });
    expect(pods.audit()).toMatchObject({ createdCount: 2, missingCount: 0 });
  });
});

describe('lives that go on after others have ended', () => {
  it('are summed up with them, in one entry for each phase and kind', () => {
    const { pods, live } = timelines();
    live('ended', whole);
    live('later', { sent: 61, created: 61.01, seen: 61.02, 'running-seen': 62 }, { seen: { phase: 'fill' } });
    // Long after the first is gone: it has been judged.
    const batch = new PodInstantBuffer();
    batch.note('sent', 'ns', 'tick', EPOCH_US + 62e6);
    const drained = batch.drain();
    if (drained !== undefined) pods.add(drained);
    const soFar = pods.startupsSoFar(EPOCH_US + 63e6).filter(({ phase }) => phase === 'fill');
    expect(soFar).toHaveLength(1);
    expect(soFar[0]).toMatchObject({ createdCount: 2, startedCount: 2 });
    expect(soFar[0]?.phases.pod_startup?.summary.count).toBe(2);
    expect(pods.startups()[0]).toMatchObject({ createdCount: 1, startedCount: 1 });
  });

  it('are handed out once as they stand, when they have been seen Running', () => {
    const { pods, live } = timelines();
    live('ended', whole);
    live('running', { sent: 2, created: 2.01, seen: 2.02, scheduled: 2.03, 'running-seen': 3 });
    live('pending', { sent: 2, created: 2.01, seen: 2.02 });
    expect(pods.takeStarted(EPOCH_US + 10e6).map(({ name, goneMs }) => ({ name, goneMs }))).toEqual([
      { name: 'ended', goneMs: 9_100 },
      { name: 'running', goneMs: undefined },
    ]);
    expect(pods.takeStarted(EPOCH_US + 20e6)).toEqual([]);
    live('pending', { 'running-seen': 21 });
    pods.finish(EPOCH_US + 30e6);
    expect(pods.takeStarted(EPOCH_US + 30e6)).toEqual([]);
  });
});

describe('a whole life', () => {
  it('becomes one record and one sample of each startup phase', () => {
    const { pods, records, live } = timelines();
    live('a', whole, { seen: { kind: 'stateless', uid: 'u1' }, scheduled: { node: 'hollow-7' } });
    pods.finish(EPOCH_US + 60e6);
    expect(records).toEqual([
      {
        namespace: 'ns',
        name: 'a',
        node: 'hollow-7',
        phase: 'fill',
        kind: 'stateless',
        outcome: 'started',
        intendedMs: 1_000,
        sentMs: 1_001,
        createdMs: 1_010,
        scheduledMs: 1_020,
        kubeletSeenMs: 1_025,
        runningSentMs: 1_500,
        runningSeenMs: 1_510,
        deletedMs: 8_000,
        goneMs: 9_100,
      },
    ]);
    const [startup] = pods.startups();
    const maxUs = Object.fromEntries(
      Object.entries(startup?.phases ?? {}).map(([phase, distribution]) => [
        phase,
        distribution.summary.maxUs,
      ]),
    );
    expect(maxUs).toEqual({
      create_to_schedule: 19_000,
      schedule_to_kubelet: 5_000,
      kubelet_to_run: 475_000,
      run_to_watch: 10_000,
      schedule_to_watch: 490_000,
      schedule_to_run: 480_000,
      create_to_run: 499_000,
      pod_startup: 509_000,
    });
    expect(startup).toMatchObject({ phase: 'fill', kind: 'stateless', createdCount: 1, startedCount: 1 });
  });

  it('is without the time of init containers, which the record keeps', () => {
    const { live, pods, records } = timelines();
    live('a', { ...whole, 'init-started': 1.1, initialized: 1.4 });
    pods.finish(EPOCH_US + 60e6);
    expect(records[0]).toMatchObject({ sentMs: 1_001, runningSeenMs: 1_510, initMs: 300 });
    const phases = pods.startups()[0]?.phases;
    expect(phases?.pod_startup?.summary.maxUs).toBe(209_000);
    expect(phases?.schedule_to_watch?.summary.maxUs).toBe(490_000);
  });

  it('is the same in whatever order the three reporters are heard', () => {
    const inOrder = timelines();
    inOrder.live('a', whole);
    inOrder.pods.finish(EPOCH_US + 60e6);
    const shuffled = timelines();
    shuffled.live('a', Object.fromEntries(Object.entries(whole).reverse()));
    shuffled.pods.finish(EPOCH_US + 60e6);
    expect(shuffled.records).toEqual(inOrder.records);
    expect(shuffled.pods.startups()).toEqual(inOrder.pods.startups());
  });

  it('counts the first report of an instant only', () => {
    const { pods, records, live } = timelines();
    live('a', whole);
    live('a', { 'running-seen': 7 });
    pods.finish(EPOCH_US + 60e6);
    expect(records[0]?.runningSeenMs).toBe(1_510);
  });

  it('counts a kubelet that heard before the observer as no time at all', () => {
    const { pods, live } = timelines();
    live('a', { ...whole, 'kubelet-seen': 1.015 });
    pods.finish(EPOCH_US + 60e6);
    expect(pods.startups()[0]?.phases.schedule_to_kubelet?.summary.maxUs).toBe(0);
  });
});

describe('outcomes', () => {
  const rows: { name: string; life: Life; outcome: PodRecord['outcome'] | undefined }[] = [
    {
      name: 'Running, though late',
      life: { sent: 1, created: 1, seen: 1, 'running-seen': 30 },
      outcome: 'started',
    },
    { name: 'never Running to the end', life: { sent: 1, created: 1, seen: 1 }, outcome: 'never-started' },
    {
      name: 'younger than the limit at the end',
      life: { sent: 58, created: 58, seen: 58 },
      outcome: 'censored',
    },
    {
      name: 'deleted younger than the limit',
      life: { sent: 1, created: 1, seen: 1, 'delete-sent': 5.9 },
      outcome: 'censored',
    },
    {
      name: 'deleted at the limit',
      life: { sent: 1, created: 1, seen: 1, 'delete-sent': 6 },
      outcome: 'never-started',
    },
    {
      name: 'deleted young by a controller, gone after its grace period',
      life: { seen: 1, 'delete-seen': 3, gone: 33 },
      outcome: 'censored',
    },
    { name: 'made by a controller', life: { seen: 1, 'running-seen': 2 }, outcome: 'started' },
    {
      name: 'refused by the server',
      life: { intended: 1, sent: 1, 'create-failed': 1.1 },
      outcome: undefined,
    },
    {
      name: 'timed out for the client, and there all the same',
      life: { sent: 1, 'create-failed': 61, seen: 2, 'running-seen': 3 },
      outcome: 'started',
    },
    { name: 'still on its way when the run ended', life: { intended: 59, sent: 59 }, outcome: undefined },
  ];
  it.each(rows)('$name: $outcome', ({ life, outcome }) => {
    const { pods, records, live } = timelines();
    live('a', life);
    pods.finish(EPOCH_US + 60e6);
    expect(records.map((record) => record.outcome)).toEqual(outcome === undefined ? [] : [outcome]);
  });

  it('keeps stateful pods and phases apart', () => {
    const { pods, live } = timelines();
    live('a', whole, { seen: { kind: 'stateful' } });
    live('b', whole, { seen: { kind: 'stateless' }, intended: { phase: 'warm-up' } });
    live('c', { seen: 61, 'running-seen': 62 });
    pods.finish(EPOCH_US + 90e6);
    expect(pods.startups().map(({ kind, phase }) => `${kind} ${phase}`)).toEqual([
      'stateful fill',
      'stateless warm-up',
      'stateless churn',
    ]);
  });

  it('names the slowest 20, those that never started first', () => {
    const { pods, live } = timelines();
    for (let i = 0; i < 40; i++) live(`p${i}`, { sent: 1, created: 1, seen: 1, 'running-seen': 1 + i / 100 });
    live('never', { sent: 1, created: 1, seen: 1 });
    pods.finish(EPOCH_US + 60e6);
    const names = pods.startups()[0]?.slowest.map(({ name }) => name);
    expect(names).toEqual(['never', ...Array.from({ length: 19 }, (_, i) => `p${39 - i}`)]);
  });

  it('counts 5-minute windows by the start of the pod, whole ones only', () => {
    const { pods, live } = timelines();
    live('a', { seen: 10, 'running-seen': 11 });
    live('b', { seen: 20, 'running-seen': 26 });
    live('c', { seen: 30 });
    live('d', { seen: 310, 'running-seen': 311 });
    for (const name of ['a', 'b', 'c', 'd']) pods.note('intended', 'ns', name, EPOCH_US, { phase: 'one' });
    pods.finish(EPOCH_US + 400e6);
    expect(pods.startups()[0]?.windows).toEqual([{ startMs: 0, count: 3, overLimitCount: 2 }]);
  });

  it('gives the difference of the clocks without touching a latency', () => {
    const { pods, live } = timelines();
    for (const [index, serverClockDifferenceMs] of [-900, -100, -500].entries()) {
      live(`p${index}`, whole, { seen: { serverClockDifferenceMs } });
    }
    pods.finish(EPOCH_US + 60e6);
    expect(pods.startups()[0]?.serverClockDifferenceMs).toEqual({
      count: 3,
      minMs: -900,
      medianMs: -500,
      maxMs: -100,
    });
  });
});

describe('names used again', () => {
  it('tells two pods apart by uid', () => {
    const { pods, records, live } = timelines();
    live('db-0', { seen: 1, 'running-seen': 2 }, { seen: { uid: 'u1' } });
    live('db-0', { seen: 5, 'running-seen': 7 }, { seen: { uid: 'u2' } });
    pods.finish(EPOCH_US + 60e6);
    expect(records.map(({ runningSeenMs }) => runningSeenMs)).toEqual([2_000, 7_000]);
  });

  it('tells them apart by what comes after gone, where no uid is known', () => {
    const { pods, records, live } = timelines();
    live('a', { intended: 1, created: 1, seen: 1, 'running-seen': 2, gone: 3 });
    live('a', { intended: 4, created: 4, seen: 4, 'running-seen': 6, gone: 7 });
    pods.finish(EPOCH_US + 60e6);
    expect(records.map(({ runningSeenMs }) => runningSeenMs)).toEqual([2_000, 6_000]);
  });
});

describe('live figures', () => {
  it('count pods as the observer sees them', () => {
    const { pods, live } = timelines();
    live('a', { seen: 1 });
    live('b', { seen: 1, 'running-seen': 2 });
    live('c', { seen: 1, 'running-seen': 2, gone: 3 });
    live('d', { seen: 1, gone: 3 });
    live('unseen', { intended: 1, created: 1 });
    expect(pods.gauges()).toEqual({ podsPending: 1, podsRunning: 1 });
  });

  it('say how many pods of a phase have yet to run', () => {
    const { pods, live } = timelines();
    live('a', { intended: 1, sent: 1, created: 1 });
    live('b', { intended: 1, sent: 1, created: 1, seen: 1, 'running-seen': 2 });
    live('c', { intended: 1, sent: 1, created: 1, seen: 1, 'delete-sent': 2 });
    live('d', { intended: 1, sent: 1, 'create-failed': 1.1 });
    expect(pods.progress('fill')).toEqual({ createdCount: 3, runningCount: 1, notRunningCount: 1 });
    live('a', { seen: 1.2, 'running-seen': 3 });
    expect(pods.progress('fill').notRunningCount).toBe(0);
    expect(pods.progress('churn')).toEqual({ createdCount: 0, runningCount: 0, notRunningCount: 0 });
  });

  it('move a pod to the phase that made it once that is known', () => {
    const { pods, live } = timelines();
    live('a', { seen: 61 });
    expect(pods.progress('churn').notRunningCount).toBe(1);
    live('a', { intended: 59.9 }, { intended: { phase: 'fill' } });
    expect(pods.progress('churn').notRunningCount).toBe(0);
    expect(pods.progress('fill').notRunningCount).toBe(1);
  });

  it('measure scheduling while pods wait, not while the scheduler is idle', () => {
    const { pods, live } = timelines();
    for (let i = 0; i < 100; i++) live(`a${i}`, { seen: 0 });
    for (let i = 0; i < 100; i++) live(`a${i}`, { scheduled: 0.02 * (i + 1) });
    for (let i = 0; i < 10; i++) live(`b${i}`, { seen: 40 });
    for (let i = 0; i < 10; i++) live(`b${i}`, { scheduled: 40 + (i + 1) / 10 });
    live('gone-unbound', { seen: 50, gone: 52 });
    expect(pods.scheduling()).toEqual({
      boundCount: 110,
      meanPerSecond: expect.closeTo(110 / 5, 6),
      maxPerSecond: 10,
    });
  });

  it('know of no scheduling where nothing was bound', () => {
    expect(timelines().pods.scheduling()).toBeUndefined();
  });
});

describe('audit', () => {
  it('misses pods that were created and that the observer never saw', () => {
    const { pods, live } = timelines();
    live('seen', { sent: 1, created: 1, seen: 1, 'running-seen': 2 });
    live('missed', { sent: 1, created: 1, 'running-sent': 2 });
    live('too young to say', { sent: 59, created: 59 });
    pods.finish(EPOCH_US + 60e6);
    expect(pods.audit()).toMatchObject({ createdCount: 3, missingCount: 1 });
  });

  it('adds up what batches lost and how often the watch began anew', () => {
    const { pods } = timelines();
    const buffer = new PodInstantBuffer(2);
    for (let i = 0; i < 5; i++) buffer.note('seen', 'ns', `p${i}`, EPOCH_US);
    buffer.noteGap();
    const batch = buffer.drain();
    if (batch === undefined) throw new Error('nothing to drain');
    pods.add(JSON.parse(JSON.stringify(batch)));
    pods.add({ ...batch, rows: [99, 0, 0, 0, 99, 0], lostCount: 0, gapCount: 0 });
    expect(pods.audit()).toMatchObject({ lostInstantCount: 5, observerGapCount: 1 });
  });
});

describe('memory', () => {
  it('forgets a pod once it is gone and late reports had their time', () => {
    const { pods, records } = timelines();
    const send = (instant: PodInstant, name: string, seconds: number) => {
      const buffer = new PodInstantBuffer();
      buffer.note(instant, 'ns', name, EPOCH_US + seconds * 1e6);
      const batch = buffer.drain();
      if (batch !== undefined) pods.add(batch);
    };
    send('seen', 'a', 1);
    send('gone', 'a', 2);
    send('seen', 'b', 31.9);
    expect(pods.liveCount).toBe(2);
    send('terminated', 'a', 1.9);
    send('seen', 'c', 32.1);
    expect(pods.liveCount).toBe(2);
    expect(records.map(({ name }) => name)).toEqual(['a']);
  });

  it('stays flat over many pods that come and go', () => {
    const { pods, records } = timelines();
    let most = 0;
    for (let i = 0; i < 5_000; i++) {
      const buffer = new PodInstantBuffer();
      for (const instant of ['created', 'seen', 'running-seen', 'gone'] as const) {
        buffer.note(instant, 'ns', `p${i}`, EPOCH_US + i * 100_000);
      }
      const batch = buffer.drain();
      if (batch !== undefined) pods.add(batch);
      most = Math.max(most, pods.liveCount);
    }
    expect(most).toBeLessThanOrEqual(302);
    expect(records.length).toBeGreaterThan(4_600);
  });
});

describe('batches', () => {
  it('carry every instant to the microsecond, with its detail', () => {
    const buffer = new PodInstantBuffer();
    expect(buffer.drain()).toBeUndefined();
    buffer.note('intended', 'ns', 'a', 1e12 + 0.7, { phase: 'churn' });
    buffer.note('seen', 'other', 'a', 1e12 - 500, { uid: 'u', kind: 'stateful' });
    buffer.note('gone', 'ns', 'a', 1e12 + 5e6);
    expect(buffer.depth).toBe(3);
    const batch = buffer.drain();
    if (batch === undefined) throw new Error('nothing to drain');
    const noted: unknown[] = [];
    const { malformedCount } = replayBatch(JSON.parse(JSON.stringify(batch)), {
      note: (...row) => noted.push(row),
    });
    expect(malformedCount).toBe(0);
    expect(noted).toEqual([
      ['intended', 'ns', 'a', 1e12 + 1, { phase: 'churn' }],
      ['seen', 'other', 'a', 1e12 - 500, { uid: 'u', kind: 'stateful' }],
      ['gone', 'ns', 'a', 1e12 + 5e6, undefined],
    ]);
    expect(buffer.depth).toBe(0);
  });
});
