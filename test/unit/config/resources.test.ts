import { describe, expect, it } from 'vitest';
import { parseResource, resourceLabel } from '../../../src/config/index.ts';
import { BUILT_IN_RESOURCE_NAMES, pluralOf, resourceOfKind } from '../../../src/config/resources.ts';

describe('resources by name', () => {
  it.each([
    ['pods', { group: '', version: 'v1', plural: 'pods', namespaced: true }],
    ['nodes', { group: '', version: 'v1', plural: 'nodes', namespaced: false }],
    ['deployments.apps', { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true }],
    [
      'leases.coordination.k8s.io',
      { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true },
    ],
    [
      'horizontalpodautoscalers.v1.autoscaling',
      { group: 'autoscaling', version: 'v1', plural: 'horizontalpodautoscalers', namespaced: true },
    ],
    [
      'csinodes.v1.storage.k8s.io',
      { group: 'storage.k8s.io', version: 'v1', plural: 'csinodes', namespaced: false },
    ],
    [
      'widgets.v1alpha2.example.com',
      { group: 'example.com', version: 'v1alpha2', plural: 'widgets', namespaced: true },
    ],
  ])('%s is found', (name, expected) => {
    expect(parseResource(name, undefined)).toEqual(expected);
  });

  it('takes the word of the suite for the scope of those that are not built in only', () => {
    expect(parseResource('widgets.v1.example.com', false)?.namespaced).toBe(false);
    expect(parseResource('pods', false)?.namespaced).toBe(true);
  });

  it.each(['', 'pod', 'Pods', 'deployments', 'widgets.example.com', 'widgets.', '.v1.x', 'a b.v1.x'])(
    '"%s" is none',
    (name) => {
      expect(parseResource(name, undefined)).toBeUndefined();
    },
  );

  it('has each built-in one under its own name once', () => {
    expect(new Set(BUILT_IN_RESOURCE_NAMES).size).toBe(BUILT_IN_RESOURCE_NAMES.length);
    for (const name of BUILT_IN_RESOURCE_NAMES) {
      const resource = parseResource(name, undefined);
      expect(resource === undefined ? undefined : resourceLabel(resource)).toBe(name);
    }
  });

  it('keeps the version of a manifest', () => {
    expect(resourceOfKind('batch/v1', 'CronJob')?.plural).toBe('cronjobs');
    expect(resourceOfKind('autoscaling/v1', 'HorizontalPodAutoscaler')?.version).toBe('v1');
    expect(resourceOfKind('apps/v1', 'Pod')).toBeUndefined();
  });

  it.each([
    ['Endpoints', 'endpoints'],
    ['Ingress', 'ingresses'],
    ['NetworkPolicy', 'networkpolicies'],
    ['IPAddress', 'ipaddresses'],
    ['Gateway', 'gateways'],
    ['CSIStorageCapacity', 'csistoragecapacities'],
    ['Patch', 'patches'],
    ['Box', 'boxes'],
  ])('guesses the plural of %s as %s', (kind, plural) => {
    expect(pluralOf(kind)).toBe(plural);
  });
});
