import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate, type TemplateContext } from '../../../loadgen/objects/compiled-template.ts';
import { FRESH_US, type LiveObject, LiveObjectSet } from '../../../loadgen/objects/live-objects.ts';
import { objectNames } from '../../../loadgen/objects/object-names.ts';
import { markManifest } from '../../../loadgen/objects/run-marks.ts';
import { compileSegments } from '../../../loadgen/objects/segments.ts';
import type { ObjectTemplate } from '../../../src/config/index.ts';
import { seededRandom } from '../../../src/core/index.ts';

const MARKS = {
  labels: { 'hollowmark.dev/run': 'r1' },
  podPlacement: {
    nodeSelector: { 'hollowmark.dev/node': 'hollow' },
    tolerations: [{ key: 'hollowmark.dev/hollow', operator: 'Exists', effect: 'NoSchedule' }],
  },
};
const CONTEXT: TemplateContext = {
  runId: 'run-1',
  phase: 'churn',
  actionKey: 'churn-0',
  seed: 's',
  namespaces: ['ns-a', 'ns-b', 'ns-c'],
  marks: MARKS,
};
const POD: ObjectTemplate = {
  resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
  apiVersion: 'v1',
  kind: 'Pod',
  podCount: 1,
  manifest: {
    metadata: { generateName: 'ignored-', labels: { app: 'web', at: 'i${index}' } },
    spec: {
      containers: [
        { name: 'c', image: 'pause', args: ['--as=${namespace}/${name}', 'sh -c "echo ${HOME}"'] },
      ],
      tolerations: [{ key: 'own', operator: 'Exists' }],
    },
  },
};

describe('object templates', () => {
  it('fill in variables, run labels and placement of a pod', () => {
    const template = compileTemplate(POD, CONTEXT);
    const object = template.objectAt(4);
    expect(object.namespace).toBe('ns-b');
    expect(template.collectionPath(object)).toBe('/api/v1/namespaces/ns-b/pods');
    expect(template.deletePath(object)).toBe(`/api/v1/namespaces/ns-b/pods/${object.name}`);
    expect(JSON.parse(template.render(4, object))).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: object.name,
        namespace: 'ns-b',
        labels: { app: 'web', at: 'i4', 'hollowmark.dev/run': 'r1' },
      },
      spec: {
        containers: [
          { name: 'c', image: 'pause', args: [`--as=ns-b/${object.name}`, 'sh -c "echo ${HOME}"'] },
        ],
        nodeSelector: { 'hollowmark.dev/node': 'hollow' },
        tolerations: [{ key: 'own', operator: 'Exists' }, ...MARKS.podPlacement.tolerations],
      },
    });
  });

  it('give a name of the manifest its variables and keep objects of the cluster out of namespaces', () => {
    const template = compileTemplate(
      {
        resource: { group: 'example.com', version: 'v2', plural: 'widgets', namespaced: false },
        apiVersion: 'example.com/v2',
        kind: 'Widget',
        podCount: 0,
        manifest: { metadata: { name: 'widget-${index}' }, data: '${random} of ${run} in ${phase}' },
      },
      { ...CONTEXT, phase: 'a "quoted" phase' },
    );
    const object = template.objectAt(7);
    expect(object).toEqual({ namespace: '', name: 'widget-7' });
    expect(template.deletePath(object)).toBe(
      '/apis/example.com/v2/widgets/widget-7?propagationPolicy=Background',
    );
    const body = JSON.parse(template.render(7, object));
    expect(body.metadata).toEqual({ name: 'widget-7', labels: MARKS.labels });
    expect(body.data).toMatch(/^[a-z0-9]{10} of run-1 in a "quoted" phase$/);
    expect(template.render(7, object)).toBe(template.render(7, object));
    expect(template.render(7, object)).not.toBe(template.render(8, object));
  });

  it('refuse a name that is none, and a namespaced kind without a namespace', () => {
    expect(() => compileTemplate({ ...POD, manifest: { metadata: { name: 'a"b' } } }, CONTEXT)).toThrow(
      'expected a Kubernetes name, got "a\\"b"',
    );
    expect(() => compileTemplate(POD, { ...CONTEXT, namespaces: [] })).toThrow('pods need a namespace');
  });

  it('render what replacing each variable in the text would give', () => {
    const piece = fc.constantFrom(
      '${name}',
      '${index}',
      '${run}',
      '${other}',
      '$',
      '{',
      '"',
      'text',
      '${namespace}',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const render = compileSegments(text, { run: 'R', phase: 'P' }, { json: false });
        const expected = text
          .replaceAll('${name}', 'N')
          .replaceAll('${index}', '3')
          .replaceAll('${run}', 'R')
          .replaceAll('${namespace}', 'S');
        expect(render({ name: 'N', namespace: 'S', index: 3, random: 'X', scheduler: '' })).toBe(expected);
      }),
    );
  });
});

describe('run marks', () => {
  const podSpec = { containers: [{ name: 'c' }] };
  const placed = { ...podSpec, ...MARKS.podPlacement };
  const labelled = { labels: MARKS.labels };

  it.each([
    {
      kind: 'Deployment',
      manifest: { spec: { replicas: 2, template: { metadata: { labels: { app: 'a' } }, spec: podSpec } } },
      marked: {
        metadata: labelled,
        spec: {
          replicas: 2,
          template: { metadata: { labels: { app: 'a', ...MARKS.labels } }, spec: placed },
        },
      },
    },
    {
      kind: 'CronJob',
      manifest: { spec: { jobTemplate: { spec: { template: { spec: podSpec } } } } },
      marked: {
        metadata: labelled,
        spec: {
          jobTemplate: { metadata: labelled, spec: { template: { metadata: labelled, spec: placed } } },
        },
      },
    },
    {
      kind: 'StatefulSet',
      manifest: {
        spec: { template: { spec: podSpec }, volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
      },
      marked: {
        metadata: labelled,
        spec: {
          template: { metadata: labelled, spec: placed },
          volumeClaimTemplates: [{ metadata: { name: 'data', ...labelled } }],
        },
      },
    },
    {
      kind: 'JobSet',
      manifest: { spec: { replicatedJobs: [{ template: { spec: { template: { spec: podSpec } } } }] } },
      marked: {
        metadata: labelled,
        spec: {
          replicatedJobs: [{ template: { spec: { template: { metadata: labelled, spec: placed } } } }],
        },
      },
    },
    {
      kind: 'ConfigMap',
      manifest: { data: { template: 'a text of that name' } },
      marked: { metadata: labelled, data: { template: 'a text of that name' } },
    },
  ])('reach every pod template of a $kind', ({ kind, manifest, marked }) => {
    expect(markManifest(manifest, kind, MARKS)).toEqual(marked);
  });

  it('do not repeat a toleration that the manifest has', () => {
    const manifest = { spec: { ...podSpec, tolerations: MARKS.podPlacement.tolerations } };
    expect(markManifest(manifest, 'Pod', MARKS)['spec']).toEqual(placed);
  });
});

describe('object names', () => {
  it('are DNS-1035 labels that differ by run, phase, action and index', () => {
    const parts = fc.tuple(fc.string(), fc.string(), fc.string(), fc.nat());
    fc.assert(
      fc.property(parts, ([run, phase, action, index]) => {
        const name = objectNames(run, phase, action)(index);
        expect(name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(46);
        expect(objectNames(run, phase, action)(index)).toBe(name);
        expect(objectNames(`${run}x`, phase, action)(index)).not.toBe(name);
        expect(objectNames(run, `${phase}x`, action)(index)).not.toBe(name);
      }),
    );
  });
});

describe('live objects', () => {
  const object = fc.record({
    namespace: fc.constantFrom('a', 'b'),
    name: fc.constantFrom('x', 'y', 'z', 'w'),
  });
  const step = fc.oneof(fc.record({ add: object }), fc.record({ remove: object }));

  it('hold what was added and not removed, and pick only from that', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const set = new LiveObjectSet(seededRandom('live'));
        const model = new Map<string, LiveObject>();
        for (const one of steps) {
          if ('add' in one) {
            set.add(one.add, 0);
            model.set(JSON.stringify(one.add), one.add);
          } else {
            expect(set.remove(one.remove)).toBe(model.delete(JSON.stringify(one.remove)));
          }
          expect(set.isEmpty).toBe(model.size === 0);
          const picked = set.pick(0);
          if (model.size === 0) expect(picked).toBeUndefined();
          else expect(model.has(JSON.stringify(picked))).toBe(true);
        }
      }),
    );
  });

  it('are left alone while fresh, unless there is nothing else', () => {
    const set = new LiveObjectSet(seededRandom(7));
    set.add({ namespace: 'n', name: 'fresh' }, 900_000);
    expect(set.pick(1_000_000)?.name).toBe('fresh');
    for (let i = 0; i < 9; i++) set.add({ namespace: 'n', name: `old${i}` }, 0);
    const picks = Array.from({ length: 1_000 }, () => set.pick(FRESH_US)?.name);
    expect(picks).not.toContain('fresh');
    expect(Array.from({ length: 1_000 }, () => set.pick(FRESH_US + 900_000)?.name)).toContain('fresh');
  });

  it('are picked evenly, and the same way for the same seed', () => {
    const picks = () => {
      const set = new LiveObjectSet(seededRandom(7));
      for (let i = 0; i < 10; i++) set.add({ namespace: 'n', name: String(i) }, 0);
      return Array.from({ length: 5_000 }, () => Number(set.pick(FRESH_US)?.name));
    };
    const counts = new Array<number>(10).fill(0);
    for (const pick of picks()) counts[pick] = (counts[pick] ?? 0) + 1;
    // 500 expected with a standard deviation of 21.
    expect(Math.min(...counts)).toBeGreaterThan(400);
    expect(Math.max(...counts)).toBeLessThan(600);
    expect(picks()).toEqual(picks());
  });
});
