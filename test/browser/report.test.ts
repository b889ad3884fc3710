import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReports } from '../../reports/index.ts';
import { formatUs } from '../../src/core/index.ts';
import { LatencyHistogram, type RunResult } from '../../src/result/index.ts';
import { buildReportClient } from '../helpers/report-client.ts';
import { SAMPLE_VARIANTS, type SampleVariant, sampleRun } from '../helpers/sample-run.ts';
import { browserRequired, chromiumPath, launchBrowser } from './browser.ts';

const missing = chromiumPath() === undefined;
const skipped = missing && !browserRequired();
if (skipped) {
  process.stderr.write(
    'browser tests are SKIPPED: no Chromium found (apt-get install chromium; CI=true or HOLLOWMARK_REQUIRE_BROWSER=1 makes this a failure)\n',
  );
}

let browser: Browser;
let folder = '';
/** Set HOLLOWMARK_SCREENSHOTS=DIR to keep pictures of the pages. */
const screenshots = process.env['HOLLOWMARK_SCREENSHOTS'];

interface Opened {
  page: Page;
  /** Console errors, uncaught exceptions, and requests for anything but the page itself. */
  faults: string[];
  close(): Promise<void>;
}

async function open(variant: SampleVariant, options: BrowserContextOptions = {}): Promise<Opened> {
  const url = pathToFileURL(join(folder, variant, 'report.html')).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) faults.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.waitForSelector('html[data-ready]');
  return { page, faults, close: () => context.close() };
}

/** Text of every visible row of a table, cell by cell. */
function visibleRows(page: Page, id: string): Promise<string[][]> {
  return page
    .locator(`#${id} tbody tr:visible`)
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')),
    );
}

/** Legend values of a chart by label. */
async function legend(page: Page, chart: string): Promise<Record<string, string>> {
  const rows = await page
    .locator(`#${chart} .u-legend .u-series`)
    .evaluateAll((all) =>
      all.map((row) => [
        row.querySelector('.u-label')?.textContent ?? '',
        row.querySelector('.u-value')?.textContent ?? '',
      ]),
    );
  return Object.fromEntries(rows);
}

/** Runs in the page (as text, for want of its types here): the text with the least contrast, by WCAG's formula. */
const LOWEST_CONTRAST = `(() => {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]) =>
    0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const background = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0.9) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = { ratio: 99, text: '' };
  for (const element of document.querySelectorAll('p, li, td, th, dt, dd, b, em, small, a, h1, h2, h3, button, summary, label')) {
    if (element.closest('.skip, .sr, [hidden], .u-legend') !== null || element.textContent.trim() === '') continue;
    const front = luminance(parse(getComputedStyle(element).color));
    const back = luminance(background(element));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < lowest.ratio) lowest = { ratio, text: element.textContent.slice(0, 60) };
  }
  return lowest;
})()`;

/** A figure for what a canvas shows: changes whenever the picture does. */
function picture(page: Page, chart: string): Promise<string> {
  return page.locator(`#${chart} canvas`).evaluate((canvas) => canvas.toDataURL());
}

describe.skipIf(skipped)('report.html in Chromium', () => {
  const runs = new Map<SampleVariant, RunResult>();
  const run = (variant: SampleVariant): RunResult => {
    const found = runs.get(variant);
    if (found === undefined) throw new Error(`no run ${variant}`);
    return found;
  };

  beforeAll(async () => {
    browser = await launchBrowser();
    await buildReportClient();
    folder = await mkdtemp(join(tmpdir(), 'hollowmark-browser-'));
    for (const variant of SAMPLE_VARIANTS) {
      runs.set(variant, sampleRun(variant));
      await writeReports(run(variant), join(folder, variant), { formats: ['html'] });
    }
    if (screenshots !== undefined) await mkdir(screenshots, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });

  it.each(SAMPLE_VARIANTS)('opens without an error and asks the network for nothing: %s', async (variant) => {
    const { page, faults, close } = await open(variant);
    await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
    if (screenshots !== undefined)
      await page.screenshot({ path: join(screenshots, `${variant}.png`), fullPage: true });
    expect(faults).toEqual([]);
    await close();
  });

  it('keeps a quickstart run within 300 KB', async () => {
    const text = await readFile(join(folder, 'quickstart', 'report.html'), 'utf8');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(300 * 1024);
  });

  it('shows the two verdicts on the first screen', async () => {
    const { page, close } = await open('slo-failure');
    expect(await page.getByText('scripts are off').isVisible()).toBe(false);
    for (const [id, text] of [
      ['slo-state', 'FAIL'],
      ['trust-state', 'VALID'],
    ] as const) {
      const element = page.locator(`#${id}`);
      expect(await element.textContent()).toBe(text);
      expect((await element.boundingBox())?.y ?? Number.POSITIVE_INFINITY).toBeLessThan(900);
    }
    await close();
  });

  it('shows the figures of result.json', async () => {
    const { page, close } = await open('quickstart');
    const rows = await visibleRows(page, 'call-table');
    const load = run('quickstart').series.filter(
      ({ key }) => key.source === 'load' && key.phase !== 'warm-up',
    );
    const groups = new Map<string, typeof load>();
    for (const series of load) {
      const { verb, resource, scope, variant } = series.key;
      const id = `${verb} ${resource}${variant === '' ? '' : ` (${variant})`}|${scope}`;
      groups.set(id, [...(groups.get(id) ?? []), series]);
    }
    expect(groups.size).toBe(5);
    for (const [id, group] of groups) {
      const [call, scope] = id.split('|');
      const row = rows.find((cells) => cells[0] === 'load' && cells[1] === call && cells[2] === scope);
      const merged = LatencyHistogram.merged(
        group.map((one) => LatencyHistogram.fromDistribution(one.response)),
      );
      expect(row?.slice(4, 5)).toEqual([merged.count.toLocaleString('en-US')]);
      expect(row?.slice(6, 10)).toEqual([
        formatUs(merged.percentile(0.5)),
        formatUs(merged.percentile(0.9)),
        formatUs(merged.percentile(0.99)),
        formatUs(merged.maxUs),
      ]);
    }
    await close();
  });

  it('sorts by a figure, both ways, by pointer and by keyboard', async () => {
    const { page, close } = await open('quickstart');
    const values = () =>
      page
        .locator('#call-table tbody tr:visible td:nth-child(9)')
        .evaluateAll((cells) => cells.map((cell) => Number(cell.dataset['v'])));
    const title = page.locator('#call-table th', { hasText: 'p99' }).first();
    await title.locator('button').click();
    expect(await title.getAttribute('aria-sort')).toBe('descending');
    const down = await values();
    expect(down.length).toBeGreaterThan(5);
    expect(down).toEqual([...down].sort((a, b) => b - a));
    await title.locator('button').focus();
    await page.keyboard.press('Enter');
    expect(await title.getAttribute('aria-sort')).toBe('ascending');
    expect(await values()).toEqual([...down].sort((a, b) => a - b));
    await close();
  });

  it('searches by words in any column and chooses a phase', async () => {
    const { page, close } = await open('quickstart');
    await page.getByLabel('Search').fill('list load');
    expect((await visibleRows(page, 'call-table')).map((cells) => cells[1])).toEqual([
      'list nodes (consistent)',
      'list pods (cached)',
    ]);
    expect(await page.locator('#call-count').textContent()).toBe('2 of 12 rows');
    await page.getByLabel('Search').fill('');
    await page.locator('#call-phase').selectOption('warm-up');
    const rows = await visibleRows(page, 'call-table');
    expect(rows.length).toBe(4);
    expect(new Set(rows.map((cells) => cells[3]))).toEqual(new Set(['warm-up']));
    await close();
  });

  it('shares one cursor between all charts over time', async () => {
    const { page, close } = await open('quickstart');
    await page.locator('#time-rate').scrollIntoViewIfNeeded();
    const box = await page.locator('#time-rate .u-over').boundingBox();
    if (box === null) throw new Error('no chart');
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2);
    const rate = await legend(page, 'time-rate');
    const latency = await legend(page, 'time-latency');
    expect(latency['time']).toBe(rate['time']);
    // The window under the cursor, found again in the result by its middle.
    const middle = (window: { startMs: number; endMs: number }) => (window.startMs + window.endMs) / 2_000;
    const window = run('quickstart').timeline.find((one) => {
      const seconds = Math.round(middle(one));
      return rate['time'] === `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    });
    expect(latency['p99']).toBe(formatUs(window?.p99Us ?? Number.NaN));
    expect(latency['p50']).toBe(formatUs(window?.p50Us ?? Number.NaN));
    expect(rate['offered']).toBe('60.0/s');
    expect(await page.locator('#heatmap-readout').textContent()).toContain('of 300 responses');
    await close();
  });

  it('moves the cursor by keyboard and zooms with plus and escape', async () => {
    const { page, close } = await open('quickstart');
    await page.locator('#time-latency').focus();
    await page.keyboard.press('Home');
    const first = run('quickstart').timeline[0];
    expect((await legend(page, 'time-latency'))['p99']).toBe(formatUs(first?.p99Us ?? Number.NaN));
    await page.keyboard.press('ArrowRight');
    const second = run('quickstart').timeline[1];
    expect((await legend(page, 'time-latency'))['p99']).toBe(formatUs(second?.p99Us ?? Number.NaN));
    expect((await legend(page, 'time-cpu'))['time']).toBe((await legend(page, 'time-latency'))['time']);
    const whole = await picture(page, 'time-cpu');
    await page.keyboard.press('+');
    await page.waitForTimeout(50);
    const zoomed = await picture(page, 'time-cpu');
    expect(zoomed === whole).toBe(false);
    await page.keyboard.press('Escape');
    await page.waitForTimeout(50);
    expect((await picture(page, 'time-cpu')) === whole).toBe(true);
    await close();
  });

  it('zooms every chart by dragging in one, and shows all again on a double click', async () => {
    const { page, close } = await open('quickstart');
    await page.locator('#time-objects').scrollIntoViewIfNeeded();
    await page.mouse.move(5, 5);
    const whole = await picture(page, 'time-memory');
    const heat = await picture(page, 'heatmap-chart');
    const box = await page.locator('#time-objects .u-over').boundingBox();
    if (box === null) throw new Error('no chart');
    await page.mouse.move(box.x + box.width * 0.6, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 40, { steps: 5 });
    await page.mouse.up();
    await page.mouse.move(5, 5);
    await page.waitForTimeout(50);
    expect((await picture(page, 'time-memory')) === whole).toBe(false);
    expect((await picture(page, 'heatmap-chart')) === heat).toBe(false);
    await page.locator('#time-objects .u-over').dblclick();
    await page.mouse.move(5, 5);
    await page.waitForTimeout(50);
    expect((await picture(page, 'time-memory')) === whole).toBe(true);
    await close();
  });

  it('reads out cells of the heatmap by keyboard, in the counts of result.json', async () => {
    const { page, close } = await open('quickstart');
    await page.locator('#heatmap-chart').focus();
    await page.keyboard.press('End');
    for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowDown');
    const heat = run('quickstart').timeline.at(-1)?.heat ?? [];
    const counts: number[] = [];
    for (let i = 0; i < 20; i++) {
      const text = (await page.locator('#heatmap-readout').textContent()) ?? '';
      const count = /: ([\d,]+) of ([\d,]+) responses$/.exec(text);
      counts.push(Number((count?.[1] ?? '').replace(',', '')));
      await page.keyboard.press('ArrowUp');
    }
    const shown = counts.filter((count) => count > 0);
    const expected = heat.filter((count) => count > 0);
    expect(shown.slice(0, expected.length)).toEqual(expected);
    await close();
  });

  it('draws another call when one is chosen', async () => {
    const { page, close } = await open('quickstart');
    const before = await picture(page, 'percentile-chart');
    await page.locator('#percentile-call').selectOption({ index: 3 });
    expect((await picture(page, 'percentile-chart')) === before).toBe(false);
    await page.locator('#percentile-chart').scrollIntoViewIfNeeded();
    const box = await page.locator('#percentile-chart .u-over').boundingBox();
    if (box === null) throw new Error('no chart');
    await page.mouse.move(box.x + box.width - 1, box.y + 50);
    const label = (await page.locator('#percentile-call option').nth(3).textContent()) ?? '';
    const series = run('quickstart').series.find(
      ({ key }) => key.verb === 'list' && key.resource === 'nodes',
    );
    expect(label).toContain('list nodes (consistent)');
    expect((await legend(page, 'percentile-chart'))['response']).toBe(
      formatUs(series?.response.summary.maxUs ?? 0),
    );
    await close();
  });

  it('can be read and used by keyboard alone: links, fields, titles and charts take the focus', async () => {
    const { page, close } = await open('quickstart');
    const seen = new Set<string>();
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press('Tab');
      seen.add(await page.evaluate<string>("document.activeElement?.id ?? ''"));
    }
    for (const id of [
      'theme',
      'call-search',
      'call-phase',
      'percentile-call',
      'heatmap-chart',
      'time-rate',
      'time-health',
    ]) {
      expect([...seen]).toContain(id);
    }
    await close();
  });

  it.each(['light', 'dark'] as const)('keeps text readable in %s', async (colorScheme) => {
    const { page, faults, close } = await open('slo-failure', { colorScheme });
    const worst = await page.evaluate<{ ratio: number; text: string }>(LOWEST_CONTRAST);
    // WCAG 2.2 AA for text of ordinary size.
    expect(worst.ratio, worst.text).toBeGreaterThanOrEqual(4.5);
    expect(faults).toEqual([]);
    await close();
  });

  it('changes its theme on request and draws the charts again', async () => {
    const { page, close } = await open('quickstart', { colorScheme: 'light' });
    const light = await picture(page, 'time-rate');
    await page.locator('#theme').click();
    await page.locator('#theme').click();
    expect(await page.locator('#theme').textContent()).toBe('Theme: dark');
    expect((await picture(page, 'time-rate')) === light).toBe(false);
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe('rgb(15, 18, 22)');
    await close();
  });

  it.each(SAMPLE_VARIANTS)('fits a phone without scrolling sideways: %s', async (variant) => {
    const { page, faults, close } = await open(variant, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    expect(faults).toEqual([]);
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${variant}-phone.png`) });
    await close();
  });

  it('redraws its charts when the window becomes narrow', async () => {
    const { page, close } = await open('quickstart');
    await page.setViewportSize({ width: 500, height: 800 });
    await page.waitForTimeout(400);
    const width = (await page.locator('#time-rate canvas').boundingBox())?.width ?? 0;
    expect(width).toBeGreaterThan(200);
    expect(width).toBeLessThanOrEqual(500);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(500);
    await close();
  });

  it('reads in full without script', async () => {
    const { page, faults, close } = await open('slo-failure', { javaScriptEnabled: false });
    expect(await page.getByText('scripts are off').isVisible()).toBe(true);
    expect(await page.locator('#slo-state').textContent()).toBe('FAIL');
    const rows = page.locator('#call-table tbody tr');
    const phaseCount = run('slo-failure').series.length;
    expect(await rows.count()).toBeGreaterThan(phaseCount);
    expect(await rows.last().isVisible()).toBe(true);
    expect(await page.locator('#call-table .phase').first().isVisible()).toBe(true);
    expect(await page.locator('#call-search').isVisible()).toBe(false);
    expect(faults).toEqual([]);
    await close();
  });

  it('prints on paper in light colours, without what only a screen can use', async () => {
    const { page, close } = await open('quickstart', { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.evaluate("window.dispatchEvent(new Event('beforeprint'))");
    expect(await page.evaluate<string>('getComputedStyle(document.body).color')).toBe('rgb(22, 25, 29)');
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.locator('#call-search').isVisible()).toBe(false);
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.length).toBeGreaterThan(50_000);
    await close();
  });

  it('runs no script that a name in the result brings along', async () => {
    const evil = sampleRun('quickstart');
    const attack = `"><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    evil.suite.name = attack;
    for (const series of evil.series) series.key.resource = attack;
    await writeReports(evil, join(folder, 'evil'), { formats: ['html'] });
    const { page, faults, close } = await open('evil' as SampleVariant);
    expect(await page.title()).toContain('<img');
    expect(await page.title()).not.toBe('owned');
    expect(await page.locator('img').count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });
});
