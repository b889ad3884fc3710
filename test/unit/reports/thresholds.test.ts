import { beforeAll, describe, expect, it } from 'vitest';
import {
  loadAssets,
  renderHtml,
  renderJunit,
  renderMarkdown,
  renderTerminal,
} from '../../../reports/index.ts';
import { judgeThresholds, type RunResult } from '../../../src/result/index.ts';
import { buildReportClient } from '../../helpers/report-client.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

const expressions = [
  'pod_startup{kind:stateless}.p99 < 1s',
  'errors{verb:get}.count == 0',
  'throughput{phase:churn}.rate >= 1/s',
  'pod_startup{kind:stateful}.p99 < 5s',
];

function judged(): RunResult {
  const run = sampleRun();
  const verdict = judgeThresholds(run, expressions);
  if (verdict === undefined) throw new Error('there are thresholds');
  return { ...run, verdicts: { ...run.verdicts, slo: [...run.verdicts.slo, verdict] } };
}

beforeAll(buildReportClient);

describe('thresholds in reports', () => {
  it('are in the terminal and in Markdown, with what was missed', () => {
    const terminal = renderTerminal(judged(), { colour: false, files: [] });
    expect(terminal).toContain('FAIL         pod_startup{kind:stateless}.p99 < 1s: 1.');
    expect(terminal).toContain('NO DATA      pod_startup{kind:stateful}.p99 < 5s: no data');
    expect(terminal).toContain('threshold: 2 of 4 checks pass');
    expect(renderMarkdown(judged())).toContain('**FAIL** pod\\_startup{kind:stateless}.p99 &lt; 1s: 1.');
  });

  it('are cases of a suite of their own in JUnit', () => {
    const junit = renderJunit(judged());
    expect(junit).toMatch(/<testsuite name="[^"]*threshold[^"]*" tests="4" failures="1" errors="1"/);
  });

  it('are in the table of checks with their figure in the unit of their metric', async () => {
    const page = renderHtml(judged(), await loadAssets());
    const table = page.slice(page.indexOf('id="checks-threshold"'));
    const text = table.slice(0, table.indexOf('</table>')).replaceAll(/<[^>]*>/g, ' ');
    expect(text).toContain('&gt;= 1/s');
    expect(text).toContain('== 0');
    expect(text).toMatch(/&lt; 1 s/);
    expect(text).not.toMatch(/NaN|undefined|Infinity|p0 /);
  });
});
