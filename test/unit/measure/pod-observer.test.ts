import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/index.ts';
import { hasStarted, type ObservedPod, podKind } from '../../../src/measure/index.ts';
import type { ContainerStatus } from '../../../src/measure/pod-state.ts';
import { PodObserver } from '../../../src/measure/pod-tracker.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

type PodRest = Partial<Pick<ObservedPod, 'spec' | 'status'>> & { uid?: string; metadata?: object };

function pod(name: string, { uid = name, metadata = {}, ...rest }: PodRest = {}) {
  return { metadata: { name, namespace: 'ns', uid, ...metadata }, ...rest };
}
const running = {
  spec: { nodeName: 'n1', containers: [{ name: 'c' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'c', state: { running: {} } }] },
};

function observer() {
  const clock = virtualClock(Date.UTC(2026, 0, 1, 0, 0, 0, 400));
  const noted: string[] = [];
  const details: Record<string, unknown> = {};
  let gapCount = 0;
  const observed = new PodObserver({
    clock,
    log: silentLogger(),
    podInstants: {
      note: (instant, namespace, name, atUs, detail) => {
        noted.push(`${atUs / 1_000} ${instant} ${namespace}/${name}`);
        details[`${instant} ${name}`] = detail;
      },
      noteGap: () => {
        gapCount++;
      },
    },
  });
  const send = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: object) =>
    observed.onEvent(type, Buffer.from(JSON.stringify({ type, object })));
  return { clock, observed, noted, details, send, gaps: () => gapCount };
}

describe('observer', () => {
  it('notes when init containers began and when all had ended well, sidecars apart', async () => {
    const { clock, observed, noted, send } = observer();
    observed.onReplace();
    observed.onSynced();
    const spec = {
      nodeName: 'n1',
      containers: [{ name: 'c' }],
      initContainers: [{ name: 'one' }, { name: 'side', restartPolicy: 'Always' }, { name: 'two' }],
    };
    const ran = (name: string, exitCode: number) => ({ name, state: { terminated: { exitCode } } });
    const steps = [
      [],
      [{ name: 'side', state: { running: {} } }],
      [{ name: 'one', state: { running: {} } }],
      [ran('one', 1)],
      [ran('one', 0), { name: 'two', state: { running: {} } }],
      [ran('one', 0), ran('two', 0), { name: 'side', state: { running: {} } }],
    ];
    for (const initContainerStatuses of steps) {
      send('MODIFIED', pod('a', { spec, status: { phase: 'Pending', initContainerStatuses } }));
      await clock.advance(10);
    }
    expect(noted).toEqual(['0 seen ns/a', '0 scheduled ns/a', '20 init-started ns/a', '50 initialized ns/a']);
  });

  it('counts a watch that broke and was resumed as a gap, and not one that the server ended', () => {
    const { observed, gaps } = observer();
    observed.onResume(new Error('reset'));
    observed.onSynced();
    observed.onResume(undefined);
    expect(gaps()).toBe(0);
    observed.onResume(new Error('reset'));
    expect(gaps()).toBe(1);
  });

  it('notes each instant once, when it was told of it', async () => {
    const { clock, observed, noted, details, send } = observer();
    observed.onReplace();
    observed.onSynced();
    const creationTimestamp = '2026-01-01T00:00:00Z';
    send('ADDED', pod('a', { metadata: { creationTimestamp } }));
    await clock.advance(10);
    send('MODIFIED', pod('a', { spec: { nodeName: 'n1', containers: [{ name: 'c' }] } }));
    send('MODIFIED', pod('a', { spec: { nodeName: 'n1', containers: [{ name: 'c' }] } }));
    await clock.advance(10);
    send('MODIFIED', pod('a', running));
    await clock.advance(10);
    send('MODIFIED', pod('a', { ...running, metadata: { deletionTimestamp: 'x' } }));
    await clock.advance(10);
    send('DELETED', pod('a', running));
    send('DELETED', pod('a', running));
    expect(noted).toEqual([
      '0 seen ns/a',
      '10 scheduled ns/a',
      '20 running-seen ns/a',
      '30 delete-seen ns/a',
      '40 gone ns/a',
    ]);
    expect(details['seen a']).toEqual({ uid: 'a', kind: 'stateless', serverClockDifferenceMs: -400 });
    expect(details['scheduled a']).toEqual({ uid: 'a', node: 'n1' });
    expect(observed.podCount).toBe(0);
  });

  it('notes everything at once of a pod that it first hears of when it runs', () => {
    const { observed, noted, send } = observer();
    observed.onSynced();
    send('ADDED', pod('a', running));
    expect(noted).toEqual(['0 seen ns/a', '0 scheduled ns/a', '0 running-seen ns/a']);
  });

  it('leaves out pods that were there before it looked', () => {
    const { observed, noted, send } = observer();
    observed.onReplace();
    send('ADDED', pod('old', running));
    observed.onSynced();
    send('DELETED', pod('old', running));
    expect(noted).toEqual([]);
  });

  it('takes pods that a relist no longer mentions for gone, and counts the gap', () => {
    const { observed, noted, send, gaps } = observer();
    observed.onFailure(new Error('connection refused'));
    observed.onReplace();
    observed.onSynced();
    expect(gaps()).toBe(0);
    send('ADDED', pod('a'));
    send('ADDED', pod('b'));
    observed.onFailure(new Error('410 Expired'));
    observed.onReplace();
    send('ADDED', pod('b', running));
    observed.onSynced();
    expect(noted.slice(2)).toEqual(['0 scheduled ns/b', '0 running-seen ns/b', '0 gone ns/a']);
    expect(gaps()).toBe(1);
  });

  it('tells a pod from its successor of the same name', () => {
    const { observed, noted, send } = observer();
    observed.onSynced();
    send('ADDED', pod('db-0', { uid: 'u1' }));
    send('ADDED', pod('db-0', { uid: 'u2' }));
    expect(noted).toEqual(['0 seen ns/db-0', '0 gone ns/db-0', '0 seen ns/db-0']);
  });

  it('counts an event that it cannot read as a gap', () => {
    const { observed, noted, gaps } = observer();
    observed.onSynced();
    observed.onEvent('ADDED', Buffer.from('{"type":"ADDED","object":{'));
    expect(noted).toEqual([]);
    expect(gaps()).toBe(1);
  });
});

describe('kind of pod', () => {
  it.each([
    { volumes: undefined, kind: 'stateless', why: 'no volumes' },
    { volumes: [{ name: 't', projected: {} }], kind: 'stateless', why: 'the token that every pod gets' },
    {
      volumes: [
        { name: 'a', secret: {} },
        { name: 'b', configMap: {} },
        { name: 'c', downwardAPI: {} },
        { name: 'd', emptyDir: {} },
      ],
      kind: 'stateless',
      why: 'the four sources of the official text',
    },
    { volumes: [{ name: 'a', persistentVolumeClaim: {} }], kind: 'stateful', why: 'a claim' },
    { volumes: [{ name: 'a', hostPath: {} }], kind: 'stateful', why: 'the host' },
    {
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', csi: {} },
      ],
      kind: 'stateful',
      why: 'one that is not of the four',
    },
  ])('is $kind with $why', ({ volumes, kind }) => {
    expect(podKind(pod('a', volumes === undefined ? {} : { spec: { volumes } }))).toBe(kind);
  });
});

describe('started', () => {
  const containers = [{ name: 'a' }, { name: 'b' }];
  const up: ContainerStatus = { state: { running: {} } };
  const rows: { phase: string; containerStatuses: ContainerStatus[]; started: boolean; why: string }[] = [
    { phase: 'Running', containerStatuses: [up, up], started: true, why: 'all run' },
    {
      phase: 'Running',
      containerStatuses: [up, { state: { waiting: {} } }],
      started: false,
      why: 'one waits',
    },
    { phase: 'Running', containerStatuses: [up], started: false, why: 'one is not reported' },
    { phase: 'Pending', containerStatuses: [up, up], started: false, why: 'the pod is Pending' },
    {
      phase: 'Running',
      containerStatuses: [up, { state: { terminated: {} } }],
      started: true,
      why: 'one has ended again',
    },
    {
      phase: 'Running',
      containerStatuses: [up, { state: {}, lastState: { terminated: {} } }],
      started: true,
      why: 'one crashed and waits',
    },
    {
      phase: 'Succeeded',
      containerStatuses: [{ state: { terminated: {} } }, { state: { terminated: {} } }],
      started: true,
      why: 'it has run to its end',
    },
    { phase: 'Failed', containerStatuses: [], started: false, why: 'it was rejected before anything ran' },
  ];
  it.each(rows)('$started when $why', ({ phase, containerStatuses, started }) => {
    expect(hasStarted(pod('a', { spec: { containers }, status: { phase, containerStatuses } }))).toBe(
      started,
    );
  });
});
