/**
 * summary.md: what a pull request or a CI step needs to say about a run, small enough for both (GitHub cuts a
 * comment at 65,536 characters and a step summary at 1 MiB).
 */
import { formatRate } from '../src/core/index.ts';
import { findLimiter, formatCount, formatEdge, type RunResult } from '../src/result/index.ts';
import { inline, markdownTable } from './markdown-text.ts';
import { type CallRow, measuredCallRows, SOURCE_LABEL } from './model/call-rows.ts';
import { faultWord, recoveryCells } from './model/fault-words.ts';
import { networkRows } from './model/network-programming.ts';
import {
  availabilityRows,
  formatAvailability,
  formatOutages,
  probedPhases,
  propagationRows,
  propagationText,
  readBackText,
} from './model/probe-rows.ts';
import { formatInterval } from './model/server-side.ts';
import { podStartupLimitUs } from './model/slo-limits.ts';
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
} from './model/verdict-lines.ts';
import { warmUpTexts } from './model/warm-up-text.ts';
import { describeCluster, describeEnd, formatLength, formatPercentile, shellCommand } from './model/words.ts';

/** Rows of calls shown before the rest is left to the page. */
const CALL_ROWS = 20;
/** Checks that did not pass, listed one by one. */
const OPEN_CHECKS = 30;

const MARK = { pass: '✅', fail: '❌', inconclusive: '❔', 'no-data': '⚠️' } as const;
const TRUST_MARK = { VALID: '✅', DEGRADED: '⚠️', INVALID: '❌' } as const;

/** The summary as GitHub-flavoured Markdown, ending in a line break. */
export function renderMarkdown(result: RunResult): string {
  const slo = sloState(result);
  const trust = result.verdicts.trust.state;
  const limiter = findLimiter(result);
  const doubt = trust === 'INVALID' ? 'not to be relied on: ' : '';
  const blocks = [
    `## hollowmark: ${inline(result.suite.name)}, ${formatCount(result.fleet.nodeCount)} nodes`,
    markdownTable(
      ['', '', 'Why'],
      [
        [`${MARK[slo]} **SLO**`, `**${STATE_WORD[slo]}**`, inline(doubt + sloReason(result))],
        [`${TRUST_MARK[trust]} **Trust**`, `**${trust}**`, inline(trustReason(result))],
        [
          '**Limited by**',
          limiter.state === 'named' ? `**${inline(limiter.limiters[0]?.name ?? '')}**` : '',
          inline(limiter.text),
        ],
      ],
    ),
    ...problems(result),
    faultTable(result),
    callTable(measuredCallRows(result).filter(({ source }) => source !== 'probe')),
    podTable(result),
    networkTable(result),
    probeTables(result),
    facts(result),
  ].filter((block) => block !== '');
  return `${blocks.join('\n\n')}\n`;
}

function problems(result: RunResult): string[] {
  const items: string[] = [];
  const end = describeEnd(result);
  if (end !== undefined) items.push(`- ${inline(end)}`);
  const open = openChecks(result);
  for (const { verdict, check } of open.slice(0, OPEN_CHECKS)) {
    const judged = verdict.judged ? '' : ', not judged';
    items.push(
      `- ${MARK[check.state]} **${STATE_WORD[check.state]}** ${inline(check.text)} (${check.kind}${inline(phaseNote(check.phase))}${judged})`,
    );
  }
  if (open.length > OPEN_CHECKS)
    items.push(`- … and ${open.length - OPEN_CHECKS} more checks that did not pass`);
  for (const check of openTrustChecks(result)) {
    items.push(`- ${TRUST_MARK[check.state]} **${check.state}** ${inline(trustText(check))}`);
  }
  return items.length === 0 ? [] : [items.join('\n')];
}

function callTable(rows: readonly CallRow[]): string {
  if (rows.length === 0) return 'No calls were measured.';
  const shown = rows.slice(0, CALL_ROWS).map((row) => {
    const { summary } = row.response;
    const over = row.limitShareRatio !== undefined && row.limitShareRatio > 1;
    const p99 = formatPercentile(summary, 'p99Us');
    return [
      SOURCE_LABEL[row.source],
      inline(row.call),
      row.scope,
      formatCount(summary.count),
      formatRate(row.ratePerSecond),
      formatPercentile(summary, 'p50Us'),
      over ? `**${p99}**` : p99,
      formatPercentile(summary, 'maxUs'),
      row.limitUs === undefined ? '–' : formatEdge(row.limitUs),
      row.server === undefined ? '–' : inline(formatInterval(row.server.p99)),
    ];
  });
  const text = markdownTable(
    ['From', 'Call', 'Scope', 'n', 'Rate', 'p50', 'p99', 'Max', 'Limit (p99)', 'Server p99'],
    shown,
    [false, false, false, true, true, true, true, true, true, true],
  );
  const more = rows.length - shown.length;
  return more > 0 ? `${text}\n\n… and ${more} more in report.html.` : text;
}

function faultTable({ faults }: RunResult): string {
  if (faults === undefined) return '';
  const table = markdownTable(
    [
      'Fault',
      'Target',
      'Response',
      'Noticed',
      'Write gap',
      'Read gap',
      'Recovered',
      'Good writes',
      'Good reads',
    ],
    faults.cards.map((card) => [
      inline(card.id),
      inline(card.target),
      inline(faultWord(card)),
      ...recoveryCells(card),
    ]),
    [false, false, false, true, true, true, true, true, true],
  );
  const { acknowledgedCount, unknownCount, lostCount } = faults.writes;
  return `${table}\n\n${acknowledgedCount} writes of the probes acknowledged, ${unknownCount} of unknown outcome, **${lostCount} acknowledged ones lost**.`;
}

function podTable(result: RunResult): string {
  const measured = new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  const rows = result.podStartup
    .filter((pods) => measured.has(pods.phase) && pods.createdCount > 0)
    .map((pods) => {
      const summary = pods.phases.pod_startup?.summary;
      const limitUs = podStartupLimitUs(result, pods.kind);
      const cell = (name: 'p50Us' | 'p99Us' | 'maxUs') =>
        summary === undefined ? '–' : formatPercentile(summary, name);
      return [
        `${pods.kind}, phase ${inline(pods.phase)}`,
        formatCount(pods.createdCount),
        formatCount(pods.startedCount),
        formatCount(pods.neverStartedCount),
        cell('p50Us'),
        cell('p99Us'),
        cell('maxUs'),
        limitUs === undefined ? '–' : formatEdge(limitUs),
      ];
    });
  if (rows.length === 0) return '';
  return markdownTable(
    ['Pod startup', 'Created', 'Started', 'Never', 'p50', 'p99', 'Max', 'Limit (p99)'],
    rows,
    [false, true, true, true, true, true, true, true],
  );
}

function networkTable(result: RunResult): string {
  const rows = networkRows(result).map(({ phase, part, distribution: { summary } }) => [
    `${part}, phase ${inline(phase)}`,
    formatCount(summary.count),
    formatPercentile(summary, 'p50Us'),
    formatPercentile(summary, 'p99Us'),
    formatPercentile(summary, 'maxUs'),
  ]);
  if (rows.length === 0) return '';
  return markdownTable(['Network programming', 'n', 'p50', 'p99', 'Max'], rows, [
    false,
    true,
    true,
    true,
    true,
  ]);
}

function probeTables(result: RunResult): string {
  const availability = availabilityRows(result).map((row) => [
    `${row.path}, phase ${inline(row.phase)}`,
    formatCount(row.goodCount + row.badCount),
    `**${formatAvailability(row.availableRatio)}**`,
    formatOutages(row),
    row.response === undefined ? '–' : formatPercentile(row.response.summary, 'p99Us'),
  ]);
  const propagation = propagationRows(result).map(({ reach, phase, distribution: { summary } }) => [
    `${reach}, phase ${inline(phase)}`,
    formatCount(summary.count),
    formatPercentile(summary, 'p50Us'),
    formatPercentile(summary, 'p99Us'),
    formatPercentile(summary, 'maxUs'),
  ]);
  const texts = probedPhases(result).flatMap((probes) =>
    [propagationText(probes), readBackText(probes)]
      .filter((text) => text !== '')
      .map((text) => `${inline(probes.phase)}: ${text}.`),
  );
  const numbers = [false, true, true, true, true];
  return [
    ...(availability.length === 0
      ? []
      : [markdownTable(['API availability', 'n', 'Available', 'Outages', 'p99'], availability, numbers)]),
    ...(propagation.length === 0
      ? []
      : [markdownTable(['Write to watch', 'n', 'p50', 'p99', 'Max'], propagation, numbers)]),
    ...texts,
  ].join('\n\n');
}

function facts(result: RunResult): string {
  const lines = [
    `- ${inline(describeCluster(result))}; ${inline(result.machine.cpuModel.trim())}, ${result.machine.cpuCount} CPUs; ${formatLength(result.durationMs)}`,
    ...result.verdicts.slo.map((verdict) => `- ${verdictCount(verdict)}`),
    ...findLimiter(result)
      .limiters.slice(1)
      .map((one) => `- Also at its limit: ${inline(`${one.name}: ${one.subject}, ${one.text}`)}`),
    ...warmUpTexts(result).map((text) => `- Warm-up: ${inline(text)}`),
    ...result.verdicts.trust.notes.map((note) => `- Note: ${inline(note)}`),
    `- Repeat: \`${shellCommand(result.command).replaceAll('`', "'")}\``,
    `- ${inline(result.verdicts.text)} (exit code ${result.verdicts.exitCode}); run ${inline(result.runId)}, hollowmark ${inline(result.tool.version)}`,
  ];
  return lines.join('\n');
}
