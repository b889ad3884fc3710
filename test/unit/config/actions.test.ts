import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { isHarnessError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';

const FILES: Record<string, string> = {
  'unit.yaml': [
    '# A Deployment and what goes with it.',
    '---',
    'apiVersion: v1',
    'kind: ConfigMap',
    '---',
    'apiVersion: apps/v1',
    'kind: Deployment',
    'spec: { replicas: 3 }',
  ].join('\n'),
  'broken.yaml': ['apiVersion: v1', 'kind: ConfigMap', '---', 'apiVersion: v1', 'kind: [oops'].join('\n'),
};

const folder = mkdtempSync(join(tmpdir(), 'hollowmark-actions-'));
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function suiteOf(...actions: string[]) {
  const text = [
    'apiVersion: hollowmark.dev/v1',
    'kind: Suite',
    'name: actions',
    'fleet: { nodes: 10 }',
    'load:',
    '  phases:',
    '    - name: one',
    '      actions:',
    ...actions.map((action) => `        - ${action}`),
  ].join('\n');
  return loadSuite({ text, path: 'suite.yaml', cwd: folder }).suite;
}

function problemsOf(...actions: string[]): string {
  try {
    suiteOf(...actions);
    return '';
  } catch (error) {
    return isHarnessError(error) ? error.message : String(error);
  }
}

describe('shapes', () => {
  it('give an action without a duration the length of its steps, and its highest rate', () => {
    const suite = suiteOf(
      '{ action: churn, object: { template: configmap }, lifetime: 5s, shape: { kind: steps, steps: [{ rate: 2/s, for: 10s }, { rate: 6/s, for: 5s }] } }',
    );
    expect(suite.load.phases[0]?.actions[0]).toMatchObject({ durationMs: 15_000, ratePerSecond: 6 });
    expect(planRun(suite).phases[0]?.actions[0]?.calls).toMatchObject([
      { verb: 'create', count: 50, perSecond: 6 },
      { verb: 'delete', count: 50 },
    ]);
  });

  it.each([
    [
      'shape: { kind: ramp, to: 2/s, over: 5s }, rate: 1/s',
      'expected exactly one of rate and shape, got both',
    ],
    ['duration: 5s', 'expected exactly one of rate and shape, got none of them'],
    ['shape: { kind: burst, size: 3, every: 5s }, arrival: poisson, duration: 5s', 'poisson is for rates'],
    ['shape: { kind: wave }, duration: 5s', 'kind'],
  ])('are refused: %s', (keys, message) => {
    expect(problemsOf(`{ action: update, resource: configmaps, ${keys} }`)).toContain(message);
  });
});

describe('units', () => {
  it('come from the documents of a file or a list of manifests', () => {
    const suite = suiteOf(
      '{ action: create, name: a, object: { file: unit.yaml }, count: 2, rate: 1/s }',
      '{ action: create, name: b, object: { manifest: [{ apiVersion: v1, kind: Secret }, { apiVersion: v1, kind: Pod, spec: {} }] }, count: 3, rate: 1/s }',
    );
    expect(suite.load.phases[0]?.actions).toMatchObject([
      { object: { kind: 'ConfigMap', companions: [{ kind: 'Deployment', podCount: 3 }] } },
      { object: { kind: 'Secret', companions: [{ kind: 'Pod', podCount: 1 }] } },
    ]);
    const { totals } = planRun(suite);
    expect(totals).toMatchObject({ objectCount: 10, podCount: 9, callCount: 10, peakPodCount: 9 });
  });

  it('report a problem of a later document with its place in the file', () => {
    expect(problemsOf('{ action: create, object: { file: broken.yaml }, count: 2, rate: 1/s }')).toMatch(
      /broken\.yaml:5:/,
    );
  });

  it('warn of more endpoints than a service is meant to have', () => {
    const object =
      '{ manifest: [{ apiVersion: v1, kind: Service }, { apiVersion: apps/v1, kind: Deployment, spec: { replicas: 300 } }] }';
    const plan = planRun(suiteOf(`{ action: create, object: ${object}, count: 1, rate: 1/s }`));
    expect(plan.warnings.map(({ text }) => text)).toContain(
      '300 endpoints of a service: the published limit is 250',
    );
  });
});

describe('updates and scaling', () => {
  it('roll workloads by default and count the pods that they replace', () => {
    const suite = suiteOf(
      '{ action: create, object: { template: deployment, replicas: 4 }, count: 5, rate: 5/s }',
      '{ action: update, resource: deployments.apps, rate: 2/s, duration: 10s }',
      '{ action: scale, resource: deployments.apps, rate: 1/s, duration: 10s, replicas: [4, 10] }',
    );
    expect(suite.load.phases[0]?.actions[1]).toMatchObject({ rolls: true });
    const [phase] = planRun(suite).phases;
    // 20/s made, 2 x 4 replaced, and scaling adds 6 every other second and removes them again.
    expect(phase?.podsStartedPerSecond).toBe(20 + 8 + 3);
    expect(phase?.podsDeletedPerSecond).toBe(8 + 3);
    expect(planRun(suite).totals.peakPodCount).toBe(5 * 10);
  });

  it('are warned of where the suite has made nothing to change', () => {
    const plan = planRun(suiteOf('{ action: update, resource: secrets, rate: 2/s, duration: 10s }'));
    expect(plan.warnings.map(({ text }) => text).join()).toContain('update secrets in phase one');
  });
});

describe('built-in templates', () => {
  it('refuse a setting that means nothing to them', () => {
    expect(
      problemsOf('{ action: create, object: { template: configmap, replicas: 2 }, count: 1, rate: 1/s }'),
    ).toContain('is for template: deployment or statefulset or job, not for configmap');
    expect(
      suiteOf('{ action: create, object: { template: secret, size: 2KiB }, count: 1, rate: 1/s }').load
        .phases[0]?.actions[0],
    ).toMatchObject({ object: { manifest: { stringData: { payload: 'x'.repeat(2_048) } } } });
  });
});
