import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadSuite, type SuiteOverrides, TOPOLOGIES } from '../../../src/config/index.ts';
import { ConfigError, formatProblem } from '../../../src/core/index.ts';
import { churnAction, createAction, type Plain, plainSuite, readsAction, suiteText } from './suite-text.ts';

const load = (suite: Plain, overrides?: SuiteOverrides) =>
  loadSuite({ path: 'suite.yaml', text: suiteText(suite) }, overrides).suite;

/** Every problem of the text, as printed; empty if there is none. */
function problemsOf(text: string, overrides?: SuiteOverrides): string[] {
  try {
    loadSuite({ path: 'suite.yaml', text }, overrides);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('a suite that is valid', () => {
  it('comes back with defaults filled in and sizes worked out for the fleet', () => {
    const suite = load(
      plainSuite([createAction({ count: '2.5/node' })], {
        fleet: { nodes: 1_001 },
        load: {
          namespaces: '0.01/node',
          phases: [{ name: 'only', actions: [createAction({ count: '2.5/node' })] }],
        },
      }),
    );
    expect(suite.fleet).toMatchObject({
      nodeCount: 1_001,
      agentCount: 2,
      rampPerSecond: 20,
      leaseDurationMs: 40_000,
      events: true,
      nodeObjectBytes: 15_360,
    });
    expect(suite.load.namespaceCount).toBe(10);
    expect(suite.load.phases[0]?.actions[0]).toMatchObject({
      name: 'create',
      objectCount: 2_503,
      ratePerSecond: 5,
    });
    expect(suite.slo).toEqual({
      judge: ['client-slo', 'official-sli'],
      mutatingLimitMs: 1_000,
      readResourceLimitMs: 1_000,
      readNamespaceLimitMs: 30_000,
      readClusterLimitMs: 30_000,
      podStartupLimitMs: 5_000,
      quantile: 0.99,
    });
  });

  it('is frozen through and through', () => {
    const suite = load(plainSuite([createAction()]));
    const action = suite.load.phases[0]?.actions[0];
    expect(Object.isFrozen(suite.fleet.capacity)).toBe(true);
    expect(action?.action === 'create' && Object.isFrozen(action.object.manifest['spec'])).toBe(true);
  });

  it('gives actions without a duration that of their phase, and unnamed ones names of their own', () => {
    const actions = load(plainSuite([readsAction(), { ...readsAction(), duration: '5s' }, churnAction()]))
      .load.phases[0]?.actions;
    expect(actions).toMatchObject([
      { name: 'reads', durationMs: 60_000 },
      { name: 'reads-2', durationMs: 5_000 },
      { name: 'churn', durationMs: 60_000, lifetimeMs: 10_000 },
    ]);
  });

  it('makes a kubemark node as quick as upstream has it, without events', () => {
    const { fleet } = load(
      plainSuite(undefined, { fleet: { nodes: 1, compat: 'kubemark', pods: { stop: '1s' } } }),
    );
    expect(fleet.events).toBe(false);
    expect(fleet.pods).toEqual({
      sandboxMs: { low: 200, high: 350 },
      startMs: { low: 20, high: 150 },
      stopMs: { low: 1_000, high: 1_000 },
    });
  });

  it('has a hash that comments and names do not change, and that what is asked does', () => {
    const text = suiteText(plainSuite());
    const hash = (changed: string, overrides?: SuiteOverrides) =>
      loadSuite({ path: 'x.yaml', text: changed }, overrides).sha256;
    expect(hash(`# a comment\n${text}`)).toBe(hash(text));
    expect(hash(text.replace('name: small', 'name: other'))).toBe(hash(text));
    expect(hash(text, { set: ['controlPlane.version=v1.35.0'] })).toBe(hash(text));
    expect(hash(text, { set: ['controlPlane.flags.etcd.quota-backend-bytes=1'] })).not.toBe(hash(text));
    expect(hash(text, { nodes: 11 })).not.toBe(hash(text));
    expect(hash(text.replace('5/s', '300/m'))).toBe(hash(text));
  });
});

describe('problems', () => {
  it('are listed all at once, from the top of the file to its end, each with its place and its remedy', () => {
    const text = [
      'apiVersion: hollowmark.dev/v1',
      'kind: Suite',
      'name: Wrong_Name',
      'fleet:',
      '  nodes: 10',
      '  conections: shared',
      'load:',
      '  phases:',
      '    - name: same',
      '      actions:',
      '        - { action: create, object: { template: pods }, count: 5, rate: 20x }',
      '        - { action: chrun }',
      '    - name: same',
      '      duration: 60s',
      '      actions:',
      '        - { action: watches, resource: deployments, count: 5 }',
      '        - { action: reads, rate: 5/s, mix: [{ verb: list, resource: nodes, scope: namespace }] }',
      '        - { action: reads, rate: 5, mix: [] }',
    ].join('\n');
    expect(problemsOf(text)).toEqual([
      'suite.yaml:3:7 name: expected a name of lower-case letters, digits and dashes, at most 40, starting with a letter, got "Wrong_Name"',
      expect.stringMatching(
        /^suite\.yaml:6:3 fleet\.conections: unknown key \(did you mean "connections"\?\); known here: nodes, agents,/,
      ),
      'suite.yaml:11:49 load.phases[0].actions[0].object.template: expected one of pod, deployment, statefulset, daemonset, job, service, configmap, secret, namespace, got "pods" (did you mean "pod"?)',
      'suite.yaml:11:73 load.phases[0].actions[0].rate: expected a rate such as 20/s or 90/m, above 0, got "20x"',
      'suite.yaml:12:21 load.phases[0].actions[1].action: expected one of create, churn, update, scale, reads, watches, probes, storm, got "chrun" (did you mean "churn"?)',
      'suite.yaml:13:13 load.phases[1].name: expected a name of its own, got "same" a second time',
      'suite.yaml:16:40 load.phases[1].actions[0].resource: expected a resource such as pods or deployments.apps, or PLURAL.VERSION.GROUP for one that is not built in, got "deployments" (did you mean "deployments.apps"?)',
      'suite.yaml:17:83 load.phases[1].actions[1].mix[0].scope: nodes is not namespaced: expected cluster, got "namespace"',
      'suite.yaml:18:34 load.phases[1].actions[2].rate: expected a rate such as 20/s or 90/m, above 0, got 5',
      'suite.yaml:18:42 load.phases[1].actions[2].mix: expected at least one read, got []',
    ]);
  });

  it.each([
    { why: 'an empty file', text: '', problem: 'suite.yaml:1:1: the file is empty' },
    { why: 'only comments', text: '# nothing\n', problem: 'suite.yaml:1:1: the file is empty' },
    { why: 'no mapping', text: '42', problem: 'suite.yaml:1:1: expected a mapping, got 42' },
    {
      why: 'two documents',
      text: 'a: 1\n---\nb: 2\n',
      problem: 'suite.yaml:3:1: expected one document, got 2',
    },
    {
      why: 'an alias of itself',
      text: 'a: &a [*a]',
      problem: 'suite.yaml:1:1: not valid YAML: converting circular structure to JSON',
    },
    {
      why: 'no such anchor',
      text: 'a: *b',
      problem: 'suite.yaml:1:4: not valid YAML: there is no anchor &b before this alias',
    },
  ])('names what is wrong with $why', ({ text, problem }) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('finds duplicate keys and goes on to the rest', () => {
    const text = `${suiteText(plainSuite())}seed: 1\nseed: x\n`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^suite\.yaml:\d+:1: this key is there twice$/),
      expect.stringMatching(/seed: expected a whole number from 0 to \d+, got "x"$/),
    ]);
  });

  it.each([
    {
      why: 'a certificate cannot name many nodes',
      suite: plainSuite(undefined, { fleet: { nodes: 1, identity: 'certificate', connections: 'shared' } }),
      path: 'fleet.connections',
    },
    {
      why: 'an agent needs a node',
      suite: plainSuite(undefined, { fleet: { nodes: 2, agents: 3 } }),
      path: 'fleet.agents',
    },
    {
      why: 'kubemark posts no events',
      suite: plainSuite(undefined, { fleet: { nodes: 2, compat: 'kubemark', events: true } }),
      path: 'fleet.events',
    },
    {
      why: 'leases have whole seconds',
      suite: plainSuite(undefined, { fleet: { nodes: 2, leaseDuration: '4500ms' } }),
      path: 'fleet.leaseDuration',
    },
    {
      why: 'NodeRestriction refuses the label',
      suite: plainSuite(undefined, {
        fleet: { nodes: 2, labels: { 'node-restriction.kubernetes.io/a': 'b' } },
      }),
      path: 'fleet.labels["node-restriction.kubernetes.io/a"]',
    },
    {
      why: 'an attached cluster has its own version',
      suite: plainSuite(undefined, { controlPlane: { provider: 'kubeconfig', version: 'v1.36.3' } }),
      path: 'controlPlane.version',
    },
    {
      why: 'an attached cluster has its own flags',
      suite: plainSuite(undefined, { controlPlane: { provider: 'kubeconfig', flags: { etcd: { a: 1 } } } }),
      path: 'controlPlane.flags',
    },
    {
      why: 'nothing runs without nodes',
      suite: plainSuite([createAction({ waitFor: 'running' })], { fleet: { nodes: 0 } }),
      path: 'load.phases[0].actions[0].waitFor',
    },
    {
      why: 'a ConfigMap never runs',
      suite: plainSuite([
        createAction({ waitFor: 'running', object: { manifest: { apiVersion: 'v1', kind: 'ConfigMap' } } }),
      ]),
      path: 'load.phases[0].actions[0].waitFor',
    },
    {
      why: 'pods beyond what nodes take',
      suite: plainSuite([createAction({ count: '111/node', waitFor: 'running' })]),
      path: 'load.phases[0].actions[0].count',
    },
    {
      why: 'pods beyond what the CPU takes',
      suite: plainSuite([createAction({ count: '101/node', waitFor: 'running' })], {
        fleet: { nodes: 10, capacity: { cpu: 1 } },
      }),
      path: 'load.phases[0].actions[0].count',
    },
    {
      why: 'churn on full nodes',
      suite: plainSuite([createAction({ count: '110/node' }), churnAction()]),
      path: 'load.phases[0].actions[1].lifetime',
    },
    {
      why: 'a lifetime over the duration deletes nothing',
      suite: plainSuite([churnAction({ lifetime: '61s' })]),
      path: 'load.phases[0].actions[0].lifetime',
    },
    {
      why: 'names are unique in a phase',
      suite: plainSuite([
        { ...readsAction(), name: 'a' },
        { ...readsAction(), name: 'a' },
      ]),
      path: 'load.phases[0].actions[1].name',
    },
    {
      why: 'nothing in the phase takes time',
      suite: plainSuite(undefined, {
        load: { phases: [{ name: 'only', actions: [{ action: 'watches', resource: 'pods', count: 1 }] }] },
      }),
      path: 'load.phases[0].duration',
    },
    {
      why: 'no duration anywhere',
      suite: plainSuite(undefined, { load: { phases: [{ name: 'only', actions: [readsAction()] }] } }),
      path: 'load.phases[0].actions[0].duration',
    },
    {
      why: 'less than one of a size',
      suite: plainSuite([createAction({ count: '0.01/node' })]),
      path: 'load.phases[0].actions[0].count',
    },
    {
      why: 'a get has no selector',
      suite: plainSuite([
        { ...readsAction(), mix: [{ verb: 'get', resource: 'pods', labelSelector: 'a=b' }] },
      ]),
      path: 'load.phases[0].actions[0].mix[0].labelSelector',
    },
    {
      why: 'a get has no pages',
      suite: plainSuite([
        { ...readsAction(), mix: [{ verb: 'get', resource: 'pods', consistency: 'paged' }] },
      ]),
      path: 'load.phases[0].actions[0].mix[0].consistency',
    },
    {
      why: 'a limit is for pages',
      suite: plainSuite([
        { ...readsAction(), mix: [{ verb: 'list', resource: 'pods', consistency: 'cached', limit: 5 }] },
      ]),
      path: 'load.phases[0].actions[0].mix[0].limit',
    },
    {
      why: 'pods are namespaced',
      suite: plainSuite([{ action: 'watches', resource: 'pods', namespaced: false, count: 1 }]),
      path: 'load.phases[0].actions[0].resource',
    },
  ])('refuses what cannot work: $why', ({ suite, path }) => {
    const problems = problemsOf(suiteText(suite));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(` ${path}: `);
  });

  it('puts the file of a template, its line and what is wrong there into the message', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hollowmark-suite-'));
    folders.push(folder);
    writeFileSync(join(folder, 'broken.yaml'), 'apiVersion: v1\nkind: [');
    const object = (file: string) => suiteText(plainSuite([createAction({ object: { file } })]));
    const problems = (file: string) => {
      try {
        loadSuite({ path: 'suite.yaml', text: object(file), cwd: folder });
        return [];
      } catch (error) {
        return error instanceof ConfigError ? error.problems.map(({ message }) => message) : [String(error)];
      }
    };
    expect(problems('broken.yaml')).toEqual([expect.stringMatching(/^broken\.yaml:2:8: not valid YAML/)]);
    expect(problems('nowhere.yaml')).toEqual([expect.stringMatching(/^cannot read "nowhere\.yaml": ENOENT/)]);
  });
});

describe('overrides', () => {
  const text = suiteText(
    plainSuite([readsAction()], { parameters: { rate: '5/s' }, description: '${parameters.rate}' }),
  );

  it('reach into lists, make mappings on the way, and are recorded in order', () => {
    const set = [
      'load.phases[0].actions[0].rate=7/s',
      'fleet.capacity.pods=50',
      'fleet.labels["a.b/c"]=d',
      'fleet.nodes=3',
    ];
    const loaded = loadSuite({ path: 's.yaml', text }, { set, nodes: '4' });
    expect(loaded.suite.load.phases[0]?.actions[0]).toMatchObject({ ratePerSecond: 7 });
    expect(loaded.suite.fleet).toMatchObject({
      nodeCount: 4,
      capacity: { podCount: 50 },
      labels: { 'a.b/c': 'd' },
    });
    expect(loaded.overrides).toEqual([...set, 'fleet.nodes=4']);
  });

  it('are named as the place of what is wrong with them', () => {
    const set = [
      'nonsense',
      'load.phases[9].name=x',
      'fleet.nodes.more=1',
      'parameters.rat=6/s',
      'fleet.ramp=20x',
      'fleet.nods=1',
      'seed=[',
      'load.phases.x=1',
    ];
    expect(problemsOf(text, { set, nodes: 'many' })).toEqual([
      '--set: expected path=value such as fleet.nodes=50 or load.phases[0].actions[0].rate=5/s, got "nonsense"',
      '--set load.phases[9].name: load.phases has 1 entries, the last is [0]',
      '--set fleet.nodes.more: fleet.nodes holds a single value, nothing inside it can be set',
      '--set parameters.rat: the suite has no parameter "rat" (did you mean "rate"?)',
      '--set seed: expected a YAML value, got "["',
      '--set load.phases.x: load.phases is a list: expected an index such as [0]',
      expect.stringMatching(/^--nodes fleet\.nodes: expected a whole number from 0 to 100000, got "many"$/),
      expect.stringMatching(/^--set fleet\.ramp: expected a rate .* got "20x"$/),
      expect.stringMatching(/^--set fleet\.nods: unknown key \(did you mean "pods"\?\)/),
    ]);
  });

  it('leave out what a suite says of a local control plane when the command line attaches to a cluster', () => {
    const local = suiteText(
      plainSuite(undefined, {
        controlPlane: { provider: 'local', profile: 'fast', flags: { etcd: { a: 1 } } },
      }),
    );
    const { suite, overrides } = loadSuite({ path: 's.yaml', text: local }, { attach: true });
    expect(suite.controlPlane).toEqual({
      provider: 'kubeconfig',
      version: 'v1.36.3',
      topology: TOPOLOGIES.single.settings,
      profile: 'production-like',
      flags: {},
      eventsEtcd: false,
    });
    expect(overrides).toEqual(['controlPlane.provider=kubeconfig']);
    expect(problemsOf(local, { attach: true, set: ['controlPlane.profile=fast'] })).toEqual([
      '--set controlPlane.profile: is for provider: local; an attached cluster is as it is',
    ]);
  });
});

describe('parameters', () => {
  it('keep their type alone and become text inside text, also in manifests', () => {
    const suite = load(
      plainSuite(
        [
          createAction({
            count: '${parameters.count}',
            object: {
              manifest: {
                apiVersion: 'v1',
                kind: 'ConfigMap',
                data: { text: 'n=${parameters.count} ${name} ${HOME}' },
              },
            },
          }),
        ],
        { parameters: { count: 7 } },
      ),
      { set: ['parameters.count=8'] },
    );
    expect(suite.load.phases[0]?.actions[0]).toMatchObject({
      objectCount: 8,
      object: { manifest: { data: { text: 'n=8 ${name} ${HOME}' } } },
    });
  });

  it('must be there, be used and be plain', () => {
    expect(
      problemsOf(
        suiteText(plainSuite(undefined, { description: '${parameters.rat}', parameters: { rate: 1 } })),
      ),
    ).toEqual([
      'suite.yaml:16:14 description: there is no parameter "rat" (did you mean "rate"?)',
      'suite.yaml:18:3 parameters.rate: nothing refers to this parameter',
    ]);
    expect(
      problemsOf(
        suiteText(plainSuite(undefined, { description: '${parameters.a}', parameters: { a: [1] } })),
      ),
    ).toEqual([expect.stringMatching(/parameters\.a: expected text, a number, true or false, got \[1\]$/)]);
  });
});
