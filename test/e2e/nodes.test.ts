import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RUN_LABEL } from '../../hollow/index.ts';
import { openConnection } from '../../src/kube/index.ts';
import { hollowmark, untilOutput, workFolder } from '../helpers/cli.ts';
import { startForeignPlane } from '../helpers/foreign-plane.ts';

it('nodes are kept up on a cluster until Ctrl-C, and then removed', async () => {
  await using folder = workFolder();
  await using plane = await startForeignPlane(`${folder.path}/plane`);
  await using connection = await openConnection(plane.access);
  const count = async (path: string) => {
    const reply = await connection.request({ method: 'GET', path });
    return (JSON.parse(reply.body) as { items: unknown[] }).items.length;
  };
  const nodes = `/api/v1/nodes?labelSelector=${encodeURIComponent(RUN_LABEL)}`;
  const bindings = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=${encodeURIComponent(RUN_LABEL)}`;
  const args = ['nodes', '--nodes', '8', '--kubeconfig', plane.kubeconfigPath];
  const env = { XDG_STATE_HOME: folder.path };

  const refused = await hollowmark(args, { cwd: folder.path, env });
  expect(refused.exitCode, refused.all).toBe(2);
  expect(refused.stderr).toContain(`--allow-cluster ${plane.uid}`);
  expect(await count(nodes)).toBe(0);

  const running = hollowmark([...args, '--allow-cluster', plane.uid], { cwd: folder.path, env });
  await untilOutput(running, /8\/8 nodes Ready/);
  expect(await count(nodes)).toBe(8);
  await sleep(1_000);
  running.kill('SIGINT');
  const ended = await running;
  expect(ended.exitCode, ended.all).toBe(0);
  expect(await count(nodes)).toBe(0);
  expect(await count(bindings)).toBe(0);

  const missing = await hollowmark(['nodes'], { cwd: folder.path, env });
  expect(missing.exitCode, missing.all).toBe(2);
  expect(missing.stderr).toContain('hollowmark up');
});
