import { describe, expect, it } from 'vitest';
import {
  checkBindings,
  checkConvergence,
  checkLeaders,
  checkPodDeletions,
  checkWatches,
  type LeaseSample,
  type PodSighting,
  type WatchStretch,
} from '../../../src/faults/index.ts';
import { write } from './fixtures.ts';

const WRITES = [11, 12, 13, 14].map((version) =>
  write({ operation: 'create', nonce: `n${version}`, resourceVersion: String(version) }),
);

function stretch(partial: Partial<WatchStretch>): WatchStretch {
  return { watch: 'kube-apiserver-0', listedVersion: 10, versions: [], highWaterVersion: 0, ...partial };
}

describe('watches', () => {
  it('hold when every acknowledged write shows once and in order, other events between them', () => {
    const check = checkWatches([stretch({ versions: [11, 12, 13, 14, 15] })], WRITES, true);
    expect(check).toMatchObject({ state: 'held', examinedCount: 5 });
  });

  it.each([
    ['an event was swallowed', [11, 13, 14], 'did not show acknowledged version 12'],
    ['an event shows twice after resuming', [11, 12, 12, 13, 14], 'showed version 12 twice'],
    ['events are out of order', [11, 13, 12, 14], 'went back from version 13 to 12'],
  ])('are found out when %s', (_why, versions, text) => {
    const check = checkWatches([stretch({ versions })], WRITES, true);
    expect(check.state).toBe('violated');
    expect(check.violations.join()).toContain(text);
  });

  it('are not blamed for what lies between a cut with 410 and the list after it', () => {
    const first = stretch({ versions: [11], highWaterVersion: 11 });
    const second = stretch({ listedVersion: 13, versions: [14], highWaterVersion: 14 });
    expect(checkWatches([first, second], WRITES, true).state).toBe('held');
  });

  it('may lag while the fault lasts and must have caught up when all is settled', () => {
    const lagging = [stretch({ versions: [11, 12], highWaterVersion: 12 })];
    expect(checkWatches(lagging, WRITES, false).state).toBe('held');
    expect(checkWatches(lagging, WRITES, true).violations[0]).toContain('stands at 12');
  });
});

describe('leaders', () => {
  const lease = (partial: Partial<LeaseSample>): LeaseSample => ({
    atUs: 0,
    lease: 'kube-scheduler',
    holder: 'a',
    acquiredWallMs: 0,
    renewedWallMs: 100_000,
    durationMs: 15_000,
    transitionCount: 1,
    released: false,
    ...partial,
  });

  it('hold when a lease passes on after it ran out, or was released', () => {
    const after = lease({ holder: 'b', acquiredWallMs: 116_000, renewedWallMs: 116_000 });
    expect(checkLeaders([lease({}), after], []).state).toBe('held');
    const atOnce = lease({ holder: 'b', acquiredWallMs: 101_000, renewedWallMs: 101_000 });
    expect(checkLeaders([lease({ released: true }), atOnce], []).state).toBe('held');
  });

  it('are found out when a lease is taken before it ran out', () => {
    const early = lease({ holder: 'b', acquiredWallMs: 105_000, renewedWallMs: 105_000 });
    expect(checkLeaders([lease({}), early], []).violations[0]).toContain('b took the lease 10000 ms before');
  });

  it('are found out when two replicas say that they lead', () => {
    const masters = [
      { atUs: 0, component: 'kube-scheduler', acting: ['kube-scheduler-0', 'kube-scheduler-1'] },
    ];
    expect(checkLeaders([], masters).state).toBe('violated');
  });
});

describe('pods', () => {
  const sighting = (partial: Partial<PodSighting>): PodSighting => ({
    atUs: 0,
    uid: 'u1',
    name: 'web-1',
    namespace: 'n',
    version: 1,
    node: 'node-a',
    running: false,
    gone: false,
    disruption: '',
    ...partial,
  });

  it('keep their node', () => {
    expect(checkBindings([sighting({ node: '' }), sighting({}), sighting({ running: true })]).state).toBe(
      'held',
    );
  });

  it('are found out when bound twice', () => {
    expect(checkBindings([sighting({}), sighting({ node: 'node-b' })]).violations[0]).toContain(
      'bound to node-a and then to node-b',
    );
  });

  it('are found out when they come back after their deletion', () => {
    const gone = sighting({ gone: true, version: 5 });
    expect(checkPodDeletions([sighting({}), gone]).state).toBe('held');
    expect(checkPodDeletions([gone, sighting({ version: 6 })]).state).toBe('violated');
  });
});

describe('convergence', () => {
  const view = {
    nodesListedCount: 50,
    nodesReadyCount: 50,
    nodesWantedCount: 50,
    podsRunningCount: 200,
    podsRunningOnNodesCount: 198,
    podsUnboundCount: 0,
    podsInMotionCount: 5,
  };

  it('allows pods that are in motion and nothing more', () => {
    expect(checkConvergence(view).state).toBe('held');
    expect(checkConvergence({ ...view, podsRunningOnNodesCount: 150 }).violations[0]).toContain('150');
    expect(checkConvergence({ ...view, nodesReadyCount: 48 }).violations[0]).toContain('48 of 50');
  });
});
