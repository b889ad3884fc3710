import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { ConfigError, formatProblem } from '../../../src/core/index.ts';
import { type Plain, plainSuite, readsAction, suiteText } from './suite-text.ts';

function load(thresholds: unknown, changes: Plain = {}) {
  return loadSuite({
    path: 'suite.yaml',
    text: suiteText(plainSuite([readsAction()], { thresholds, ...changes })),
  });
}

function problems(thresholds: unknown): string[] {
  try {
    load(thresholds);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(formatProblem);
  }
}

describe('thresholds of a suite', () => {
  it('are none by default', () => {
    const text = suiteText(plainSuite());
    expect(loadSuite({ path: 'suite.yaml', text }).suite.thresholds).toEqual([]);
  });

  it('are texts, or mappings with what to do when one is missed in mid-run', () => {
    const { suite } = load([
      ' calls_response{verb:get, phase:only}.p99 < 1s ',
      { expr: 'errors.ratio < 5%', abortOnFail: true, grace: '30s' },
    ]);
    expect(suite.thresholds).toEqual([
      { expression: 'calls_response{verb:get, phase:only}.p99 < 1s', abortOnFail: false, graceMs: 0 },
      { expression: 'errors.ratio < 5%', abortOnFail: true, graceMs: 30_000 },
    ]);
  });

  it('leave the fingerprint of the suite alone: they judge figures and change none', () => {
    expect(load(['errors.count == 0']).sha256).toBe(load([]).sha256);
  });

  it('take parameters', () => {
    const { suite } = load(['calls_response.p99 < ${parameters.limit}'], { parameters: { limit: '2s' } });
    expect(suite.thresholds[0]?.expression).toBe('calls_response.p99 < 2s');
  });

  it.each([
    [
      ['pod_statup.p99 < 5s'],
      /^suite\.yaml:\d+:\d+ thresholds\[0\]: unknown metric "pod_statup".*did you mean "pod_startup"/,
    ],
    [
      ['calls_response{vreb:get}.p99 < 5s'],
      /thresholds\[0\]: unknown label of calls_response "vreb".*did you mean "verb"/,
    ],
    [['calls_response{verb:craete}.p99 < 5s'], /unknown verb "craete".*did you mean "create"/],
    [['calls_response{phase:onyl}.p99 < 5s'], /unknown phase "onyl"; known: only \(did you mean "only"\?\)/],
    [['calls_response.p9 < 5s'], /unknown aggregate of calls_response "p9"/],
    [
      [{ expr: 'errors.ration < 5%' }],
      /thresholds\[0\]\.expr: unknown aggregate of errors "ration".*did you mean "ratio"/,
    ],
    [[{ expr: 'errors.ratio < 5%', grace: '30s' }], /thresholds\[0\]\.grace: is for abortOnFail: true/],
    [[{ expr: 'errors.ratio < 5%', abortOnFial: true }], /thresholds\[0\].*abortOnF/],
    [
      [{ expr: 'throughput.count >= 9', abortOnFail: true }],
      /thresholds\[0\]\.abortOnFail: would end every run at once/,
    ],
    [[{ abortOnFail: true }], /thresholds\[0\]/],
    [[7], /thresholds\[0\]: expected a threshold such as .* got 7/],
    ['errors.ratio < 5%', /thresholds: expected a list of thresholds/],
  ])('are refused with their place: %j', (thresholds, message) => {
    const found = problems(thresholds);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('are all looked at, whatever else is wrong', () => {
    expect(
      problems(['nope.p99 < 5s', { expr: 'errors.ratio < 5%', abortOnFail: 'sometimes' }, 'errors.p99 < 1s']),
    ).toHaveLength(3);
  });

  it('load or are refused with a place, whatever they are', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'errors.ratio < 5%',
        'pod_startup{kind:stateless}.p99 < 5s',
        '${parameters.x}',
        '30s',
        '__proto__',
      ),
    );
    const scalar = fc.oneof(word, fc.boolean(), fc.integer(), fc.constant(null));
    const mapping = fc.dictionary(fc.constantFrom('expr', 'abortOnFail', 'grace', 'else'), scalar, {
      maxKeys: 4,
    });
    fc.assert(
      fc.property(fc.oneof(scalar, fc.array(fc.oneof(scalar, mapping), { maxLength: 4 })), (thresholds) => {
        for (const problem of problems(thresholds)) expect(problem).toMatch(/^suite\.yaml:\d+:\d+ /);
      }),
      { numRuns: 200 },
    );
  });
});
