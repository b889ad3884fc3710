import { describe, expect, it } from 'vitest';
import { loadSuite, TOPOLOGIES, topologyWarnings, zoneOf, zonesInTurn } from '../../../src/config/index.ts';
import { changeFlags } from '../../../src/controlplane/components/flags.ts';
import { backendServers } from '../../../src/controlplane/levers/haproxy-socket.ts';
import { RestartBackoff } from '../../../src/controlplane/process/supervisor.ts';
import { withHostname } from '../../../src/controlplane/process/uts.ts';
import type { PlanePorts } from '../../../src/controlplane/topology/ports.ts';
import { shapePlane } from '../../../src/controlplane/topology/shape.ts';
import { isHarnessError } from '../../../src/core/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';
import { plainSuite, suiteText } from '../config/suite-text.ts';

const ports: PlanePorts = {
  etcd: [1, 2, 3].map((index) => ({ client: 100 + index, peer: 110 + index })),
  eventsEtcd: [],
  apiservers: [121, 122, 123],
  controllerManagers: [131, 132],
  schedulers: [141, 142],
  loadBalancer: 150,
};
const shape = (more: Partial<PlanePorts> = {}, name: keyof typeof TOPOLOGIES = 'ha') =>
  shapePlane({
    directory: '/d',
    profile: 'production-like',
    flags: {},
    ports: { ...ports, ...more },
    topology: TOPOLOGIES[name].settings,
    clusterToken: 'token',
  });
const find = (from: ReturnType<typeof shape>, name: string) => {
  const found = from.stages.flat().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

function suiteWith(topology: unknown) {
  return loadSuite({
    path: 's.yaml',
    text: suiteText(plainSuite(undefined, { controlPlane: { topology } })),
  });
}
function problemsOf(topology: unknown): string {
  try {
    suiteWith(topology);
  } catch (error) {
    if (isHarnessError(error)) return error.message;
    throw error;
  }
  return '';
}

describe('a topology in a suite', () => {
  it('is a name, or a mapping that starts from one', () => {
    expect(suiteWith('ha').suite.controlPlane.topology).toEqual(TOPOLOGIES.ha.settings);
    expect(suiteWith({ preset: 'ha', etcd: 5, healthCheck: 'none' }).suite.controlPlane.topology).toEqual({
      ...TOPOLOGIES.ha.settings,
      etcdCount: 5,
      healthCheck: 'none',
    });
  });

  it('gets a load balancer with its second API server, and restarts with the second member of anything', () => {
    expect(suiteWith({ apiservers: 2 }).suite.controlPlane.topology).toMatchObject({
      loadBalancer: 'haproxy',
      supervised: true,
    });
    expect(suiteWith({ apiservers: 1 }).suite.controlPlane.topology).toMatchObject({
      loadBalancer: 'none',
      supervised: false,
    });
  });

  it('spreads the nodes over its zones', () => {
    expect(suiteWith('ha').suite.fleet.zones).toEqual(['zone-a', 'zone-b', 'zone-c']);
    expect(suiteWith({ layout: 'two-in-one' }).suite.fleet.zones).toEqual(['zone-a', 'zone-b']);
    expect(suiteWith('single').suite.fleet.zones).toEqual([]);
    expect(zonesInTurn(['zone-a', 'zone-b'], 'two-in-one')).toEqual(['zone-a', 'zone-a', 'zone-b']);
    expect(zonesInTurn(['north', 'south'], 'two-in-one')).toEqual(['north', 'south']);
  });

  it.each([
    ['haa', 'one of single, ha'],
    [{ preset: 'ha', etcd: 0 }, 'whole number from 1 to 7'],
    [{ preset: 'ha', loadBalancer: 'none' }, 'expected haproxy in front of 3 API servers'],
    [{ members: 3 }, 'members'],
  ])('is refused as %j', (topology, message) => {
    expect(problemsOf(topology)).toContain(message);
  });

  it('is warned about where a member more makes it no safer, or a check less makes it worse', () => {
    expect(topologyWarnings(TOPOLOGIES.ha.settings)).toEqual([]);
    expect(topologyWarnings(TOPOLOGIES.single.settings)).toEqual([]);
    const unsafe = topologyWarnings(TOPOLOGIES.unsafe.settings).join('\n');
    expect(unsafe).toContain('2 etcd members survive the loss of 0');
    expect(unsafe).toContain('are dead');
    expect(topologyWarnings({ ...TOPOLOGIES.ha.settings, layout: 'two-in-one' })).toHaveLength(1);
  });

  it('has the majority of any three members in one zone only where the layout says so', () => {
    const zones = (layout: 'three-zones' | 'two-in-one') => [0, 1, 2].map((index) => zoneOf(layout, index));
    expect(new Set(zones('three-zones')).size).toBe(3);
    expect(zones('two-in-one').filter((zone) => zone === 'zone-a')).toHaveLength(2);
  });
});

describe('the shape of a highly available plane', () => {
  it('starts what others need first', () => {
    expect(shape().stages.map((stage) => stage.map(({ name }) => name))).toEqual([
      ['etcd-0', 'etcd-1', 'etcd-2'],
      ['kube-apiserver-0', 'kube-apiserver-1', 'kube-apiserver-2'],
      ['haproxy-0'],
      ['kube-controller-manager-0', 'kube-controller-manager-1', 'kube-scheduler-0', 'kube-scheduler-1'],
    ]);
  });

  it('has clients go to the balancer and probes to each member', () => {
    expect(shape().server).toBe('https://127.0.0.1:150');
    expect(shape().members).toEqual([121, 122, 123].map((port) => `https://127.0.0.1:${port}`));
  });

  it('gives each API server a host name, an address and a certificate of its own', () => {
    const servers = [0, 1, 2].map((index) => find(shape(), `kube-apiserver-${index}`));
    const values = (flag: string) =>
      servers.map(({ args }) => args.find((arg) => arg.startsWith(`--${flag}=`)));
    expect(new Set(values('advertise-address')).size).toBe(3);
    expect(new Set(values('tls-cert-file')).size).toBe(3);
    expect(new Set(servers.map(({ hostname }) => hostname)).size).toBe(3);
    expect(new Set(values('etcd-servers')).size).toBe(1);
  });

  it('leads every byte between members through the proxy where links are proxied', () => {
    const links = {
      control: 160,
      peers: [161, 162, 163],
      clients: [
        [171, 172, 173],
        [174, 175, 176],
        [177, 178, 179],
      ],
    };
    const linked = shape({ links }, 'ha-partitionable');
    expect(linked.stages[0]?.map(({ name }) => name)).toEqual(['link-proxy-0']);
    expect(find(linked, 'etcd-1').environment).toEqual({ HTTPS_PROXY: 'http://127.0.0.1:162' });
    // A name that nothing can resolve: a member that went past the proxy would find nobody.
    const cluster = find(linked, 'etcd-1').args.find((arg) => arg.startsWith('--initial-cluster='));
    expect(cluster?.match(/\.invalid:/g)).toHaveLength(3);
    expect(find(linked, 'kube-apiserver-1').args).toContain(
      '--etcd-servers=https://127.0.0.1:174,https://127.0.0.1:175,https://127.0.0.1:176',
    );
    expect(linked.links?.pairs).toHaveLength(3 * 2 + 2 * 9);
  });

  it.each([
    ['ha', 'GET /readyz\n', 'check-ssl'],
    ['unsafe', undefined, undefined],
  ] as const)('writes the health check of %s', (name, request, check) => {
    const text = shape({}, name).files.find(({ path }) => path.endsWith('haproxy.cfg'))?.text ?? '';
    expect(text.includes('httpchk')).toBe(request !== undefined);
    expect(text).toContain(request ?? 'server kube-apiserver-0 127.0.0.1:121');
    expect(text.includes('default-server')).toBe(check !== undefined);
  });
});

describe('the supervisor', () => {
  it('waits longer after each exit in a row, up to a limit, and begins again after a long life', async () => {
    const clock = virtualClock();
    const policy = { firstDelayMs: 1_000, factor: 2, maxDelayMs: 5_000, resetAfterMs: 10_000 };
    const backoff = new RestartBackoff(policy, clock);
    const delays = [1, 1, 1, 1].map(() => {
      backoff.started();
      return backoff.exited();
    });
    expect(delays).toEqual([1_000, 2_000, 4_000, 5_000]);
    backoff.started();
    await clock.advance(10_000);
    expect(backoff.exited()).toBe(1_000);
  });

  it('starts a program under a host name without changing what it is told', () => {
    const command = { program: '/bin/etcd', args: ['--a=b c'] };
    expect(withHostname('none', 'h', command)).toEqual(command);
    expect(withHostname('root', 'h', command).args.slice(-3)).toEqual(['h', '/bin/etcd', '--a=b c']);
  });

  it('changes flags in their place and appends new ones', () => {
    expect(changeFlags(['--a=1', '--b=2', '--b=3', '--c=4'], { b: '9', d: '5' })).toEqual([
      '--a=1',
      '--b=9',
      '--c=4',
      '--d=5',
    ]);
  });
});

describe("HAProxy's statistics", () => {
  it('are read by the names of their columns', () => {
    const csv = `# pxname,svname,scur,status,lastchg,check_status,chkdown
api,FRONTEND,3,OPEN,,,
kube-apiserver,kube-apiserver-0,2,UP 1/2,7,* L7STS,3
kube-apiserver,BACKEND,2,UP,7,,3
`;
    expect(backendServers(csv)).toEqual([
      {
        name: 'kube-apiserver-0',
        state: 'UP 1/2',
        sessionCount: 2,
        downCount: 3,
        check: 'L7STS',
        sinceMs: 7_000,
      },
    ]);
  });
});
