/** Real limits, provoked on a real control plane: the report names the one that was set. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/core/index.ts';
import { findLimiter } from '../../src/result/index.ts';
import { hollowmark, latestResult, workFolder } from '../helpers/cli.ts';

const SUITE = join(packageRoot(), 'test', 'fixtures', 'suites', 'limits.yaml');

async function runLimited(settings: readonly string[]) {
  await using folder = workFolder();
  const overrides = settings.flatMap((setting) => ['--set', setting]);
  const run = await hollowmark(['run', SUITE, ...overrides], { cwd: folder.path });
  const result = await latestResult(folder.path);
  expect(result.state, run.all).toBe('completed');
  return { finding: findLimiter(result), output: run.all };
}

describe('the limiter of a run', () => {
  it('is the scheduler’s client limit where it may make four calls a second', async () => {
    const { finding, output } = await runLimited([
      'controlPlane.flags.kube-scheduler.kube-api-qps=4',
      'controlPlane.flags.kube-scheduler.kube-api-burst=4',
    ]);
    expect(finding.limiters[0], finding.text).toMatchObject({
      name: 'scheduler client limit',
      subject: 'kube-scheduler-0',
    });
    expect(output).toContain('LIMIT scheduler client limit: kube-scheduler-0');
  });

  it('is the controller manager’s client limit, as upstream sets it, where Deployments make the pods', async () => {
    const { finding } = await runLimited([
      'parameters.template=deployment',
      'parameters.count=20',
      'load.phases[0].actions[0].object.replicas=8',
    ]);
    expect(finding.limiters[0], finding.text).toMatchObject({
      name: 'controller client limit',
      subject: 'kube-controller-manager-0',
    });
  });
});
