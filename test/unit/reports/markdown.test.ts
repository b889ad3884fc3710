import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../../reports/index.ts';
import { SAMPLE_VARIANTS, sampleRun } from '../../helpers/sample-run.ts';

describe('summary.md', () => {
  it.each(['quickstart', 'slo-failure', 'invalid', 'no-data'] as const)(
    'reads as its golden file: %s',
    async (variant) => {
      await expect(renderMarkdown(sampleRun(variant))).toMatchFileSnapshot(
        `goldens/summary-${variant}.md.txt`,
      );
    },
  );

  it.each(SAMPLE_VARIANTS)('fits into a pull request comment: %s', (variant) => {
    expect(renderMarkdown(sampleRun(variant)).length).toBeLessThan(65_536);
  });

  it('gives every row of a table the same number of cells, whatever names hold', () => {
    const run = sampleRun();
    for (const series of run.series) series.key.variant = 'a|b';
    const tables = renderMarkdown(run)
      .split('\n\n')
      .filter((block) => block.startsWith('|'));
    expect(tables.length).toBeGreaterThan(2);
    for (const table of tables) {
      const cells = table.split('\n').map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(cells).size, table).toBe(1);
    }
  });

  it('lets no name of a suite become markup', () => {
    const run = sampleRun();
    run.suite.name = '<img src=x onerror=alert(1)> [link](http://evil) `code`';
    const text = renderMarkdown(run);
    expect(text).not.toContain('<img');
    expect(text).not.toContain('[link](');
  });
});
