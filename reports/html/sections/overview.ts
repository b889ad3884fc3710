/** The first screen: was the run good, can it be trusted, what was run, and the figures most asked for. */
import { formatRate, formatUs } from '../../../src/core/index.ts';
import {
  findLimiter,
  formatCount,
  formatEdge,
  type RunResult,
  SLO_NAME,
  type SloCheck,
} from '../../../src/result/index.ts';
import type { CallRow } from '../../model/call-rows.ts';
import {
  openChecks,
  openTrustChecks,
  phaseNote,
  STATE_WORD,
  sloReason,
  sloState,
  trustReason,
  trustText,
  verdictCount,
} from '../../model/verdict-lines.ts';
import { warmUpTexts } from '../../model/warm-up-text.ts';
import { describeCluster, describeEnd, formatLength, shellCommand } from '../../model/words.ts';
import { html, type Markup } from '../markup.ts';

/** Reasons listed before the rest is left to the tables below. */
const REASONS = 6;

export function overviewSection(result: RunResult, rows: readonly CallRow[]): Markup {
  const { suite } = result;
  const end = describeEnd(result);
  return html`<header>
<div class="title"><h1>${suite.name}<small>${suite.description}</small></h1><button type="button" id="theme" hidden>Theme: system</button></div>
${end === undefined ? '' : html`<p class="note warn">${end}</p>`}
<div class="verdicts">${sloCard(result)}${trustCard(result)}</div>
<dl class="tiles">${tiles(result, rows).map(
    (tile) =>
      html`<div class="tile ${tile.state}"><dt>${tile.label}</dt><dd><b>${tile.value}</b><span>${tile.note}</span></dd></div>`,
  )}</dl>
${limiterLine(result)}
<p class="facts">${formatCount(result.fleet.nodeCount)} hollow nodes · ${describeCluster(result)} · ${result.machine.cpuModel.trim()}, ${result.machine.cpuCount} CPUs · ${formatLength(result.durationMs)} from ${result.startedAt.slice(0, 19).replace('T', ' ')} UTC · seed ${suite.seed}</p>
${warmUpTexts(result).map(
  (text) => html`<p class="facts">Warm-up: ${text}.</p>
`,
)}<p class="facts">Repeat it: <code>${shellCommand(result.command)}</code></p>
</header>`;
}

const STATE_GLYPH = { pass: '✓', fail: '✗', inconclusive: '?', 'no-data': '∅' } as const;
const TRUST_GLYPH = { VALID: '✓', DEGRADED: '!', INVALID: '✗' } as const;
const TRUST_CLASS = { VALID: 'pass', DEGRADED: 'warn', INVALID: 'fail' } as const;
const TRUST_MEANING = {
  VALID: 'The harness kept its own promises: the figures are the cluster’s.',
  DEGRADED: 'Usable, but the harness itself was near its limits: read the tails with care.',
  INVALID: 'The figures are incomplete, or the harness itself shaped them: do not use them.',
} as const;

function sloCard(result: RunResult): Markup {
  const state = sloState(result);
  const open = openChecks(result);
  const reasons = open
    .slice(0, REASONS)
    .map(
      ({ verdict, check }) =>
        html`<li><b class="${check.state}">${STATE_WORD[check.state]}</b> ${check.text} <small>· ${check.kind}${phaseNote(check.phase)}${verdict.judged ? '' : ', not judged'}</small></li>`,
    );
  const counts = result.verdicts.slo.map(verdictCount).join('; ');
  // A pass that the harness itself voids must not look like one.
  const isVoid = result.verdicts.trust.state === 'INVALID';
  const glyph = isVoid ? TRUST_GLYPH.DEGRADED : STATE_GLYPH[state];
  return html`<section class="verdict ${isVoid ? 'void' : state}" aria-label="SLO verdict"><h2><span class="glyph" aria-hidden="true">${glyph}</span>SLO: <em id="slo-state">${STATE_WORD[state]}</em>${isVoid ? html` <small>not to be relied on: the run is invalid</small>` : ''}</h2>
${reasons.length === 0 ? html`<p>${sloReason(result)}.</p>${nearest(result)}` : html`<ul>${reasons}</ul>`}
${open.length > REASONS ? html`<p>… and ${open.length - REASONS} more: <a href="#checks">all checks</a>.</p>` : ''}
${reasons.length === 0 ? '' : html`<p><small>${counts}.</small></p>`}</section>`;
}

/** What came closest to its limit, where everything was kept. */
function nearest(result: RunResult): Markup {
  const share = (check: SloCheck) => (check.valueUs ?? 0) / check.limitUs;
  const checks = result.verdicts.slo
    .flatMap((verdict) => verdict.checks)
    .filter((check) => check.informational !== true && check.state === 'pass' && check.valueUs !== undefined)
    .sort((a, b) => share(b) - share(a));
  if (checks.length === 0) return html``;
  return html`<p><small>Nearest to their limits:</small></p><ul class="notes">${checks
    .slice(0, 3)
    .map((check) => html`<li>${check.text} · ${check.kind}</li>`)}</ul>`;
}

function trustCard(result: RunResult): Markup {
  const { state, notes } = result.verdicts.trust;
  const open = openTrustChecks(result);
  const reasons = open
    .slice(0, REASONS)
    .map(
      (check) => html`<li><b class="${TRUST_CLASS[check.state]}">${check.state}</b> ${trustText(check)}</li>`,
    );
  return html`<section class="verdict ${TRUST_CLASS[state]}" aria-label="Trust verdict"><h2><span class="glyph" aria-hidden="true">${TRUST_GLYPH[state]}</span>Trust: <em id="trust-state">${state}</em></h2>
<p>${TRUST_MEANING[state]}</p>
${reasons.length === 0 ? html`<p><small>${trustReason(result)}.</small></p>` : html`<ul>${reasons}</ul>`}
${notes.length === 0 ? '' : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}</section>`;
}

interface Tile {
  label: string;
  value: string;
  note: string;
  state: string;
}

function tiles(result: RunResult, rows: readonly CallRow[]): Tile[] {
  const load = rows.filter((row) => row.source === 'load' && row.response.summary.count > 0);
  const reads = load.filter((row) => row.verb === 'get' || row.verb === 'list');
  const writes = load.filter((row) => !reads.includes(row) && row.verb !== 'watch');
  const ended = load.reduce((sum, row) => sum + row.doneCount, 0);
  const failed = load.reduce((sum, row) => sum + row.failedCount + row.droppedCount, 0);
  const { fleet, scheduling } = result;
  const lease = fleet.leaseLateness.summary;
  return [
    podTile(result),
    callTile('Write nearest its limit, p99', writes),
    callTile('Read nearest its limit, p99', reads),
    {
      label: 'Load calls answered',
      value: formatCount(ended),
      note: failed === 0 ? 'none failed or dropped' : `${formatCount(failed)} failed or dropped`,
      state: '',
    },
    ...(scheduling === undefined
      ? []
      : [
          {
            label: 'Scheduling',
            value: formatRate(scheduling.maxPerSecond),
            note: `best 10 s; ${formatRate(scheduling.meanPerSecond)} while pods waited`,
            state: '',
          },
        ]),
    {
      label: 'Nodes Ready',
      value: `${formatCount(fleet.readyCount)} of ${formatCount(fleet.nodeCount)}`,
      note: lease.count === 0 ? 'no leases' : `leases late by ${formatUs(lease.p99Us)} at p99`,
      state: fleet.readyCount < fleet.nodeCount ? 'fail' : '',
    },
  ];
}

/** What limited the run, and whatever else had nothing left. */
function limiterLine(result: RunResult): Markup {
  const { limiters, text } = findLimiter(result);
  const others = limiters.slice(1).map((one) => `${one.name}: ${one.subject}, ${one.text}`);
  return html`<p class="limiter" id="limiter"><b>Limited by:</b> ${text}.${others.length === 0 ? '' : html` <small>Also: ${others.join('; ')}.</small>`}</p>`;
}

function podTile(result: RunResult): Tile {
  const checks = result.verdicts.slo.flatMap((verdict) => verdict.checks);
  const isStartup = (check: SloCheck) => check.slo === SLO_NAME.podStartup;
  const check = checks.find((one) => isStartup(one) && one.informational !== true) ?? checks.find(isStartup);
  if (check === undefined)
    return { label: 'Pod startup, p99', value: '–', note: 'no pods were started', state: '' };
  return {
    label: 'Pod startup, p99',
    value: check.valueUs === undefined ? STATE_WORD[check.state].toLowerCase() : formatUs(check.valueUs),
    note: `limit ${formatEdge(check.limitUs)}, n ${formatCount(check.sampleCount)}`,
    state: check.state,
  };
}

function callTile(label: string, rows: readonly CallRow[]): Tile {
  const [worst] = [...rows].sort((a, b) => (b.limitShareRatio ?? 0) - (a.limitShareRatio ?? 0));
  if (worst === undefined) return { label, value: '–', note: 'none made', state: '' };
  const limit = worst.limitUs === undefined ? '' : `, limit ${formatEdge(worst.limitUs)}`;
  return {
    label,
    value: formatUs(worst.response.summary.p99Us),
    note: `${worst.call}${limit}`,
    state: worst.limitShareRatio === undefined ? '' : worst.limitShareRatio > 1 ? 'fail' : 'pass',
  };
}
