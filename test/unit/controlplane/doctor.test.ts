import { describe, expect, it } from 'vitest';
import { checkConsent } from '../../../src/controlplane/existing.ts';
import { checkMachine, type MachineFacts, refuseBlocked } from '../../../src/controlplane/index.ts';
import { nodeDeleterWarnings } from '../../../src/controlplane/node-deleters.ts';

const GIB = 2 ** 30;
const good: MachineFacts = {
  platform: 'linux',
  nodeVersion: '20.20.2',
  coreCount: 2,
  totalMemoryBytes: 24 * GIB,
  availableMemoryBytes: 20 * GIB,
  openFileCount: 20_000,
  ephemeralPorts: { first: 32_768, last: 60_999 },
  listenBacklogCount: 4_096,
  inotifyInstanceCount: 128,
  clockSource: 'tsc',
  resultsDisk: { path: '/r', freeBytes: 50 * GIB, writable: true },
  cacheDisk: { path: '/c', freeBytes: 50 * GIB, writable: true },
  syncWriteMs: 2,
  goVersion: 'go1.26.8',
  binariesReady: true,
  binariesSummary: 'cache /c',
};
const find = (id: string, facts: Partial<MachineFacts>, needs = {}) =>
  checkMachine({ ...good, ...facts }, needs).find((one) => one.id === id);

describe('the doctor', () => {
  it('finds nothing that blocks on a machine that is good enough', () => {
    const findings = checkMachine(good);
    expect(findings.filter(({ state }) => state === 'blocks' || state === 'limits')).toEqual([]);
    expect(() => refuseBlocked(findings)).not.toThrow();
  });

  it('tells of each check what it found and limits, and of each that is not well how to raise it', () => {
    const poor = {
      ...good,
      openFileCount: 1_024,
      clockSource: 'hpet',
      listenBacklogCount: 128,
      inotifyInstanceCount: 8,
      syncWriteMs: 80,
    };
    for (const finding of checkMachine(poor, { nodeCount: 1_000 })) {
      expect(finding.found, finding.id).not.toBe('');
      expect(finding.limits, finding.id).not.toBe('');
      if (finding.state !== 'ok') expect(finding.raise, finding.id).not.toBe('');
    }
  });

  it.each([
    // (20,000 - 500 spare - 100 of the load) / 2 connections a node
    { id: 'open-files', facts: {}, nodes: '9,700 hollow nodes' },
    // (28,232 ports - 100) / 2
    { id: 'ports', facts: {}, nodes: '14,066 hollow nodes' },
    // (10 GB - 0.6 GB) / (0.35 + 1.75 + 0.15 MB)
    { id: 'memory', facts: { availableMemoryBytes: 10e9 }, nodes: '4,177 hollow nodes' },
    // 2 cores x 600 ms/s / 0.41 ms/s
    { id: 'cores', facts: {}, nodes: 'about 2,926 idle hollow nodes' },
  ])('reckons what $id limits: $nodes', ({ id, facts, nodes }) => {
    expect(find(id, facts)?.limits).toContain(nodes);
  });

  it.each([
    { id: 'open-files', facts: { openFileCount: 1_024 }, why: '1,000 nodes have 2,000 connections' },
    {
      id: 'ports',
      facts: { ephemeralPorts: { first: 60_000, last: 60_999 } },
      why: 'each connection needs a port',
    },
    { id: 'memory', facts: { availableMemoryBytes: GIB }, why: '1,000 nodes take 2.25 GB' },
    { id: 'node', facts: { nodeVersion: '20.18.3' }, why: 'hollowmark does not run on it' },
    {
      id: 'results-disk',
      facts: { resultsDisk: { path: '/r', freeBytes: 1e6, writable: true } },
      why: 'nowhere to write',
    },
    {
      id: 'results-disk',
      facts: { resultsDisk: { path: '/r', freeBytes: 50 * GIB, writable: false } },
      why: 'not writable',
    },
  ])('blocks on $id: $why', ({ id, facts }) => {
    expect(find(id, facts, { nodeCount: 1_000 })?.state).toBe('blocks');
    expect(() => refuseBlocked(checkMachine({ ...good, ...facts }, { nodeCount: 1_000 }))).toThrow(
      expect.objectContaining({ code: 'HM_PREFLIGHT_FAILED', exitCode: 5 }),
    );
  });

  it('blocks when programs, download and Go are all missing, and only then', () => {
    const { goVersion: _goVersion, ...noGo } = good;
    const state = (facts: MachineFacts) => checkMachine(facts).find(({ id }) => id === 'binaries')?.state;
    expect(state({ ...noGo, binariesReady: false, releaseInReach: false })).toBe('blocks');
    expect(state({ ...noGo, binariesReady: false, releaseInReach: true })).toBe('limits');
    expect(state({ ...good, binariesReady: false, releaseInReach: false })).toBe('limits');
    expect(state(noGo)).toBe('ok');
  });

  it('asks nothing of binaries or Go where the control plane is elsewhere', () => {
    const ids = checkMachine({ ...good, binariesReady: false }, { localPlane: false }).map(({ id }) => id);
    expect(ids).not.toContain('binaries');
    expect(ids).not.toContain('go');
  });
});

describe('what would delete hollow nodes', () => {
  const none = { workloads: [], nodes: [], apiGroups: [], autoscalerStatus: false };
  const node = (providerId: string) => ({ name: 'n', providerId, labels: {} });
  it.each([
    {
      why: 'an autoscaler by its name',
      signs: { workloads: [{ name: 'Deployment kube-system/cluster-autoscaler', images: [] }] },
      says: 'the cluster autoscaler runs as Deployment kube-system/cluster-autoscaler',
    },
    {
      why: 'Karpenter by its image',
      signs: { workloads: [{ name: 'Deployment x/y', images: ['public.ecr.aws/karpenter/controller:1.2'] }] },
      says: 'Karpenter runs as Deployment x/y',
    },
    {
      why: 'a cloud controller',
      signs: { workloads: [{ name: 'DaemonSet kube-system/hcloud-cloud-controller-manager', images: [] }] },
      says: 'a cloud controller manager runs',
    },
    {
      why: 'an autoscaler out of sight',
      signs: { autoscalerStatus: true },
      says: 'cluster-autoscaler-status',
    },
    {
      why: 'Karpenter’s API',
      signs: { apiGroups: ['apps', 'karpenter.sh'] },
      says: 'karpenter.sh is served',
    },
    {
      why: 'a managed cloud by its nodes',
      signs: { nodes: [node('aws:///eu-west-1a/i-0abc')] },
      says: 'nodes belong to AWS',
    },
  ])('is named: $why', ({ signs, says }) => {
    expect(nodeDeleterWarnings({ ...none, ...signs })).toEqual([expect.stringContaining(says)]);
  });

  it('is nothing on a bare cluster, nor because of kind or kwok nodes', () => {
    expect(
      nodeDeleterWarnings({
        ...none,
        nodes: [node(''), node('kind://docker/kind/x'), node('kwok://n')],
        workloads: [{ name: 'Deployment kube-system/coredns', images: ['coredns:1'] }],
      }),
    ).toEqual([]);
  });

  it('is named once when several signs say the same', () => {
    const workloads = ['a', 'b'].map((name) => ({
      name: `Pod kube-system/cluster-autoscaler-${name}`,
      images: [],
    }));
    expect(nodeDeleterWarnings({ ...none, workloads, autoscalerStatus: true })).toHaveLength(1);
  });
});

describe('consent', () => {
  const uid = '9bd7ea82-3f3f-4233-bb43-8f0f135b9c10';
  it('is the cluster’s own UID', () => expect(() => checkConsent(uid, uid, 'https://c')).not.toThrow());
  it.each([undefined, '', 'another-uid'])(
    'is missing with %j, and the refusal prints the flag that gives it',
    (allowed) => {
      expect(() => checkConsent(allowed, uid, 'https://c')).toThrow(
        expect.objectContaining({
          code: 'HM_CONSENT_MISSING',
          exitCode: 2,
          hint: expect.stringContaining(`--allow-cluster ${uid}`),
        }),
      );
    },
  );
});
