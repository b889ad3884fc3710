import { describe, expect, it } from 'vitest';
import { type CreateAction, loadSuite } from '../../../src/config/index.ts';
import { ConfigError, formatProblem } from '../../../src/core/index.ts';
import { createAction, type Plain, plainSuite, suiteText } from './suite-text.ts';

const load = (fleet: Plain, object: Plain = { template: 'pod' }) =>
  loadSuite({
    path: 's.yaml',
    text: suiteText({ ...plainSuite([createAction({ object })]), fleet: { nodes: 10, ...fleet } }),
  }).suite;

function problemsOf(...given: Parameters<typeof load>): string[] {
  try {
    load(...given);
    return [];
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map((problem) => formatProblem(problem).replace(/^s.yaml:\d+:\d+ +/, ''));
    throw error;
  }
}

const manifest = (metadata: Plain): Plain => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {},
  spec: { replicas: 2, template: { metadata, spec: { containers: [{ name: 'c', image: 'i' }] } } },
});

describe('fleet.behaviours', () => {
  it('resolve to milliseconds and lists, without what was not said', () => {
    const { fleet } = load({
      behaviours: {
        flaky: {
          start: '1s..2s',
          run: '10s',
          exitCode: [0, 1],
          exits: 3,
          unready: { every: '10s..20s', for: '2s' },
          pressure: { on: 'memory', after: '1m' },
          containers: { migrate: { run: '5s', exitCode: 2 } },
        },
      },
    });
    expect(fleet.behaviours).toEqual({
      flaky: {
        startMs: { low: 1_000, high: 2_000 },
        main: {
          runMs: { low: 10_000, high: 10_000 },
          exitCodes: [0, 1],
          exitCount: 3,
          unready: { everyMs: { low: 10_000, high: 20_000 }, forMs: { low: 2_000, high: 2_000 } },
          pressure: { resource: 'memory', afterMs: { low: 60_000, high: 60_000 } },
        },
        containers: { migrate: { runMs: { low: 5_000, high: 5_000 }, exitCodes: [2] } },
      },
    });
  });

  it('travel to agents as JSON without a loss', () => {
    const { behaviours } = load({ behaviours: { a: { run: '1s', oomKilled: true } } }).fleet;
    expect(JSON.parse(JSON.stringify(behaviours))).toEqual(behaviours);
  });

  it('name every problem with its place', () => {
    const problems = problemsOf({
      behaviours: { 'Not A Name': {}, crash: { run: 'soon', exitCode: 256, restarts: 3 } },
    });
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).toMatch(/fleet\.behaviours\.crash\.run.*expected a duration/);
    expect(problems.join('\n')).toMatch(/fleet\.behaviours\.crash\.exitCode.*from 0 to 255/);
  });

  it('are none of what compat: kubemark can do', () => {
    expect(problemsOf({ compat: 'kubemark', behaviours: { a: {} } }).join()).toContain('fleet.behaviours');
  });
});

describe('an object of the load', () => {
  const behaviours = { worker: { run: '1s' } };

  it('gets the annotation on its pods where it names a behaviour', () => {
    const suite = load({ behaviours }, { template: 'job', behaviour: 'worker' });
    const action = suite.load.phases[0]?.actions[0] as CreateAction;
    const { spec } = action.object.manifest as { spec: { template: { metadata: { annotations: object } } } };
    expect(spec.template.metadata.annotations).toEqual({ 'hollowmark.dev/behaviour': 'worker' });
  });

  it.each([
    {
      why: 'unknown name',
      object: { template: 'pod', behaviour: 'wroker' },
      problem: /object\.behaviour.*"wroker" is no behaviour of fleet\.behaviours \(did you mean "worker"\?\)/,
    },
    {
      why: 'unknown name in a manifest',
      object: { manifest: manifest({ annotations: { 'hollowmark.dev/behaviour': 'none' } }) },
      problem: /manifest\.spec\.template\.metadata\.annotations.*"none" is no behaviour/,
    },
    {
      why: 'bad value of a single setting',
      object: { manifest: manifest({ annotations: { 'hollowmark.dev/run': 'soon' } }) },
      problem: /expected a duration such as 20s.*got "soon"/,
    },
    {
      why: 'bad exit code',
      object: { manifest: manifest({ annotations: { 'hollowmark.dev/exit-code': '0,999' } }) },
      problem: /expected an exit code from 0 to 255/,
    },
    {
      why: 'no pods',
      object: { template: 'configmap', behaviour: 'worker' },
      problem: /a ConfigMap makes no pods/,
    },
  ])('is refused: $why', ({ object, problem }) => {
    const problems = problemsOf({ behaviours }, object);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  it('may leave a name to a variable', () => {
    const metadata = { labels: { 'hollowmark.dev/behaviour': 'worker-${index}' } };
    expect(problemsOf({ behaviours }, { manifest: manifest(metadata) })).toEqual([]);
  });
});
