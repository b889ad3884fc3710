import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderJunit } from '../../../reports/index.ts';
import { escapeXml } from '../../../reports/junit.ts';
import { SAMPLE_VARIANTS, sampleRun } from '../../helpers/sample-run.ts';
import { parseXml, type XmlElement } from '../../helpers/xml.ts';

const OUTCOMES = ['failure', 'error', 'skipped'];

/** The rules of the Jenkins xUnit schema that concern what we write. */
function checkSchema(root: XmlElement): void {
  expect(root.name).toBe('testsuites');
  expect(Object.keys(root.attributes).sort()).toEqual([
    'errors',
    'failures',
    'name',
    'skipped',
    'tests',
    'time',
  ]);
  checkCounts(root, root.children.flatMap(casesOf));
  expect(root.children.length).toBeGreaterThan(0);
  for (const suite of root.children) {
    expect(suite.name).toBe('testsuite');
    expect(suite.attributes['name']).toBeTruthy();
    expect(suite.attributes['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect(suite.children[0]?.name).toBe('properties');
    const cases = casesOf(suite);
    expect(cases.length).toBe(suite.children.length - 1);
    checkCounts(suite, cases);
    for (const one of cases) {
      expect(one.attributes['name']).toBeTruthy();
      expect(one.attributes['classname']).toBeTruthy();
      expect(one.attributes['time']).toMatch(/^\d+\.\d{3}$/);
      expect(one.children.length).toBe(1);
      for (const inner of one.children) {
        expect([...OUTCOMES, 'system-out']).toContain(inner.name);
        if (inner.name !== 'system-out') expect(inner.attributes['message']).toBeTruthy();
      }
    }
  }
}

const casesOf = (suite: XmlElement) => suite.children.filter((child) => child.name === 'testcase');

function checkCounts(element: XmlElement, cases: readonly XmlElement[]): void {
  const count = (name: string) =>
    cases.filter((one) => one.children.some((inner) => inner.name === name)).length;
  expect(element.attributes['tests']).toBe(String(cases.length));
  expect(element.attributes['failures']).toBe(String(count('failure')));
  expect(element.attributes['errors']).toBe(String(count('error')));
  expect(element.attributes['skipped']).toBe(String(count('skipped')));
}

describe('junit.xml', () => {
  it.each(['slo-failure', 'invalid'] as const)('reads as its golden file: %s', async (variant) => {
    await expect(renderJunit(sampleRun(variant))).toMatchFileSnapshot(`goldens/junit-${variant}.xml`);
  });

  it.each(SAMPLE_VARIANTS)('is well-formed, keeps to the schema and counts right: %s', (variant) => {
    checkSchema(parseXml(renderJunit(sampleRun(variant))));
  });

  it('has one case per check of either kind', () => {
    const run = sampleRun('quickstart');
    const root = parseXml(renderJunit(run));
    const { slo, trust } = run.verdicts;
    expect(root.children.map((suite) => suite.attributes['name'])).toEqual([
      ...slo.map((verdict) => verdict.kind),
      'trust',
    ]);
    const checkCount = slo.reduce((sum, verdict) => sum + verdict.checks.length, 0) + trust.checks.length;
    expect(root.attributes['tests']).toBe(String(checkCount));
    expect(root.attributes['failures']).toBe('0');
    expect(root.attributes['errors']).toBe('0');
  });

  it('fails what was judged and missed, and only warns of a degraded run', () => {
    const missed = parseXml(renderJunit(sampleRun('slo-failure')));
    expect(Number(missed.attributes['failures'])).toBeGreaterThan(0);
    const degraded = parseXml(renderJunit(sampleRun('degraded')));
    expect(degraded.attributes['failures']).toBe('0');
    expect(degraded.attributes['errors']).toBe('0');
    expect(Number(degraded.attributes['skipped'])).toBeGreaterThan(0);
  });

  it('never passes without data', () => {
    const root = parseXml(renderJunit(sampleRun('no-data')));
    expect(Number(root.attributes['errors'])).toBeGreaterThan(0);
  });

  it('carries any text through unchanged, and replaces what XML cannot carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<a b="${escapeXml(text)}">${escapeXml(text)}</a>`;
        const expected = text.replaceAll(
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML forbids
          /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu,
          '\ufffd',
        );
        const parsed = parseXml(xml);
        expect(parsed.attributes['b']).toBe(expected);
        expect(parsed.text).toBe(expected);
      }),
    );
    expect(escapeXml('\ud800')).toBe('\ufffd');
  });
});
