import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadSuite, readSuiteSource, shippedSuites } from '../../../src/config/index.ts';
import { isHarnessError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';

const PAGES = fileURLToPath(new URL('../../../docs/suites', import.meta.url));

describe('suites that ship', () => {
  it.each(shippedSuites())('%s is valid, found by its name, and says what it asks', (name) => {
    const { suite } = loadSuite(readSuiteSource(name, { cwd: '/' }));
    expect(suite.name).toBe(name);
    expect(suite.description).not.toBe('');
  });

  it.each(shippedSuites())('%s is valid and can be planned on 10, 100 and 5,000 nodes', (name) => {
    for (const nodeCount of [10, 100, 5_000]) {
      const { suite } = loadSuite(readSuiteSource(name, { cwd: '/' }), { nodes: nodeCount });
      const plan = planRun(suite);
      expect(plan.nodeCount).toBe(nodeCount);
      expect(plan.totals.callCount).toBeGreaterThan(0);
      expect(Number.isFinite(plan.duration.totalMs)).toBe(true);
    }
  });

  it.each(readdirSync(PAGES).filter((file) => file.endsWith('.md')))(
    'the page %s is of a suite that ships, and says the same things in the same order',
    (file) => {
      const name = file.replace('.md', '');
      expect(shippedSuites()).toContain(name);
      const text = readFileSync(`${PAGES}/${file}`, 'utf8');
      expect(text.match(/^#+ .*$/gm)?.filter((heading) => !heading.startsWith('###'))).toEqual([
        `# ${name}`,
        '## Question',
        // What a suite with faults does is named by what is expected of the cluster.
        ...(name.startsWith('ha-') ? ['## Expected response'] : ['## When to use it', '## What it does']),
        '## How to read it',
        '## Reference figures',
      ]);
      expect(text).toMatch(new RegExp(`^hollowmark run ${name}( |$)`, 'm'));
    },
  );

  it('quickstart is 1,000 pods at 20/s on 100 nodes, then 60 s of churn, reads and watches, within three minutes', () => {
    const { suite } = loadSuite(readSuiteSource('quickstart', { cwd: '/' }));
    expect(suite.fleet.nodeCount).toBe(100);
    expect(suite.controlPlane).toMatchObject({ provider: 'local', profile: 'production-like' });
    const [saturate, churn] = suite.load.phases;
    expect(saturate?.actions).toMatchObject([
      {
        action: 'create',
        objectCount: 1_000,
        ratePerSecond: 20,
        object: { kind: 'Pod' },
        waitFor: 'running',
      },
    ]);
    expect(churn?.actions).toMatchObject([
      { action: 'churn', ratePerSecond: 10, durationMs: 60_000, object: { kind: 'Pod' } },
      { action: 'reads', ratePerSecond: 40, durationMs: 60_000 },
      { action: 'watches', watcherCount: 20 },
    ]);
    const plan = planRun(suite);
    expect(plan.duration.totalMs).toBeLessThan(180_000);
    // Every percentile that is judged rests on enough samples.
    expect(plan.warnings.filter(({ kind }) => kind === 'figures')).toEqual([]);
  });

  it('are suggested for a name that is close, and listed for one that is not', () => {
    const hintOf = (name: string) => {
      try {
        readSuiteSource(name, { cwd: '/nowhere' });
        return undefined;
      } catch (error) {
        return isHarnessError(error) && error.code === 'HM_CONFIG_UNREADABLE' ? error.hint : error;
      }
    };
    expect(hintOf('quikstart')).toMatch(/quickstart.*\(did you mean "quickstart"\?\)$/);
    expect(hintOf('suites/quick-start.yaml')).toMatch(/did you mean "quickstart"/);
    expect(hintOf('zzz')).toBe(`suites that ship: ${shippedSuites().join(', ')}`);
  });
});
