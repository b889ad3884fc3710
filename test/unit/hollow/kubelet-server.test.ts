import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KubeletServer, type NodeEndpoint } from '../../../hollow/kubelet/server/kubelet-server.ts';
import { subresourcesOf } from '../../../hollow/kubelet/server/node-access.ts';
import { NodeUsage, podUsage } from '../../../hollow/kubelet/server/usage.ts';
import { CertificateAuthority } from '../../../src/controlplane/pki/authority.ts';
import { silentLogger } from '../../../src/core/index.ts';
import { TokenBucket } from '../../../src/kube/index.ts';
import { boundPod, machineOf, START_WALL_MS } from './pod-fixtures.ts';
import { type Answer, scriptedFleet } from './scripted-connection.ts';

interface Pair {
  certPem: string;
  keyPem: string;
}

let authority: CertificateAuthority;
let serving: Pair;
let client: Pair;
let stranger: Pair;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  authority = await CertificateAuthority.create('ca', 'ec-p256');
  const foreign = await CertificateAuthority.create('foreign', 'ec-p256');
  const who = { commonName: 'kube-apiserver-kubelet-client', usage: 'client' as const };
  serving = await authority.issue({
    commonName: 'hollow-kubelet-0',
    usage: 'server',
    dnsNames: ['hollow-kubelet'],
  });
  client = await authority.issue({ ...who, organizations: ['system:masters'] });
  stranger = await foreign.issue({ ...who, organizations: ['system:masters'] });
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Nodes `count` on one server whose API server answers reviews with `review`. */
async function served(
  count: number,
  review: (kind: string, spec: Record<string, unknown>) => Record<string, unknown>,
  addressing: 'per-node-address' | 'per-node-port' = 'per-node-port',
  address?: string,
) {
  const asked: Record<string, unknown>[] = [];
  const fleet = scriptedFleet(({ body }): Answer => {
    const { kind, spec } = JSON.parse(body ?? '{}') as { kind: string; spec: Record<string, unknown> };
    asked.push({ kind, ...spec });
    return { status: 201, body: { status: review(kind, spec) } };
  });
  const { clock, context } = fleet;
  const server = new KubeletServer({
    serving: {
      ...serving,
      clientCaPem: authority.certPem,
      addressing,
      ...(address === undefined ? {} : { address }),
    },
    clock,
    log: silentLogger(),
    seed: '1',
    kubernetesVersion: 'v1.36.3',
  });
  stops.push(() => server.stop());
  await server.start();
  const { pod } = machineOf(boundPod());
  const [run] = pod.runs;
  if (run !== undefined) Object.assign(run, { state: 'running', startedAtMs: clock.wallMs() - 10_000 });
  const endpoints: NodeEndpoint[] = [];
  for (let index = 0; index < count; index++) {
    // Far from the addresses of fleets that run on this machine.
    const endpoint = await server.listen(90_000 + index);
    endpoints.push(endpoint);
    server.serve(endpoint, {
      nodeName: `n${index}`,
      client: fleet.client,
      throttle: new TokenBucket(50, 100),
      clock,
      podStatus: { form: context.form, hostIp: endpoint.address, hostNetworkIp: '198.18.0.1' },
      pods: () => [pod],
    });
  }
  const [endpoint] = endpoints;
  if (endpoint === undefined) throw new Error('no node');
  return { server, asked, clock, endpoints, endpoint };
}

function get(
  endpoint: NodeEndpoint,
  path: string,
  as: { pair?: Pair; token?: string } = { pair: client },
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: endpoint.address,
        port: endpoint.port,
        path,
        ca: authority.certPem,
        servername: 'hollow-kubelet',
        agent: false,
        ...(as.pair === undefined ? {} : { cert: as.pair.certPem, key: as.pair.keyPem }),
        headers: as.token === undefined ? {} : { authorization: `Bearer ${as.token}` },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

const allow = () => ({ allowed: true });
/** Only Linux has all of 127.0.0.0/8 on its loopback. */
const ADDRESSINGS =
  process.platform === 'linux'
    ? (['per-node-address', 'per-node-port'] as const)
    : (['per-node-port'] as const);

describe('an address that was asked for', () => {
  it('is that of every node, each with a port of its own', async () => {
    // Of the loopback network all the same: a test opens nothing to strangers.
    const { endpoints } = await served(2, allow, 'per-node-port', '127.77.0.1');
    expect(endpoints.map(({ address }) => address)).toEqual(['127.77.0.1', '127.77.0.1']);
    expect(new Set(endpoints.map(({ port }) => port)).size).toBe(2);
    for (const endpoint of endpoints) expect((await get(endpoint, '/healthz')).body).toBe('ok');
  });

  it('is refused where it is none of this host, and says where it comes from', async () => {
    await expect(served(1, allow, 'per-node-port', '192.0.2.1')).rejects.toMatchObject({
      code: 'HM_USAGE',
      hint: expect.stringContaining('fleet.kubeletAddress'),
    });
  });
});

describe('who may ask a hollow kubelet', () => {
  it('is nobody without a certificate of the authority or a token that the API server knows', async () => {
    const { endpoint, asked } = await served(1, () => ({ authenticated: false }));
    expect(await get(endpoint, '/healthz', {})).toEqual({ status: 401, body: 'Unauthorized' });
    expect((await get(endpoint, '/healthz', { pair: stranger })).status).toBe(401);
    expect(asked).toEqual([]);
    expect((await get(endpoint, '/healthz', { token: 'wrong' })).status).toBe(401);
    expect(asked).toEqual([{ kind: 'TokenReview', token: 'wrong' }]);
  });

  it('is whom the API server allows, asked once for the same question', async () => {
    const { endpoint, asked, clock } = await served(1, allow);
    expect((await get(endpoint, '/metrics/resource')).status).toBe(200);
    expect((await get(endpoint, '/metrics')).status).toBe(200);
    const question = {
      kind: 'SubjectAccessReview',
      resourceAttributes: {
        verb: 'get',
        version: 'v1',
        resource: 'nodes',
        subresource: 'metrics',
        name: 'n0',
      },
      user: 'kube-apiserver-kubelet-client',
      groups: ['system:masters', 'system:authenticated'],
    };
    expect(asked).toEqual([question]);
    await clock.advance(300_001);
    await get(endpoint, '/metrics');
    expect(asked).toEqual([question, question]);
  });

  it('is asked for by node: each has answers of its own', async () => {
    const { endpoints, asked } = await served(2, allow);
    for (const endpoint of endpoints) await get(endpoint, '/stats/summary');
    expect(asked.map(({ resourceAttributes }) => resourceAttributes)).toMatchObject([
      { name: 'n0' },
      { name: 'n1' },
    ]);
  });

  it('is refused with 403, and a denial is forgotten sooner', async () => {
    const { endpoint, asked, clock } = await served(1, () => ({ allowed: false }));
    expect((await get(endpoint, '/metrics')).status).toBe(403);
    expect((await get(endpoint, '/metrics')).status).toBe(403);
    expect(asked).toHaveLength(1);
    await clock.advance(30_001);
    await get(endpoint, '/metrics');
    expect(asked).toHaveLength(2);
  });

  it('can be a token’s user', async () => {
    const user = { username: 'system:serviceaccount:monitoring:prometheus', groups: ['g'] };
    const { endpoint, asked } = await served(1, (kind) =>
      kind === 'TokenReview' ? { authenticated: true, user } : { allowed: true },
    );
    expect((await get(endpoint, '/metrics', { token: 't' })).status).toBe(200);
    expect((await get(endpoint, '/metrics', { token: 't' })).status).toBe(200);
    expect(asked).toMatchObject([{ kind: 'TokenReview' }, { user: user.username, groups: ['g'] }]);
  });

  it.each([
    ['/pods', ['pods', 'proxy']],
    ['/healthz', ['healthz', 'proxy']],
    ['/metrics/resource', ['metrics']],
    ['/stats/summary', ['stats']],
    ['/containerLogs/ns/p/c', ['proxy']],
    ['/metricsx', ['proxy']],
  ])('needs for %s one of %j', (path, subresources) => {
    expect(subresourcesOf(path)).toEqual(subresources);
  });
});

describe('the endpoints of hollow kubelets', () => {
  it.each(ADDRESSINGS)('tell nodes apart, on loopback: %s', async (addressing) => {
    const { endpoints } = await served(3, allow, addressing);
    expect(new Set(endpoints.map(({ address, port }) => `${address}:${port}`)).size).toBe(3);
    for (const [index, endpoint] of endpoints.entries()) {
      expect(endpoint.address).toMatch(/^127\./);
      expect((await get(endpoint, '/metrics')).body).toContain(`kubelet_node_name{node="n${index}"} 1`);
    }
  });

  it.runIf(process.platform === 'linux')('take a free port where theirs is taken', async () => {
    const { server } = await served(1, allow, 'per-node-address');
    const blocker = createServer();
    // 127.1.0.0 + 95,000 + 1
    await new Promise<void>((resolve) => blocker.listen({ host: '127.2.115.25', port: 10_250 }, resolve));
    stops.push(async () => void blocker.close());
    const endpoint = await server.listen(95_000);
    expect(endpoint.address).toBe('127.2.115.25');
    expect(endpoint.port).not.toBe(10_250);
  });

  it('serve pods, metrics and stats that agree with each other', async () => {
    const { endpoint } = await served(1, allow);
    const { items } = JSON.parse((await get(endpoint, '/pods')).body) as { items: object[] };
    const name = 'web-847f49cc4d-7j768';
    expect(items).toMatchObject([
      {
        metadata: { name, namespace: 'default' },
        spec: { nodeName: 'n0' },
        status: { containerStatuses: [{ name: 'pause' }] },
      },
    ]);
    const metrics = (await get(endpoint, '/metrics')).body;
    expect(metrics).toContain('kubelet_running_containers{container_state="running"} 1');
    const resource = (await get(endpoint, '/metrics/resource')).body;
    const labels = `{container="pause",namespace="default",pod="${name}"}`;
    const memory = new RegExp(`^container_memory_working_set_bytes${labels} (\\d+) \\d+$`, 'm').exec(
      resource,
    )?.[1];
    const stats = JSON.parse((await get(endpoint, '/stats/summary')).body) as {
      pods: { containers: { memory: { workingSetBytes: number } }[] }[];
    };
    expect(stats.pods[0]?.containers[0]?.memory.workingSetBytes).toBe(Number(memory));
    expect(resource).toContain('resource_scrape_error 0');
  });

  it('serve logs, and 404 for what is not there', async () => {
    const { endpoint } = await served(1, allow);
    const path = '/containerLogs/default/web-847f49cc4d-7j768/pause';
    const { status, body } = await get(endpoint, `${path}?tailLines=3`);
    expect([status, body.trimEnd().split('\n').length]).toEqual([200, 3]);
    expect(await get(endpoint, '/containerLogs/default/other/pause')).toEqual({
      status: 404,
      body: 'pod "other" does not exist',
    });
    expect((await get(endpoint, '/exec/default/web/pause')).status).toBe(404);
  });
});

describe('the usage of a hollow node', () => {
  it('never goes back when pods go, and rises with time', () => {
    const { pod } = machineOf(boundPod());
    const [run] = pod.runs;
    if (run !== undefined) Object.assign(run, { state: 'running', startedAtMs: START_WALL_MS });
    const node = new NodeUsage(START_WALL_MS);
    let before = 0;
    for (const [seconds, pods] of [
      [10, 1],
      [20, 1],
      [30, 0],
      [40, 1],
    ] as const) {
      const nowMs = START_WALL_MS + seconds * 1_000;
      const usages = pods === 0 ? [] : [podUsage('1', pod, nowMs)];
      const { cpuSeconds } = node.read(usages, nowMs);
      expect(cpuSeconds).toBeGreaterThan(before);
      before = cpuSeconds;
    }
  });
});
