import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSuite, type ObjectTemplate } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/core/index.ts';
import { createAction, plainSuite, suiteText } from './suite-text.ts';

function objectOf(object: Record<string, unknown>, cwd?: string): ObjectTemplate {
  const text = suiteText(plainSuite([createAction({ object })]));
  const { suite } = loadSuite({ path: 'suites/suite.yaml', text, ...(cwd === undefined ? {} : { cwd }) });
  const action = suite.load.phases[0]?.actions[0];
  if (action?.action !== 'create') throw new Error('expected the create action');
  return action.object;
}

function problemOf(object: Record<string, unknown>): string {
  try {
    objectOf(object);
    return 'none';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems
      .map(({ path, message }) => `${path.replace('load.phases[0].actions[0].', '')}: ${message}`)
      .join('\n');
  }
}

const widget = { apiVersion: 'example.com/v1', kind: 'Widget' };

describe('built-in templates', () => {
  it('have pods that Pod Security admits at the level restricted, that count as stateless and have no probes', () => {
    const pod = objectOf({ template: 'pod' });
    expect(pod).toMatchObject({ kind: 'Pod', podCount: 1, resource: { plural: 'pods', namespaced: true } });
    expect(pod.manifest['metadata']).toMatchObject({ name: '${name}', namespace: '${namespace}' });
    expect(pod.manifest['spec']).toEqual({
      containers: [
        {
          name: 'main',
          image: 'registry.k8s.io/pause:3.10',
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
        },
      ],
      securityContext: { runAsNonRoot: true, runAsUser: 65_535, seccompProfile: { type: 'RuntimeDefault' } },
      terminationGracePeriodSeconds: 1,
    });
  });

  it('have a deployment whose selector selects its own pods only', () => {
    const deployment = objectOf({ template: 'deployment', replicas: 3 });
    expect(deployment).toMatchObject({
      apiVersion: 'apps/v1',
      podCount: 3,
      resource: { group: 'apps', version: 'v1', plural: 'deployments' },
      manifest: {
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: '${name}' } },
          template: { metadata: { labels: { app: '${name}' } } },
        },
      },
    });
    expect(objectOf({ template: 'deployment' }).podCount).toBe(1);
  });
});

describe('manifests', () => {
  it('get a name and a namespace of their own', () => {
    expect(objectOf({ manifest: { ...widget, metadata: { labels: { a: 'b' } } } })).toEqual({
      resource: { group: 'example.com', version: 'v1', plural: 'widgets', namespaced: true },
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      manifest: { ...widget, metadata: { labels: { a: 'b' }, name: '${name}', namespace: '${namespace}' } },
      podCount: 0,
    });
    expect(
      objectOf({ manifest: { ...widget, metadata: { name: 'w-${index}' } }, namespaced: false }).manifest,
    ).toEqual({ ...widget, metadata: { name: 'w-${index}' } });
  });

  it('of kinds with a plural that custom does not tell take it from the suite', () => {
    expect(
      objectOf({
        manifest: { apiVersion: 'example.com/v1', kind: 'Fish' },
        resource: 'fish.v1.example.com',
        pods: 2,
      }),
    ).toMatchObject({ resource: { plural: 'fish' }, podCount: 2 });
  });

  it.each([
    ['Pod', 'v1', {}, 1],
    ['StatefulSet', 'apps/v1', { replicas: 4 }, 4],
    ['ReplicaSet', 'apps/v1', {}, 1],
    ['Job', 'batch/v1', { parallelism: 3 }, 3],
    ['DaemonSet', 'apps/v1', {}, 10],
    ['CronJob', 'batch/v1', {}, 0],
    ['Service', 'v1', {}, 0],
  ])('of kind %s stand for their pods', (kind, apiVersion, spec, pods) => {
    expect(objectOf({ manifest: { apiVersion, kind, spec } }).podCount).toBe(pods);
  });

  it('are read from files beside the suite', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hollowmark-objects-'));
    mkdirSync(join(folder, 'suites'));
    writeFileSync(join(folder, 'suites', 'widget.yaml'), 'apiVersion: example.com/v1\nkind: Widget\n');
    expect(objectOf({ file: 'widget.yaml' }, folder).resource.plural).toBe('widgets');
    rmSync(folder, { recursive: true });
  });

  it.each([
    [{}, 'object: expected exactly one of template, manifest and file, got none of them'],
    [
      { template: 'pod', manifest: widget },
      'object: expected exactly one of template, manifest and file, got template and manifest',
    ],
    [
      { template: 'pod', replicas: 2 },
      'object.replicas: is for template: deployment or statefulset or job, not for pod',
    ],
    [
      { manifest: widget, replicas: 2 },
      'object.replicas: is for built-in templates; a manifest says its own',
    ],
    [{ template: 'pod', pods: 2 }, 'object.pods: is for manifests; a built-in template knows it'],
    [
      { manifest: { kind: 'Pod' } },
      'object.manifest.apiVersion: expected an API version such as v1 or apps/v1, got undefined',
    ],
    [
      { manifest: { apiVersion: 'v1', kind: 'pod' } },
      'object.manifest.kind: expected a kind such as ConfigMap, got "pod"',
    ],
    [
      { manifest: { ...widget, metadata: { name: 'same' } } },
      'object.manifest.metadata.name: expected a name with ${name}, ${index} or ${random} in it, or none, since every object needs its own; got "same"',
    ],
    [
      { manifest: { ...widget, metadata: { generateName: 'w-' } } },
      'object.manifest.metadata.generateName: names are given by the load, so that the same seed makes the same ones',
    ],
    [
      { manifest: { ...widget, metadata: { namespace: 'default' } } },
      'object.manifest.metadata.namespace: expected ${namespace} or none, since objects go to the load\'s own namespaces; got "default"',
    ],
    [
      { manifest: { apiVersion: 'v1', kind: 'Namespace', metadata: { namespace: 'a' } } },
      'object.manifest.metadata.namespace: namespaces are not namespaced',
    ],
    [
      { manifest: { apiVersion: 'v1', kind: 'Pod' }, namespaced: false },
      'object.namespaced: Pod is namespaced',
    ],
    [
      { manifest: widget, resource: 'pods' },
      'object.resource: expected a resource of the manifest\'s group "example.com", got "pods"',
    ],
    [{ manifest: { ...widget, metadata: 'x' } }, 'object.manifest.metadata: expected a mapping, got "x"'],
    [
      { manifest: { ...widget, data: 'x'.repeat(1_600_000 / 2) + '${name}'.repeat(120_000) } },
      expect.stringMatching(/at most 1 MiB/),
    ],
  ])('are refused: %#', (object, problem) => {
    expect(problemOf(object)).toEqual(problem);
  });
});
