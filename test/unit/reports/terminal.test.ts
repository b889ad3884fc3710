import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderTerminal, TERMINAL_COLUMNS } from '../../../reports/index.ts';
import { SAMPLE_VARIANTS, sampleRun } from '../../helpers/sample-run.ts';

const files = [
  'results/20261122-120400-quickstart/result.json',
  'results/20261122-120400-quickstart/report.html',
];

describe('terminal summary', () => {
  it.each(SAMPLE_VARIANTS)('reads as its golden file: %s', async (variant) => {
    const text = renderTerminal(sampleRun(variant), { colour: false, files });
    await expect(text).toMatchFileSnapshot(`goldens/terminal-${variant}.txt`);
  });

  it.each(SAMPLE_VARIANTS)('fits 100 columns: %s', (variant) => {
    const lines = renderTerminal(sampleRun(variant), { colour: false, files }).split('\n');
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(TERMINAL_COLUMNS);
  });

  it('says the SLO verdict in its first line and the trust verdict in its second', () => {
    const [first, second] = renderTerminal(sampleRun('slo-failure'), { colour: false, files }).split('\n');
    expect(first).toMatch(/^SLO {3}FAIL {2,}\S.*p99/);
    expect(second).toMatch(/^TRUST VALID {2,}\S/);
  });

  it('says of an invalid run that its SLO verdict is not to be relied on', () => {
    const [first, second] = renderTerminal(sampleRun('invalid'), { colour: false, files }).split('\n');
    expect(first).toContain('not to be relied on');
    expect(second).toMatch(/^TRUST INVALID /);
  });

  it('writes no escape code unless asked, and the same words when asked', () => {
    const run = sampleRun('slo-failure');
    const plain = renderTerminal(run, { colour: false, files });
    const coloured = renderTerminal(run, { colour: true, files });
    expect(plain).toBe(stripVTControlCharacters(plain));
    expect(coloured).not.toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it('fits 100 columns with absurdly long names', () => {
    const run = sampleRun();
    run.suite.name = 'x'.repeat(300);
    for (const series of run.series) series.key.resource = `${'resource'.repeat(20)}.example.com`;
    const lines = renderTerminal(run, { colour: false, files: [] }).split('\n');
    const tableLines = lines.filter((line) => line.startsWith('  ') && line.includes('…'));
    expect(tableLines.length).toBeGreaterThan(5);
    for (const line of tableLines) expect(line.length).toBeLessThanOrEqual(TERMINAL_COLUMNS);
  });
});
