/**
 * The kubelet API of hollow nodes as its callers use it: logs through a real API server, and a real Prometheus that
 * scrapes the nodes where their Node objects say, with a ServiceAccount's token.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request as httpRequest } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet, fleetLabels, HOLLOW_TAINT } from '../../hollow/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { PortReservation } from '../../src/controlplane/ports.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, JsonClient, openConnection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { KUBELET_SERVER_NAME, prepareKubeletServing } from '../../src/run/kubelet-serving.ts';
import { fleetSettings } from '../helpers/fleet-settings.ts';

const NEVER = new AbortController().signal;
const NODE_COUNT = 4;
const POD_COUNT = 6;
const PROMETHEUS = ['/usr/bin/prometheus', '/usr/local/bin/prometheus'].find((path) => existsSync(path));
const PROMETHEUS_REQUIRED = process.env['CI'] === 'true';
const LOGS = '/api/v1/namespaces/default/pods/web-0/log';

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;
let fleet: Fleet;
let prometheus: ChildProcess | undefined;
const ports = new PortReservation();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-kubelet-api-'));
  plane = await startLocalControlPlane(
    { directory: join(directory, 'run'), profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
  const settings = fleetSettings({ nodeCount: NODE_COUNT, proxy: false, kubeletApi: true });
  const [kubeletApi] = await prepareKubeletServing(
    plane,
    new JsonClient(admin, systemClock),
    settings,
    NEVER,
  );
  if (kubeletApi === undefined) throw new Error('nothing to serve with');
  fleet = new Fleet(
    {
      runId: 'it',
      seed: 1,
      nodeNamePrefix: 'it-',
      shard: { index: 0, count: 1 },
      settings,
      access: plane.admin,
      kubeletApi,
      kubernetesVersion: plane.kubernetesVersion,
      labels: fleetLabels('it', settings.labels),
      taints: [HOLLOW_TAINT],
      phase: 'test',
    },
    {
      clock: systemClock,
      log: silentLogger(),
      recorder: new RunCallRecorder(),
      podInstants: new PodInstantBuffer(),
    },
  );
  await fleet.start(NEVER);
  await fleet.ready(AbortSignal.timeout(120_000));
  for (let index = 0; index < POD_COUNT; index++) {
    await send('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: `web-${index}` },
      spec: {
        terminationGracePeriodSeconds: 1,
        tolerations: [{ key: HOLLOW_TAINT.key, operator: 'Exists' }],
        containers: [{ name: 'app', image: 'registry.k8s.io/pause:3.10' }],
      },
    });
  }
  await until(async () => {
    const { items } = await get<{ items: { status: { phase: string } }[] }>(
      '/api/v1/namespaces/default/pods',
    );
    return items.filter(({ status }) => status.phase === 'Running').length === POD_COUNT;
  }, 'pods Running');
}, 600_000);

afterAll(async () => {
  prometheus?.kill('SIGTERM');
  await fleet?.stop();
  await admin?.close();
  await plane?.stop();
  ports[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

describe('logs of hollow pods through a real API server', () => {
  it('are there, and obey the options of kubectl logs', async () => {
    const log = (query = '') => admin.request({ method: 'GET', path: `${LOGS}${query}` });
    await until(async () => (await log()).body.split('\n').length > 3, 'three lines');
    const all = (await log()).body;
    expect(all).toMatch(/^container app started\nlevel=info /);
    expect((await log()).body.startsWith(all)).toBe(true);
    expect((await log('?tailLines=2')).body.trimEnd().split('\n')).toHaveLength(2);
    expect((await log('?limitBytes=9')).body).toBe('container');
    expect((await log('?timestamps=true&tailLines=1')).body).toMatch(/^\d{4}-\d\d-\d\dT\S+Z level=info/);
  });

  it('are refused in the words of a kubelet', async () => {
    const refused = await admin.request({ method: 'GET', path: `${LOGS}?previous=true` });
    expect(refused.status).toBe(400);
    expect(refused.body).toContain('previous terminated container');
  });

  it('can be followed until the pod ends', async () => {
    let text = '';
    let ended = false;
    const following = new Promise<void>((resolve) => {
      admin.watch(`${LOGS}?follow=true&tailLines=1`, {
        onFrame(frame) {
          text += `${frame.toString('utf8')}\n`;
        },
        onEnd() {
          ended = true;
          resolve();
        },
      });
    });
    await until(async () => text.split('\n').length > 3, 'three lines');
    expect(ended).toBe(false);
    await admin.request({ method: 'DELETE', path: LOGS.replace('/log', '') });
    await following;
    expect(text).toMatch(/^level=info /m);
  });
});

describe('a real Prometheus', () => {
  it('scrapes every hollow node where its Node object says', async (context) => {
    if (PROMETHEUS === undefined) {
      const hint = 'no prometheus on this machine: apt-get install prometheus';
      if (PROMETHEUS_REQUIRED) throw new Error(hint);
      context.skip(hint);
      return;
    }
    const url = await startPrometheus(PROMETHEUS);
    const query = async (
      expression: string,
    ): Promise<{ metric: Record<string, string>; value: number }[]> => {
      const reply = await httpRequest(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data } = (await reply.body.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    };
    const jobs = ['kubelet', 'kubelet-resource'];
    await until(
      async () => {
        const up = await query('up').catch(() => []);
        return up.length === jobs.length * NODE_COUNT && up.every(({ value }) => value === 1);
      },
      'up == 1 of every node',
      async () => {
        const reply = await httpRequest(`${url}/api/v1/targets`);
        return `${await reply.body.text()}\n${readFileSync(join(directory, 'prometheus.log'), 'utf8')}`;
      },
    );
    const names = (await query('kubelet_node_name')).map(({ metric }) => metric['node']);
    expect(names.sort()).toEqual(Array.from({ length: NODE_COUNT }, (_, i) => `it-0000${i}`));
    const containers = await query('container_memory_working_set_bytes{container="app"}');
    // One pod was deleted by the test before.
    expect(containers.map(({ metric }) => metric['pod']).sort()).toEqual(
      Array.from({ length: POD_COUNT - 1 }, (_, i) => `web-${i + 1}`),
    );
    const [sum] = await query('sum(kubelet_running_containers{container_state="running"})');
    expect(sum?.value).toBe(POD_COUNT - 1);
    expect((await query('node_cpu_usage_seconds_total')).every(({ value }) => value > 0)).toBe(true);
  });

  it('gets nothing without a right to the metrics of nodes', async () => {
    const [node] = (await get<{ items: { status: NodeStatus }[] }>('/api/v1/nodes')).items;
    if (node === undefined) throw new Error('no node');
    const { host, port } = endpointOf(node.status);
    const token = await serviceAccountToken('stranger');
    const ask = (bearer: string) => statusOf(`https://${host}:${port}/metrics`, bearer);
    expect(await ask(token)).toBe(403);
    expect(await ask('no-token-at-all')).toBe(401);
  });
});

interface NodeStatus {
  addresses: { type: string; address: string }[];
  daemonEndpoints: { kubeletEndpoint: { Port: number } };
}

/** Where a node's kubelet is, by its Node object. */
function endpointOf({ addresses, daemonEndpoints }: NodeStatus): { host: string; port: number } {
  const host = addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
  return { host, port: daemonEndpoints.kubeletEndpoint.Port };
}

/** Starts one on loopback that scrapes the nodes of the cluster; returns its URL. */
async function startPrometheus(program: string): Promise<string> {
  const token = await serviceAccountToken('prometheus');
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'it:prometheus' },
    rules: [{ apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] }],
  });
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'it:prometheus' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'it:prometheus' },
    subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace: 'default' }],
  });
  const folder = join(directory, 'prometheus');
  const path = (name: string) => join(directory, name);
  const { items } = await get<{ items: { status: NodeStatus }[] }>('/api/v1/nodes');
  const targets = items.map(({ status }) => {
    const { host, port } = endpointOf(status);
    return `${host}:${port}`;
  });
  writeFileSync(path('nodes.json'), JSON.stringify([{ targets }]));
  writeFileSync(path('token'), token);
  writeFileSync(path('ca.pem'), plane.admin.caPem ?? '');
  const authorization = { credentials_file: path('token') };
  const job = (name: string, metricsPath: string) => ({
    job_name: name,
    scheme: 'https',
    metrics_path: metricsPath,
    authorization,
    tls_config: { ca_file: path('ca.pem'), server_name: KUBELET_SERVER_NAME },
    // Debian builds Prometheus without the discovery of Kubernetes.
    file_sd_configs: [{ files: [path('nodes.json')] }],
  });
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [job('kubelet', '/metrics'), job('kubelet-resource', '/metrics/resource')],
  };
  // JSON is YAML.
  writeFileSync(path('prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await ports.reserve()}`;
  const log = openSync(path('prometheus.log'), 'w');
  prometheus = spawn(
    program,
    [
      `--config.file=${path('prometheus.yml')}`,
      `--storage.tsdb.path=${folder}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', log, log] },
  );
  return `http://${address}`;
}

async function serviceAccountToken(name: string): Promise<string> {
  await send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name } });
  const reply = await send('POST', `/api/v1/namespaces/default/serviceaccounts/${name}/token`, {
    spec: { expirationSeconds: 3_600 },
  });
  return (reply as { status: { token: string } }).status.token;
}

async function statusOf(url: string, token: string): Promise<number> {
  const dispatcher = new Agent({
    connect: { ca: plane.admin.caPem ?? '', servername: KUBELET_SERVER_NAME },
  });
  const headers = { authorization: `Bearer ${token}` };
  const { statusCode, body } = await httpRequest(url, {
    dispatcher,
    headers,
  });
  await body.dump();
  await dispatcher.close();
  return statusCode;
}

async function get<T>(path: string): Promise<T> {
  const reply = await admin.request({ method: 'GET', path });
  if (reply.status !== 200) throw new Error(`GET ${path}: ${reply.status} ${reply.body}`);
  return JSON.parse(reply.body) as T;
}

async function send(method: 'POST' | 'PUT', path: string, body: unknown): Promise<unknown> {
  const reply = await admin.request({ method, path, body: JSON.stringify(body) });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
  return JSON.parse(reply.body);
}

async function until(
  holds: () => Promise<boolean>,
  what: string,
  explain: () => Promise<string> = async () => '',
): Promise<void> {
  for (let attempt = 0; attempt < 80; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 250);
    });
  }
  throw new Error(`waited 60 s in vain for ${what}: ${await explain().catch(String)}`);
}
