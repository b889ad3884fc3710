import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFlags } from '../../../src/controlplane/components/flags.ts';
import { flagProblems } from '../../../src/controlplane/index.ts';
import { shapePlane } from '../../../src/controlplane/topology/shape.ts';

const ports = {
  apiservers: [1],
  controllerManagers: [2],
  schedulers: [3],
  etcd: [{ client: 4, peer: 5 }],
  eventsEtcd: [],
};
const shape = (overrides: Partial<Parameters<typeof shapePlane>[0]> = {}) =>
  shapePlane({
    directory: '/d',
    profile: 'production-like',
    flags: {},
    ports,
    ...overrides,
  });
const argsOf = (name: string, overrides: Partial<Parameters<typeof shapePlane>[0]> = {}) =>
  shape(overrides)
    .stages.flat()
    .find((one) => one.name === name)?.args ?? [];

describe('user flags', () => {
  it('take the place of hollowmark’s own and are added after them', () => {
    expect(formatFlags({ a: 1, b: 'x' }, { b: 'y', c: true })).toEqual(['--a=1', '--b=y', '--c=true']);
  });

  it('repeat a flag for each value of a list', () => {
    expect(formatFlags({}, { 'feature-gates': ['A=true', 'B=false'] })).toEqual([
      '--feature-gates=A=true',
      '--feature-gates=B=false',
    ]);
  });

  it('reach the component they are for, and no other', () => {
    const flags = { 'kube-apiserver': { 'max-requests-inflight': '800' } };
    expect(argsOf('kube-apiserver-0', { flags })).toContain('--max-requests-inflight=800');
    expect(argsOf('kube-scheduler-0', { flags }).join()).not.toContain('max-requests-inflight');
  });

  it.each([
    ['kube-apiserver', 'secure-port', 'clients know the port'],
    ['kube-apiserver', 'bind-address', 'a plane is never open to the network'],
    ['kube-apiserver', 'etcd-servers', 'it ties the plane together'],
    ['kube-apiserver', 'tls-cert-file', 'certificates are hollowmark’s'],
    ['kube-apiserver', 'client-ca-file', 'certificates are hollowmark’s'],
    ['kube-apiserver', 'audit-log-path', 'the log is where readers look for it'],
    ['etcd', 'data-dir', 'data is in the run’s folder'],
    ['etcd', 'listen-client-urls', 'a plane is never open to the network'],
    ['etcd', 'peer-trusted-ca-file', 'certificates are hollowmark’s'],
    ['etcd', 'unsafe-no-fsync', 'it is what a profile is about'],
    ['kube-controller-manager', 'kubeconfig', 'it is made for it'],
    ['kube-controller-manager', 'cluster-signing-key-file', 'certificates are hollowmark’s'],
    ['kube-scheduler', 'authentication-kubeconfig', 'it is made for it'],
  ])('may not set %s --%s: %s', (component, flag) => {
    const problems = flagProblems({ [component]: { [flag]: 'x' } }, 'suite.yaml');
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path).toBe(`flags.${component}.${flag}`);
  });

  it.each([
    ['kube-apiserver', 'max-requests-inflight'],
    ['kube-apiserver', 'event-ttl'],
    ['kube-apiserver', 'audit-log-mode'],
    ['kube-apiserver', 'etcd-compaction-interval'],
    ['etcd', 'quota-backend-bytes'],
    ['etcd', 'heartbeat-interval'],
    ['kube-controller-manager', 'kube-api-qps'],
    ['kube-scheduler', 'config'],
  ])('may set %s --%s', (component, flag) => {
    expect(flagProblems({ [component]: { [flag]: 'x' } }, 'suite.yaml')).toEqual([]);
  });

  it('are told all problems at once: unknown components, dashes in front, owned flags', () => {
    const problems = flagProblems(
      { kubelet: { v: '2' }, etcd: { '--name': 'x', name: 'y' }, 'kube-scheduler': undefined },
      'suite.yaml:3:1',
    );
    expect(problems.map(({ path }) => path)).toEqual([
      'flags.kubelet',
      'flags.etcd.--name',
      'flags.etcd.name',
    ]);
    expect(problems[0]?.message).toContain('expected one of etcd, kube-apiserver');
  });

  it('never lets a value open a component to the network, whatever the user sets', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('bind-address', 'secure-port', 'listen-client-urls'),
        fc.string(),
        (flag, value) => {
          const found = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].filter(
            (component) => flagProblems({ [component]: { [flag]: value } }, '').length === 0,
          );
          // Where the flag is not refused, it is not one of the component's.
          return found.every(
            (component) => !argsOf(`${component}-0`).some((arg) => arg.startsWith(`--${flag}=`)),
          );
        },
      ),
    );
  });
});

describe('the shape of a plane', () => {
  it('starts etcd, then the API server, then the controllers together', () => {
    expect(shape().stages.map((stage) => stage.map(({ name }) => name))).toEqual([
      ['etcd-0'],
      ['kube-apiserver-0'],
      ['kube-controller-manager-0', 'kube-scheduler-0'],
    ]);
  });

  it('listens on 127.0.0.1 only', () => {
    for (const { args, component } of shape().stages.flat()) {
      const listening = args.filter((arg) => /^--(bind-address|listen-\w+-urls)=/.test(arg));
      expect(listening.length, component).toBeGreaterThan(0);
      for (const arg of listening) expect(arg).toContain('127.0.0.1');
    }
  });

  it('sets the flags whose defaults differ from kubeadm’s', () => {
    const apiserver = argsOf('kube-apiserver-0');
    expect(apiserver).toContain('--authorization-mode=Node,RBAC');
    expect(apiserver).toContain('--enable-admission-plugins=NodeRestriction');
    expect(apiserver).toContain('--kubelet-preferred-address-types=InternalIP');
    expect(argsOf('etcd-0')).toContain(`--quota-backend-bytes=${8 * 2 ** 30}`);
    expect(argsOf('kube-controller-manager-0')).toContain('--use-service-account-credentials=true');
  });

  it('turns fsync off and client limits up in profile fast, and in no other', () => {
    const named = (profile: 'fast' | 'production-like') =>
      shape({ profile })
        .stages.flat()
        .flatMap(({ args }) => args)
        .filter((arg) => /unsafe-no-fsync|kube-api-/.test(arg));
    expect(named('production-like')).toEqual([]);
    expect(named('fast').sort()).toEqual([
      '--kube-api-burst=10000',
      '--kube-api-burst=10000',
      '--kube-api-qps=5000',
      '--kube-api-qps=5000',
      '--unsafe-no-fsync=true',
    ]);
  });

  it('gives events an etcd of their own when asked to', () => {
    const withEvents = {
      ports: { ...ports, eventsEtcd: [{ client: 6, peer: 7 }] },
    };
    expect(shape(withEvents).stages[0]?.map(({ name }) => name)).toEqual(['etcd-0', 'etcd-events-0']);
    expect(argsOf('kube-apiserver-0', withEvents)).toContain(
      '--etcd-servers-overrides=/events#https://127.0.0.1:6',
    );
  });

  it('writes an audit log only where there is a policy', () => {
    expect(argsOf('kube-apiserver-0').join()).not.toContain('audit');
    const audited = argsOf('kube-apiserver-0', { auditPolicyPath: '/p.yaml' });
    expect(audited).toContain('--audit-policy-file=/p.yaml');
    expect(audited).toContain('--audit-log-path=/d/logs/audit.ndjson');
  });
});
