import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUN_LABEL } from '../../hollow/index.ts';
import { parseResource, type ResourceRef } from '../../src/config/index.ts';
import { packageRoot } from '../../src/core/index.ts';
import { type Connection, JsonClient, openConnection } from '../../src/kube/index.ts';
import {
  hollowmark,
  latestResult,
  processesWith,
  SMALL_SUITE,
  untilOutput,
  workFolder,
} from '../helpers/cli.ts';
import { type ForeignPlane, startForeignPlane } from '../helpers/foreign-plane.ts';

const [NODES, PODS, LEASES, NAMESPACES] = ['nodes', 'pods', 'leases.coordination.k8s.io', 'namespaces'].map(
  (name) => {
    const ref = parseResource(name, undefined);
    if (ref === undefined) throw new Error(`no resource ${name}`);
    return ref;
  },
) as [ResourceRef, ResourceRef, ResourceRef, ResourceRef];

describe('hollowmark run --kubeconfig', () => {
  const folder = workFolder();
  let plane: ForeignPlane;
  let connection: Connection;
  let api: JsonClient;

  beforeAll(async () => {
    plane = await startForeignPlane(`${folder.path}/plane`);
    connection = await openConnection(plane.access);
    api = new JsonClient(connection);
  }, 120_000);

  afterAll(async () => {
    await connection?.close();
    await plane?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const attached = (...more: string[]) => ['run', SMALL_SUITE, '--kubeconfig', plane.kubeconfigPath, ...more];

  it('refuses without consent, names the flag that gives it, and touches nothing', async () => {
    const before = (await api.list(NAMESPACES)).items.length;
    const run = await hollowmark(attached(), { cwd: folder.path });
    expect(run.exitCode, run.all).toBe(2);
    expect(run.stderr).toContain(`--allow-cluster ${plane.uid}`);
    expect((await api.list(NAMESPACES)).items.length).toBe(before);
    const wrong = await hollowmark(attached('--allow-cluster', 'another-uid'), { cwd: folder.path });
    expect(wrong.exitCode, wrong.all).toBe(2);
  });

  it('runs commands that break the cluster only with consent of their own, and mends it when it is interrupted', async () => {
    const suite = join(packageRoot(), 'test', 'fixtures', 'suites', 'commands.yaml');
    const broken = ['run', suite, '--kubeconfig', plane.kubeconfigPath, '--allow-cluster', plane.uid];
    const before = (await api.list(NAMESPACES)).items.length;
    const refused = await hollowmark(broken, { cwd: folder.path });
    expect(refused.exitCode, refused.all).toBe(2);
    expect(refused.stderr).toContain(`--allow-faults ${plane.uid}`);
    expect(refused.stderr).toContain('echo broken > induced');
    const wrong = await hollowmark([...broken, '--allow-faults', 'another-uid'], { cwd: folder.path });
    expect(wrong.exitCode, wrong.all).toBe(2);
    expect(existsSync(join(folder.path, 'induced'))).toBe(false);
    expect((await api.list(NAMESPACES)).items.length).toBe(before);

    const running = hollowmark([...broken, '--allow-faults', plane.uid], { cwd: folder.path });
    await untilOutput(running, /phase 1\/1 faults \(command\)/);
    expect(existsSync(join(folder.path, 'healed'))).toBe(false);
    running.kill('SIGINT');
    const run = await running;
    expect(run.exitCode, run.all).toBe(130);
    expect(readFileSync(join(folder.path, 'induced'), 'utf8')).toBe('broken\n');
    expect(readFileSync(join(folder.path, 'healed'), 'utf8')).toBe('mended\n');
    const result = await latestResult(folder.path);
    expect(result.faults?.cards).toMatchObject([{ fault: 'command', state: 'completed' }]);
    expect(result.cleanup.state, result.cleanup.text).toBe('clean');
  });

  it('says of nodes, pods and leases what the cluster says, with a certificate per node, and leaves the cluster as it was', async () => {
    const before = new Set((await api.list(NAMESPACES)).items.map((item) => item.metadata.name));
    const running = hollowmark(
      [
        'run',
        'quickstart',
        ...['--kubeconfig', plane.kubeconfigPath, '--allow-cluster', plane.uid],
        ...['--nodes', '10', '--set', 'load.phases[1].duration=20s', '--set', 'fleet.identity=certificate'],
      ],
      { cwd: folder.path },
    );
    await untilOutput(running, /phase 2\/2 churn/);
    const nodes = (await api.list(NODES, { labelSelector: RUN_LABEL })).items;
    const leases = (await api.list(LEASES, { namespace: 'kube-node-lease' })).items;
    const pods = (await api.list(PODS, { labelSelector: RUN_LABEL })).items;
    await running;
    const run = await running;
    const result = await latestResult(folder.path);
    expect(result.state, run.all).toBe('completed');
    expect(run.exitCode, run.all).toBe(result.verdicts.exitCode);

    expect(nodes.length).toBe(result.fleet.readyCount);
    for (const node of nodes) {
      const { conditions } = node['status'] as { conditions: { type: string; status: string }[] };
      expect(conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');
      const { taints, providerID } = node['spec'] as { taints: { key: string }[]; providerID: string };
      expect(taints.map(({ key }) => key)).toContain('hollowmark.dev/hollow');
      expect(providerID).not.toBe('');
    }
    expect(leases.map((lease) => lease.metadata.name).sort()).toEqual(
      nodes.map((node) => node.metadata.name).sort(),
    );
    const saturated = pods.filter((pod) => pod.metadata.name.startsWith('create-'));
    expect(saturated.length).toBe(result.podStartup.find(({ phase }) => phase === 'saturate')?.createdCount);
    const names = new Set(nodes.map((node) => node.metadata.name));
    for (const pod of saturated) {
      expect((pod['status'] as { phase: string }).phase).toBe('Running');
      expect(names).toContain((pod['spec'] as { nodeName: string }).nodeName);
    }

    expect(result.cleanup.state, result.cleanup.text).toBe('clean');
    expect((await api.list(NODES, { labelSelector: RUN_LABEL })).items).toEqual([]);
    expect((await api.list(LEASES, { namespace: 'kube-node-lease' })).items).toEqual([]);
    const after = (await api.list(NAMESPACES)).items.map((item) => item.metadata.name);
    expect(after.filter((name) => !before.has(name))).toEqual([]);
  });

  it('after kill -9 leaves its objects to `clean --run`, which finds and removes them', async () => {
    const running = hollowmark(attached('--allow-cluster', plane.uid), { cwd: folder.path });
    await untilOutput(running, /phase 2\/2 churn/);
    running.kill('SIGKILL');
    await running;
    // Agents end with their coordinator; nobody ends pods any more.
    const untilMs = Date.now() + 15_000;
    while ((await processesWith('--coordinator http')).length > 0 && Date.now() < untilMs) await sleep(250);
    expect(await processesWith('--coordinator http')).toEqual([]);

    const listed = await hollowmark(['clean', '--kubeconfig', plane.kubeconfigPath], { cwd: folder.path });
    const runId = /clean --run (\S+)/.exec(listed.stdout)?.[1];
    expect(runId, listed.all).toBeDefined();
    const cleaned = await hollowmark(['clean', '--kubeconfig', plane.kubeconfigPath, '--run', runId ?? ''], {
      cwd: folder.path,
    });
    expect(cleaned.exitCode, cleaned.all).toBe(0);
    expect((await api.list(NODES, { labelSelector: RUN_LABEL })).items).toEqual([]);
    expect((await api.list(PODS, { labelSelector: RUN_LABEL })).items).toEqual([]);
    expect((await api.list(NAMESPACES, { labelSelector: RUN_LABEL })).items).toEqual([]);
    const again = await hollowmark(['clean', '--kubeconfig', plane.kubeconfigPath], { cwd: folder.path });
    expect(again.stdout).toContain('no run has left anything');
  });
});
