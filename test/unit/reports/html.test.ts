import { describe, expect, it } from 'vitest';
import { embeddedJson, html } from '../../../reports/html/markup.ts';
import { renderHtml } from '../../../reports/index.ts';
import { formatUs } from '../../../src/core/index.ts';
import { SAMPLE_VARIANTS, sampleRun } from '../../helpers/sample-run.ts';

const assets = { script: '/* script */', style: '/* style */' };

/** What the page says, one block a line, without charts' data. */
function readable(page: string): string {
  return page
    .replace(/<script.*?<\/script>/gs, '')
    .replace(/<style.*?<\/style>/gs, '')
    .replaceAll(/<\/(?:td|th|option|dt)>/g, ' | ')
    .replaceAll('</tr>', '\u2029')
    .replaceAll(/<\/?(?:b|em|small|span|i|u|wbr|code)\b[^>]*>/g, '')
    .replaceAll(/<[^>]+>/g, '\n')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?\| ?\n+ ?/g, ' | ')
    .replaceAll(/\n\s*\n+/g, '\n')
    .replaceAll(/ ?\|? ?\u2029[ |]*/g, '\n')
    .trim();
}

describe('report.html', () => {
  it.each(['quickstart', 'slo-failure', 'no-data'] as const)(
    'says what its golden file says: %s',
    async (variant) => {
      const text = `${readable(renderHtml(sampleRun(variant), assets))}\n`;
      await expect(text).toMatchFileSnapshot(`goldens/page-${variant}.txt`);
    },
  );

  it.each(SAMPLE_VARIANTS)('refers to nothing outside itself: %s', (variant) => {
    const page = renderHtml(sampleRun(variant), assets);
    for (const [, target = ''] of page.matchAll(/\b(?:src|href|action|data|srcset)="([^"]*)"/g)) {
      expect(target).toMatch(/^(?:#|data:,)/);
    }
    expect(/url\(|@import|<iframe|<object|<embed|<form/.exec(page)?.[0]).toBeUndefined();
  });

  it.each(SAMPLE_VARIANTS)('links only to parts that are there, and gives no id twice: %s', (variant) => {
    const page = renderHtml(sampleRun(variant), assets);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
  });

  it('shows the figures of result.json', () => {
    const run = sampleRun('quickstart');
    const page = renderHtml(run, assets);
    for (const series of run.series) {
      const { p50Us, p99Us, maxUs } = series.response.summary;
      for (const us of [p50Us, p99Us, maxUs]) {
        expect(
          page.includes(`data-v="${Number(us.toPrecision(6))}">${formatUs(us).replace('µ', 'µ')}</td>`),
        ).toBe(true);
      }
    }
  });

  it('lets no name from a suite, a cluster or an error become markup or script', () => {
    const evil = `</script><script>alert(1)</script><img src=x onerror="alert('1')">`;
    const run = sampleRun('interrupted');
    run.suite.name = evil;
    run.suite.description = evil;
    run.suite.text = evil;
    run.suite.resolved = { evil };
    run.reason = evil;
    run.runId = evil;
    run.machine.cpuModel = evil;
    run.command = [evil];
    for (const phase of run.phases) {
      for (const action of phase.actions) action.description = evil;
    }
    for (const series of run.series) {
      series.key.resource = evil;
      series.key.phase = run.phases[1]?.name ?? '';
    }
    for (const pods of run.podStartup) {
      for (const pod of pods.slowest) pod.name = evil;
    }
    for (const component of run.server) component.metrics = { [evil]: 1 };
    for (const check of run.verdicts.trust.checks) check.text = evil;
    const page = renderHtml(run, assets);
    expect(page.includes('<img')).toBe(false);
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(/<[^>]*\sonerror=/.exec(page)?.[0]).toBeUndefined();
  });

  it('allows exactly its own script to run', () => {
    const page = renderHtml(sampleRun(), assets);
    // echo -n '/* script */' | openssl dgst -sha256 -binary | base64
    expect(page.includes(`script-src &#39;sha256-uF5VHKDd10/Mew86qRone0DxeFeFYmoaI9/5D7MYZI8=&#39;`)).toBe(
      true,
    );
    expect(page.includes(`default-src &#39;none&#39;`)).toBe(true);
  });

  it('keeps within 300 KB with as many kinds of call as a real run has', () => {
    const run = sampleRun('quickstart');
    const { series } = run;
    run.series = ['configmaps', 'secrets', 'services', 'endpointslices.discovery.k8s.io'].reduce(
      (all, resource) => all.concat(series.map((one) => ({ ...one, key: { ...one.key, resource } }))),
      series.slice(0, 0),
    );
    expect(run.series.length).toBeGreaterThan(80);
    // The script and the style that the page is built with take 80 KB.
    expect(renderHtml(run, assets).length).toBeLessThan((300 - 80) * 1024);
  });

  it('stays small with 5,000 nodes and with long runs', () => {
    const run = sampleRun('nodes-5000');
    const [window] = run.timeline;
    if (window === undefined) throw new Error('the sample has windows');
    run.timeline = Array.from({ length: 8_640 }, (_, i) => ({
      ...window,
      startMs: i * 10_000,
      endMs: (i + 1) * 10_000,
    }));
    expect(renderHtml(run, assets).length).toBeLessThan(400_000);
  });
});

describe('markup', () => {
  it('escapes values, keeps markup, leaves out what is undefined', () => {
    const bold = html`<b>${'a&b'}</b>`;
    expect(html`<p title="${'"x"'}">${[bold, ' <', undefined]}${1}</p>`.text).toBe(
      '<p title="&quot;x&quot;"><b>a&amp;b</b> &lt;1</p>',
    );
  });

  it('embeds JSON that no value can break out of', () => {
    const value = { a: '</script><!--\u2028' };
    const { text } = embeddedJson(value);
    expect(text).not.toMatch(/[<\u2028]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});
