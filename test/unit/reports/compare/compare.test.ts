import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CompareOptions,
  compareRuns,
  loadAssets,
  renderComparisonHtml,
  renderComparisonJson,
  renderComparisonMarkdown,
  renderComparisonTerminal,
} from '../../../../reports/index.ts';
import { seededRandom } from '../../../../src/core/index.ts';
import type { RunResult } from '../../../../src/result/index.ts';
import { buildReportClient } from '../../../helpers/report-client.ts';
import { histogramOf, podStartup, runResult } from '../../../helpers/results.ts';
import { syntheticPairs, syntheticRun } from '../../../helpers/sample-comparison.ts';
import { sampleRun } from '../../../helpers/sample-run.ts';

const BASE: CompareOptions = { labels: { a: 'before', b: 'after' }, toolVersion: '0.1.0' };
const PAIRED: CompareOptions = { ...BASE, design: 'paired' };

function withFingerprint(changes: Partial<RunResult['fingerprint']>): Partial<RunResult> {
  return { fingerprint: { ...runResult().fingerprint, ...changes } };
}

function verdictOf(comparison: ReturnType<typeof compareRuns>, id: string) {
  return comparison.metrics.find(({ metric }) => metric.id === id)?.verdict;
}

describe('comparison of an experiment', () => {
  it('finds an injected slow-down of 30 % in the calls it is in, and exits 1', () => {
    const { a, b } = syntheticPairs(10, 'slow', { mutating: 1.3 });
    const comparison = compareRuns(a, b, PAIRED);
    expect(comparison.exitCode).toBe(1);
    expect(comparison.verdict).toBe('REGRESSION');
    expect(verdictOf(comparison, 'mutating.p99')).toBe('REGRESSION');
    expect(verdictOf(comparison, 'pod_startup.p99')).not.toBe('REGRESSION');
    const effect = comparison.metrics.find(({ metric }) => metric.id === 'mutating.p99');
    expect(effect?.ratio).toBeGreaterThan(1.2);
    expect(effect?.ratio).toBeLessThan(1.4);
    expect(comparison.text).toContain('mutating calls, p99');
  });

  it('calls a speed-up an improvement and exits 0', () => {
    const { a, b } = syntheticPairs(12, 'fast', { mutating: 0.6, reads: 0.6, pods: 0.6 }, { noise: 0.02 });
    expect(compareRuns(a, b, PAIRED)).toMatchObject({ verdict: 'IMPROVEMENT', exitCode: 0 });
  });

  it('shows that quiet equal runs are equivalent, and exits 0', () => {
    const { a, b } = syntheticPairs(10, 'same', {}, { noise: 0.01 });
    const comparison = compareRuns(a, b, PAIRED);
    expect(comparison).toMatchObject({ verdict: 'EQUIVALENT', exitCode: 0 });
  });

  it('does not take noise that both runs of a pair share for a difference', () => {
    const { a, b } = syntheticPairs(10, 'shared', {}, { noise: 0.01, sharedNoise: 0.5 });
    expect(compareRuns(a, b, PAIRED).verdict).toBe('EQUIVALENT');
    expect(compareRuns(a, b, BASE).verdict).toBe('INCONCLUSIVE');
  });

  it('decides nothing with one pair, says how many it takes, and exits 4', () => {
    const { a, b } = syntheticPairs(1, 'one', { mutating: 5 });
    const comparison = compareRuns(a, b, PAIRED);
    // Six figures: 2 / 2^n <= 0.05 / 6 from 8 pairs on.
    expect(comparison).toMatchObject({
      verdict: 'INCONCLUSIVE',
      exitCode: 4,
      minimumCount: 8,
      enough: false,
    });
    expect(comparison.text).toContain('1 pair, and 6 figures need at least 8 pairs');
    expect(comparison.metrics.every((metric) => metric.moreNeeded === 7)).toBe(true);
  });

  it('needs fewer pairs for fewer figures, chosen by name', () => {
    const { a, b } = syntheticPairs(6, 'chosen', { mutating: 1.5 });
    const comparison = compareRuns(a, b, { ...PAIRED, metrics: ['mutating.p99'] });
    expect(comparison).toMatchObject({ minimumCount: 6, verdict: 'REGRESSION' });
    expect(() => compareRuns(a, b, { ...PAIRED, metrics: ['mutating.p98'] })).toThrow(/mutating\.p99/);
  });

  it('drops a pair whole when one of its runs is INVALID, and says so', () => {
    const { a, b } = syntheticPairs(9, 'invalid', {});
    const run = b[3];
    if (run === undefined) throw new Error('there are nine pairs');
    run.verdicts.trust = {
      state: 'INVALID',
      checks: [{ name: 'slip', state: 'INVALID', text: 'late' }],
      notes: [],
    };
    const comparison = compareRuns(a, b, PAIRED);
    expect(comparison.pairCount).toBe(8);
    expect(comparison.leftOut.map(({ runId }) => runId)).toEqual(['a-4', 'b-4']);
    expect(comparison.leftOut[1]?.why).toBe('INVALID (slip)');
  });
});

describe('comparison of two sets of runs', () => {
  const set = (name: string, count: number, side: Parameters<typeof syntheticRun>[2]) => {
    const random = seededRandom(name);
    return Array.from({ length: count }, (_, i) => syntheticRun(`${name}-${i}`, random, side));
  };

  it('finds a slow-down with six runs on each side', () => {
    const comparison = compareRuns(set('old', 6, {}), set('new', 6, { pods: 1.6 }), BASE);
    expect(comparison.design).toBe('independent');
    expect(verdictOf(comparison, 'pod_startup.p99')).toBe('REGRESSION');
  });

  it('leaves INVALID and unfinished runs out, and refuses a side without any other', () => {
    const broken = set('broken', 2, {}).map((run): RunResult => ({ ...run, state: 'interrupted' }));
    const comparison = compareRuns([...set('old', 3, {}), ...broken], set('new', 3, {}), BASE);
    expect(comparison.a.runs).toHaveLength(3);
    expect(comparison.leftOut).toHaveLength(2);
    expect(() => compareRuns(set('old', 3, {}), broken, BASE)).toThrow(
      /none of the 2 runs of side B can be used: broken-0: it was not completed \(interrupted\)/,
    );
  });

  it('refuses a run that is on both sides', () => {
    const runs = set('old', 3, {});
    expect(() => compareRuns(runs, [...set('new', 3, {}), ...runs.slice(1)], BASE)).toThrow(
      /run old-1 is on both sides/,
    );
  });

  it('counts pods that never started as slower than anything, not as missing', () => {
    const stuck = set('stuck', 6, {}).map((run) => ({
      ...run,
      podStartup: [podStartup(histogramOf({ us: 900_000, count: 300 }), { neverStartedCount: 100 })],
    }));
    const comparison = compareRuns(set('old', 6, {}), stuck, BASE);
    expect(verdictOf(comparison, 'pod_startup.p99')).toBe('REGRESSION');
    expect(comparison.notes.join()).toContain('never came to an end; they count as one hour');
  });

  it('does not pass over a figure that only one side has', () => {
    const without = set('new', 6, {}).map((run) => ({ ...run, podStartup: [] }));
    const comparison = compareRuns(set('old', 6, {}), without, BASE);
    const metric = comparison.metrics.find((one) => one.metric.id === 'pod_startup.p99');
    expect(metric).toMatchObject({ verdict: 'INCONCLUSIVE' });
    expect(metric?.text).toContain('no run of B has this figure');
    expect(comparison.exitCode).toBe(4);
  });
});

describe('fingerprints', () => {
  const pair = (rest: Partial<RunResult>) => syntheticPairs(2, 'match', {}, { restB: rest });

  it('refuses light nodes beside full ones, whatever --across says', () => {
    const { a, b } = pair(withFingerprint({ fidelity: 'light' }));
    expect(() => compareRuns(a, b, { ...BASE, across: ['fidelity', 'suite'] })).toThrow(
      expect.objectContaining({ code: 'HM_USAGE', message: expect.stringContaining('light') }),
    );
  });

  it.each([
    { field: 'kubernetesVersion', value: 'v1.35.4', text: 'Kubernetes version', across: 'version' },
    { field: 'nodeCount', value: 500, text: 'nodes', across: 'nodes' },
    { field: 'profile', value: 'fast', text: 'profile', across: 'profile' },
    { field: 'provenance', value: 'download', text: 'provenance', across: 'provenance' },
    { field: 'fidelity', value: 'kubemark', text: 'fidelity', across: 'fidelity' },
    { field: 'identity', value: 'certificate', text: 'identity', across: 'identity' },
    { field: 'connections', value: 'shared', text: 'connections', across: 'connections' },
    { field: 'encoding', value: 'json+gzip', text: 'encoding', across: 'encoding' },
    { field: 'machineClass', value: 'other', text: 'machine class', across: 'machine' },
  ] as const)(
    'refuses a different $field by its name unless --across $across allows it',
    ({ field, value, text, across }) => {
      const { a, b } = pair(withFingerprint({ [field]: value }));
      expect(() => compareRuns(a, b, BASE)).toThrow(
        expect.objectContaining({
          code: 'HM_USAGE',
          exitCode: 2,
          message: expect.stringContaining(text),
          hint: expect.stringContaining(`--across ${across}`),
        }),
      );
      expect(compareRuns(a, b, { ...BASE, across: [across] }).differences.map((one) => one.field)).toEqual([
        field,
      ]);
    },
  );

  it('names the settings behind a different suite, and takes flags for flags only', () => {
    const suite = (resolved: unknown, sha256: string): Partial<RunResult> => ({
      ...withFingerprint({ suiteSha256: sha256 }),
      suite: { ...runResult().suite, sha256, resolved },
    });
    const flags = (value: string) => ({
      controlPlane: { flags: { etcd: { 'quota-backend-bytes': value } } },
    });
    const onlyFlags = syntheticPairs(
      2,
      'flags',
      {},
      { restA: suite(flags('1'), 'a'), restB: suite(flags('2'), 'b') },
    );
    expect(() => compareRuns(onlyFlags.a, onlyFlags.b, BASE)).toThrow(
      /settings controlPlane\.flags\.etcd\.quota-backend-bytes: 1 in A, 2 in B/,
    );
    expect(compareRuns(onlyFlags.a, onlyFlags.b, { ...BASE, across: ['flags'] }).settings).toHaveLength(1);

    const rate = { ...flags('2'), load: { phases: [{ rate: 20 }] } };
    const more = syntheticPairs(2, 'rate', {}, { restA: suite(flags('1'), 'a'), restB: suite(rate, 'b') });
    expect(() => compareRuns(more.a, more.b, { ...BASE, across: ['flags'] })).toThrow(
      /--across flags does not name: load\.phases\[0\]\.rate: not set in A, 20 in B/,
    );
    expect(compareRuns(more.a, more.b, { ...BASE, across: ['suite'] }).settings).toHaveLength(2);
  });

  it('takes what follows from the number of nodes for part of --across nodes, in one and the same suite', () => {
    const suite = (nodes: number, text: string): Partial<RunResult> => ({
      ...withFingerprint({ suiteSha256: String(nodes), nodeCount: nodes }),
      suite: {
        ...runResult().suite,
        text,
        overrides: [`fleet.nodes=${nodes}`],
        resolved: { fleet: { nodeCount: nodes }, load: { objectCount: 4 * nodes } },
      },
    });
    const same = syntheticPairs(
      2,
      'same',
      {},
      { restA: suite(10, 'count: 4/node'), restB: suite(20, 'count: 4/node') },
    );
    expect(compareRuns(same.a, same.b, { ...BASE, across: ['nodes'] }).settings).toHaveLength(2);
    const other = syntheticPairs(
      2,
      'other',
      {},
      { restA: suite(10, 'count: 4/node'), restB: suite(20, 'count: 80') },
    );
    expect(() => compareRuns(other.a, other.b, { ...BASE, across: ['nodes'] })).toThrow(
      /does not name: load\.objectCount/,
    );
  });

  it('refuses runs of one side that are not alike, whatever is allowed between the sides', () => {
    const { a, b } = pair({});
    const odd: RunResult = { ...syntheticRun('odd', seededRandom(1)), ...withFingerprint({ nodeCount: 7 }) };
    expect(() => compareRuns([...a, odd], b, { ...BASE, across: ['nodes'] })).toThrow(
      /runs a-1 and odd of side A differ in nodes \(100 and 7\)/,
    );
  });
});

describe("Kubemark's yardstick", () => {
  const options: CompareOptions = { ...BASE, yardstick: 'kubemark' };

  it('passes a hollow cluster whose startup is alike, whatever the machine, and sees the trends agree', () => {
    const real = sampleRun('quickstart');
    const hollow = sampleRun('quickstart');
    hollow.runId = 'hollow';
    hollow.fingerprint.machineClass = 'other';
    const comparison = compareRuns([real], [hollow], options);
    expect(comparison).toMatchObject({ exitCode: 0, yardstick: { state: 'WITHIN', similarRatio: 1 } });
    expect(comparison.yardstick?.trend).toMatchObject({ rho: 1, agrees: true });
  });

  it('fails one whose pods start in half the time of the real ones', () => {
    const { a, b } = syntheticPairs(3, 'yardstick', { pods: 0.4 }, { noise: 0.01, sharedNoise: 0.01 });
    const slow = (run: RunResult): RunResult => ({
      ...run,
      podStartup: run.podStartup.map((one) => ({
        ...one,
        phases: { pod_startup: histogramOf({ us: run === a[0] ? 4e6 : 3.9e6, count: 400 }).distribution() },
      })),
    });
    const comparison = compareRuns(a.map(slow), b, options);
    expect(comparison).toMatchObject({ exitCode: 1, yardstick: { state: 'OUTSIDE' } });
    expect(comparison.text).toContain('outside the yardstick: startup of stateless pods');
  });

  it('takes API calls below 50 ms for equal: what is that fast is noise', () => {
    const { a, b } = syntheticPairs(3, 'floor', { mutating: 4 }, { noise: 0.01 });
    const check = compareRuns(a, b, options).yardstick?.checks.find(
      ({ metric }) => metric.id === 'mutating.p50',
    );
    expect(check).toMatchObject({ ratio: 1, state: 'WITHIN', similar: true });
  });
});

describe('outputs', () => {
  beforeAll(buildReportClient);
  const slow = () => {
    const runs = syntheticPairs(
      10,
      'slow',
      { mutating: 1.3 },
      {
        restB: withFingerprint({ kubernetesVersion: 'v1.37.0' }),
      },
    );
    return { runs, comparison: compareRuns(runs.a, runs.b, { ...PAIRED, across: ['version'] }) };
  };
  const few = () => {
    const runs = syntheticPairs(2, 'few', {});
    return { runs, comparison: compareRuns(runs.a, runs.b, PAIRED) };
  };

  it.each([
    { name: 'regression', make: slow },
    { name: 'few-pairs', make: few },
  ])('read as their golden files: $name', async ({ name, make }) => {
    const { comparison } = make();
    const terminal = renderComparisonTerminal(comparison, { colour: false, files: ['out/comparison.html'] });
    for (const line of terminal.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
    await expect(terminal).toMatchFileSnapshot(`goldens/${name}.txt`);
    await expect(renderComparisonMarkdown(comparison)).toMatchFileSnapshot(`goldens/${name}.md.txt`);
  });

  it('colours the verdicts and nothing else of the text', () => {
    const { comparison } = slow();
    const plain = renderComparisonTerminal(comparison, { colour: false, files: [] });
    const coloured = renderComparisonTerminal(comparison, { colour: true, files: [] });
    expect(coloured).not.toBe(plain);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
  });

  it('stand in one page without network, with every figure as text and a plot of both sides', async () => {
    const { comparison, runs } = slow();
    comparison.a.label = '<script>alert(1)</script>';
    const page = renderComparisonHtml(comparison, runs, await loadAssets());
    expect(page.length).toBeLessThan(300_000);
    expect(page).not.toContain('<script>alert');
    expect(page).not.toMatch(/(src|href)="https?:/);
    expect(page).toContain('<em id="comparison-verdict">REGRESSION</em>');
    expect(page.match(/<circle /g)).toHaveLength(comparison.metrics.length);
    const data = JSON.parse(/id="chart-data">(.*?)<\/script>/s.exec(page)?.[1] ?? '{}');
    expect(data.calls[0].lines.map(({ label }: { label: string }) => label)).toEqual(['A', 'B']);
    // Ten runs of 400 pods each, taken together.
    expect(data.calls[0].lines[0].count).toBe(4_000);
  });

  it('come as JSON that is the comparison itself', () => {
    const { comparison } = slow();
    expect(JSON.parse(renderComparisonJson(comparison))).toEqual(JSON.parse(JSON.stringify(comparison)));
    // Unbounded intervals are null, not a number that JSON does not know.
    expect(few().comparison.metrics[0]).toMatchObject({ low: null, high: null });
  });
});
