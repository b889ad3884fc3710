/** Every check behind the two verdicts, with its figure and its limit. */
import { formatRatio, formatUs } from '../../../src/core/index.ts';
import {
  formatCount,
  formatEdge,
  formatQuantile,
  type RunResult,
  type SloCheck,
  type SloVerdict,
} from '../../../src/result/index.ts';
import { KIND_LABEL, STATE_WORD } from '../../model/verdict-lines.ts';
import { dataTable } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

export function checksSection(result: RunResult): Section {
  const { trust, slo, text, exitCode } = result.verdicts;
  const rows = trust.checks.map((check) => ({
    cells: [
      {
        content: html`<b class="${check.state === 'VALID' ? 'pass' : check.state === 'DEGRADED' ? 'warn' : 'fail'}">${check.state}</b>`,
      },
      check.name,
      { content: check.text, className: 'words' },
    ],
  }));
  return {
    id: 'checks',
    title: 'All checks',
    short: 'Checks',
    body: html`<p>Decided the exit code (${exitCode}): ${text}.</p>
${slo.map(sloBlock)}
<h3>Trust: ${trust.state}</h3>
${dataTable({ id: 'trust-table', caption: 'Trust checks', columns: [{ title: 'State' }, { title: 'Check' }, { title: 'Figure and limit' }], rows })}`,
  };
}

function quantileText(check: SloCheck): string {
  return check.valueUs === undefined
    ? hiddenValue(check)
    : `${formatQuantile(check.quantile)} ${formatUs(check.valueUs)}`;
}

function sloBlock(verdict: SloVerdict): Markup {
  const title = html`<h3>${verdict.kind}, ${KIND_LABEL[verdict.kind]}: ${STATE_WORD[verdict.state]}${verdict.judged ? '' : ' (not judged)'}</h3>`;
  if (verdict.checks.length === 0) return html`${title}<p class="note warn">${verdict.text}.</p>`;
  const rows = verdict.checks.map((check) => ({
    ...(check.informational === true ? { className: 'quiet' } : {}),
    cells: [
      { content: html`<b class="${check.state}">${STATE_WORD[check.state]}</b>` },
      { content: check.text, className: 'words' },
      check.slo,
      check.phase === '' ? 'all measured' : check.phase,
      { content: formatCount(check.sampleCount), sort: check.sampleCount },
      {
        content: check.threshold === undefined ? quantileText(check) : (check.threshold.valueText ?? '–'),
        sort: check.valueUs ?? -1,
      },
      { content: check.threshold?.limitText ?? formatEdge(check.limitUs), sort: check.limitUs },
      { content: formatCount(check.overLimitCount), sort: check.overLimitCount },
      check.goodWindowRatio === undefined
        ? '–'
        : { content: formatRatio(check.goodWindowRatio), sort: check.goodWindowRatio },
    ],
  }));
  return html`${title}${dataTable({
    id: `checks-${verdict.kind}`,
    caption: `Checks of ${verdict.kind}`,
    columns: [
      { title: 'State' },
      { title: 'In words' },
      { title: 'SLO' },
      { title: 'Phase' },
      { title: 'n', numeric: true },
      { title: 'Figure', numeric: true },
      { title: 'Limit', numeric: true },
      { title: 'Over it', numeric: true },
      { title: 'Good windows', numeric: true, hint: '5-minute windows within the limit' },
    ],
    rows,
    sortable: true,
  })}`;
}

/** The server's first bucket ends at 50 ms and hides what is faster; a pod that never ran has no figure at all. */
function hiddenValue(check: SloCheck): string {
  return check.kind === 'official-sli' && check.sampleCount > 0 ? '<50 ms' : '–';
}
