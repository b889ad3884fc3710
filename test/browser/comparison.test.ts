import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns, writeComparison } from '../../reports/index.ts';
import { formatUs } from '../../src/core/index.ts';
import { buildReportClient } from '../helpers/report-client.ts';
import { syntheticPairs } from '../helpers/sample-comparison.ts';
import { browserRequired, chromiumPath, launchBrowser } from './browser.ts';

const skipped = chromiumPath() === undefined && !browserRequired();

describe.skipIf(skipped)('comparison.html in a browser', () => {
  const runs = syntheticPairs(10, 'slow', { mutating: 1.3 });
  const comparison = compareRuns(runs.a, runs.b, {
    design: 'paired',
    labels: { a: 'before', b: '<b>after</b>' },
    toolVersion: '0.1.0',
  });
  let browser: Browser;
  let folder = '';
  beforeAll(async () => {
    await buildReportClient();
    folder = await mkdtemp(join(tmpdir(), 'hollowmark-comparison-'));
    await writeComparison(comparison, runs, folder);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    { width: 1_280, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
  ] as const)(
    'shows the verdict, the effects and both curves at $width px, $colorScheme, without fault or request',
    async ({ width, colorScheme }) => {
      const url = pathToFileURL(join(folder, 'comparison.html')).href;
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      const faults: string[] = [];
      page.on('console', (message) => {
        if (message.type() !== 'log') faults.push(message.text());
      });
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('request', (request) => {
        if (request.url() !== url && !request.url().startsWith('data:')) faults.push(request.url());
      });
      await page.goto(url);
      await page.waitForSelector('html[data-ready]');

      expect(await page.textContent('#comparison-verdict')).toBe('REGRESSION');
      expect(await page.textContent('h1 small')).toBe('before against <b>after</b>');
      const cells = await page.locator('#effects-table tbody tr').first().locator('td').allTextContents();
      const [first] = comparison.metrics;
      expect(cells.slice(0, 3)).toEqual([
        first?.metric.label,
        formatUs(first?.medianA ?? 0),
        formatUs(first?.medianB ?? 0),
      ]);
      expect(await page.locator('svg circle').count()).toBe(comparison.metrics.length);
      const labels = await page.locator('#percentile-chart .u-legend .u-label').allTextContents();
      expect(labels).toEqual(['percentile', 'A', 'B']);

      await page.selectOption('#percentile-call', { index: 1 });
      expect(await page.locator('#percentile-chart canvas').count()).toBe(1);
      await page.getByRole('button', { name: 'B against A' }).click();
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(overflow).toBeLessThanOrEqual(0);
      expect(faults).toEqual([]);
      await page.close();
    },
  );
});
