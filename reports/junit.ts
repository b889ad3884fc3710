/**
 * junit.xml: one case per SLO check and one per trust check, with counts that add up (CI systems trust the attributes
 * more than the elements). A check that was judged and missed is a failure; a check that could not be made, or a run
 * that cannot be trusted, is an error; a check that is shown without deciding is skipped, with its text.
 *
 * The dialect is the common one of the Jenkins xUnit schema: testsuites / testsuite / testcase / failure, error, skipped.
 */
import type { RunResult, SloCheck, SloVerdict, TrustCheck } from '../src/result/index.ts';
import { phaseNote } from './model/verdict-lines.ts';

interface TestCase {
  className: string;
  name: string;
  outcome: 'passed' | 'failure' | 'error' | 'skipped';
  type: string;
  message: string;
}

interface TestSuite {
  name: string;
  cases: TestCase[];
}

/** The XML document, ending in a line break. */
export function renderJunit(result: RunResult): string {
  const suites: TestSuite[] = [
    ...result.verdicts.slo.map((verdict) => sloSuite(verdict)),
    { name: 'trust', cases: trustCases(result) },
  ];
  const all = suites.flatMap((suite) => suite.cases);
  const seconds = (result.durationMs / 1_000).toFixed(3);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: `hollowmark ${result.suite.name}`, ...counts(all), time: seconds })}>`,
    ...suites.flatMap((suite) => suiteLines(suite, result)),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function sloSuite(verdict: SloVerdict): TestSuite {
  const cases = verdict.checks.map((check) => sloCase(verdict, check));
  if (cases.length === 0) {
    cases.push({
      className: verdict.kind,
      name: 'has data',
      outcome: verdict.judged ? 'error' : 'skipped',
      type: 'no-data',
      message: `${verdict.kind}: no data (${verdict.text})`,
    });
  }
  return { name: verdict.kind, cases };
}

function sloCase(verdict: SloVerdict, check: SloCheck): TestCase {
  const base = {
    className: `${verdict.kind}.${check.slo}`,
    name: `${check.subject}${phaseNote(check.phase)}`,
    type: check.state,
    message: check.text,
  };
  if (check.state === 'pass') return { ...base, outcome: 'passed' };
  if (check.informational === true)
    return { ...base, outcome: 'skipped', message: `one phase, not judged: ${check.text}` };
  if (!verdict.judged) return { ...base, outcome: 'skipped', message: `not judged: ${check.text}` };
  if (check.state === 'inconclusive')
    return { ...base, outcome: 'skipped', message: `inconclusive: ${check.text}` };
  return { ...base, outcome: check.state === 'fail' ? 'failure' : 'error' };
}

function trustCases(result: RunResult): TestCase[] {
  const { trust } = result.verdicts;
  const cases = trust.checks.map((check) => trustCase(check));
  if (result.state !== 'completed') {
    cases.push({
      className: 'trust',
      name: 'run completed',
      outcome: 'error',
      type: result.state,
      message: `${result.state}${result.reason === undefined ? '' : `: ${result.reason}`}`,
    });
  }
  return cases;
}

function trustCase(check: TrustCheck): TestCase {
  // DEGRADED is a warning that does not fail a run, so it must not fail the pipeline either.
  const outcome = check.state === 'VALID' ? 'passed' : check.state === 'INVALID' ? 'error' : 'skipped';
  const message = check.state === 'DEGRADED' ? `DEGRADED: ${check.text}` : check.text;
  return { className: 'trust', name: check.name, outcome, type: check.state, message };
}

function counts(cases: readonly TestCase[]): Record<string, string> {
  const count = (outcome: TestCase['outcome']) =>
    String(cases.filter((one) => one.outcome === outcome).length);
  return {
    tests: String(cases.length),
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
  };
}

function suiteLines(suite: TestSuite, result: RunResult): string[] {
  const head = attributes({
    name: suite.name,
    ...counts(suite.cases),
    time: '0.000',
    // Schema: local time without zone; the run's start, in UTC.
    timestamp: result.startedAt.replace(/(\.\d+)?Z$/, ''),
    hostname: result.machine.hostname,
  });
  const properties = {
    runId: result.runId,
    version: result.tool.version,
    kubernetesVersion: result.controlPlane.kubernetesVersion,
    nodes: String(result.fleet.nodeCount),
    seed: String(result.suite.seed),
  };
  return [
    `  <testsuite ${head}>`,
    '    <properties>',
    ...Object.entries(properties).map(([name, value]) => `      <property ${attributes({ name, value })}/>`),
    '    </properties>',
    ...suite.cases.flatMap(caseLines),
    '  </testsuite>',
  ];
}

function caseLines(one: TestCase): string[] {
  const head = attributes({ classname: one.className, name: one.name, time: '0.000' });
  if (one.outcome === 'passed') {
    return [
      `    <testcase ${head}>`,
      `      <system-out>${escapeXml(one.message)}</system-out>`,
      '    </testcase>',
    ];
  }
  const inner =
    one.outcome === 'skipped'
      ? `<skipped ${attributes({ message: one.message })}/>`
      : `<${one.outcome} ${attributes({ message: one.message, type: one.type })}>${escapeXml(one.message)}</${one.outcome}>`;
  return [`    <testcase ${head}>`, `      ${inner}`, '    </testcase>'];
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escapeXml(value)}"`)
    .join(' ');
}

/**
 * Text that XML 1.0 takes as text or as an attribute. Characters outside its Char production (control characters,
 * lone surrogates) cannot be written even as references and become U+FFFD.
 */
export function escapeXml(text: string): string {
  return (
    text
      .replaceAll(/\p{Surrogate}/gu, '\ufffd')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML forbids
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
  );
}
