/**
 * The summary printed at the end of a run: the two verdicts first, then the figures behind them, within 100 columns.
 * Colour marks states only and only when asked for, so that a log of it reads the same.
 */

import { styleText } from 'node:util';
import { formatRate, formatRatio } from '../src/core/index.ts';
import {
  findLimiter,
  formatCount,
  formatEdge,
  type PodStartup,
  type RunResult,
  type TrustState,
  type VerdictState,
} from '../src/result/index.ts';
import { type CallRow, measuredCallRows, SOURCE_LABEL } from './model/call-rows.ts';
import { faultWord, recoveryCells } from './model/fault-words.ts';
import { flowText } from './model/flow-text.ts';
import { networkRows } from './model/network-programming.ts';
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
import {
  describeCluster,
  describeEnd,
  formatLength,
  formatPercentile,
  STARTUP_PHASES,
  shellCommand,
} from './model/words.ts';
import { probeLines } from './terminal-probes.ts';
import { type Column, shorten, textTable, wrap } from './text-table.ts';

/** Width of the summary in characters. */
export const TERMINAL_COLUMNS = 100;
/** Rows of calls of one sender before the rest is left to the page. */
const ROWS_PER_SOURCE = 12;

export interface TerminalOptions {
  /** True writes ANSI colours. */
  colour: boolean;
  /** Files written, as the user should see them. */
  files: readonly string[];
}

/** The summary as text, ending in a line break. */
export function renderTerminal(result: RunResult, options: TerminalOptions): string {
  const paint = (style: Style, text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const sections = [
    verdictLines(result, paint),
    problemLines(result, paint),
    setUpLines(result),
    faultLines(result, paint),
    callLines(result, paint),
    podLines(result, paint),
    watchLines(result, paint),
    networkLines(result, paint),
    boldHead(probeLines(result, TERMINAL_COLUMNS), paint),
    fleetLines(result),
    trustLines(result, paint),
    fileLines(result, options.files, paint),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

type Style = 'green' | 'red' | 'yellow' | 'bold' | 'dim';
type Paint = (style: Style, text: string) => string;

const STATE_STYLE: Readonly<Record<VerdictState | TrustState, Style>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
  'no-data': 'red',
  VALID: 'green',
  DEGRADED: 'yellow',
  INVALID: 'red',
};

function verdictLines(result: RunResult, paint: Paint): string[] {
  const slo = sloState(result);
  const trust = result.verdicts.trust.state;
  const line = (title: string, state: VerdictState | TrustState, word: string, reason: string) =>
    `${paint('bold', title)} ${paint(STATE_STYLE[state], word.padEnd(12))} ${shorten(
      reason,
      TERMINAL_COLUMNS - title.length - 14,
    )}`;
  return [
    line(
      'SLO  ',
      slo,
      STATE_WORD[slo],
      trust === 'INVALID' ? `not to be relied on: ${sloReason(result)}` : sloReason(result),
    ),
    line('TRUST', trust, trust, trustReason(result)),
    ...wrap(`LIMIT ${findLimiter(result).text}`, TERMINAL_COLUMNS, 6).map((text) =>
      text.replace(/^LIMIT/, paint('bold', 'LIMIT')),
    ),
  ];
}

function problemLines(result: RunResult, paint: Paint): string[] {
  const lines: string[] = [];
  const end = describeEnd(result);
  if (end !== undefined) lines.push(...wrap(end, TERMINAL_COLUMNS));
  for (const { verdict, check } of openChecks(result)) {
    const word = STATE_WORD[check.state].padEnd(12);
    const judged = verdict.judged ? '' : ', not judged';
    const text = `${check.text} [${check.kind}${phaseNote(check.phase)}${judged}]`;
    const [first = '', ...rest] = wrap(text, TERMINAL_COLUMNS - 15);
    lines.push(`  ${paint(STATE_STYLE[check.state], word)} ${first}`);
    for (const more of rest) lines.push(`${' '.repeat(15)}${more}`);
  }
  return lines;
}

function setUpLines(result: RunResult): string[] {
  const { suite, machine } = result;
  const overrides = suite.overrides.length === 0 ? '' : `, with ${suite.overrides.join(' ')}`;
  return [
    `${suite.name}: ${formatCount(result.fleet.nodeCount)} hollow nodes, ${formatLength(result.durationMs)}, seed ${suite.seed}${overrides}`,
    `${describeCluster(result)}; ${machine.cpuModel.trim()}, ${machine.cpuCount} CPUs`,
    ...warmUpTexts(result).map((text) => `Warm-up: ${text}`),
  ].flatMap((line) => wrap(line, TERMINAL_COLUMNS, 2));
}

const CALL_COLUMNS: readonly Column[] = [
  { title: 'API calls, measured phases', align: 'left' },
  { title: 'n', align: 'right' },
  { title: 'rate', align: 'right' },
  { title: 'p50', align: 'right' },
  { title: 'p90', align: 'right' },
  { title: 'p99', align: 'right' },
  { title: 'max', align: 'right' },
  { title: 'limit', align: 'right' },
  { title: 'server p99', align: 'right' },
];

const FAULT_COLUMNS: readonly Column[] = [
  { title: 'Faults', align: 'left' },
  { title: 'response', align: 'left' },
  { title: 'noticed', align: 'right' },
  { title: 'write gap', align: 'right' },
  { title: 'read gap', align: 'right' },
  { title: 'recovered', align: 'right' },
  { title: 'writes', align: 'right' },
];

function faultLines({ faults }: RunResult, paint: Paint): string[] {
  if (faults === undefined) return [];
  const rows = faults.cards.map((card) => [
    card.id,
    shorten(faultWord(card), 16),
    ...recoveryCells(card).slice(0, 5),
  ]);
  const { acknowledgedCount, unknownCount, lostCount } = faults.writes;
  const [head = '', ...lines] = textTable(FAULT_COLUMNS, rows, TERMINAL_COLUMNS);
  return [
    paint('dim', head),
    ...lines,
    `${acknowledgedCount} probe writes acknowledged, ${unknownCount} of unknown outcome, ${lostCount} lost`,
  ];
}

function callLines(result: RunResult, paint: Paint): string[] {
  // Probes have lines of their own.
  const rows = measuredCallRows(result).filter(({ source }) => source !== 'probe');
  if (rows.length === 0) return ['No calls were measured.'];
  const kept: CallRow[] = [];
  const hidden = new Map<string, number>();
  for (const row of rows) {
    const count = kept.filter((one) => one.source === row.source).length;
    if (count < ROWS_PER_SOURCE) kept.push(row);
    else hidden.set(row.source, (hidden.get(row.source) ?? 0) + 1);
  }
  const cells = kept.map((row) => {
    const { summary } = row.response;
    return [
      `  ${shortCall(row)}`,
      formatCount(summary.count),
      formatRate(row.ratePerSecond),
      formatPercentile(summary, 'p50Us'),
      formatPercentile(summary, 'p90Us'),
      formatPercentile(summary, 'p99Us'),
      formatPercentile(summary, 'maxUs'),
      row.limitUs === undefined ? '–' : formatEdge(row.limitUs),
      row.server === undefined ? '–' : formatInterval(row.server.p99),
    ];
  });
  const [titles = '', ...table] = textTable(CALL_COLUMNS, cells, TERMINAL_COLUMNS, 1);
  const lines = [paint('bold', titles)];
  let source = '';
  kept.forEach((row, i) => {
    if (row.source !== source) {
      source = row.source;
      lines.push(paint('dim', SOURCE_LABEL[row.source]));
    }
    const over = row.limitShareRatio !== undefined && row.limitShareRatio > 1;
    const line = table[i] ?? '';
    lines.push(over ? paint('red', line) : line);
    const next = kept[i + 1];
    const more = hidden.get(row.source);
    if (next?.source !== row.source && more !== undefined) lines.push(`  … and ${more} more in report.html`);
  });
  const failed = rows.filter((row) => row.failedCount + row.droppedCount > 0);
  for (const row of failed) {
    const classes = Object.entries(row.errors).map(([name, count]) => `${formatCount(count)} ${name}`);
    if (row.droppedCount > 0) classes.push(`${formatCount(row.droppedCount)} dropped before they started`);
    lines.push(
      ...wrap(
        `failed, ${shortCall(row)}: ${classes.join(', ')} of ${formatCount(row.offeredCount)} offered`,
        TERMINAL_COLUMNS,
        2,
      ),
    );
  }
  return lines;
}

/** Name of a call without what the reader can do without: the API group, and the scope of a single object. */
function shortCall(row: CallRow): string {
  const [resource = ''] = row.resource.split('.');
  const path = row.subresource === '' ? resource : `${resource}/${row.subresource}`;
  const details = [
    ...(row.scope === 'resource' ? [] : [row.scope]),
    ...(row.variant === '' ? [] : [row.variant]),
  ];
  return details.length === 0 ? `${row.verb} ${path}` : `${row.verb} ${path} (${details.join(', ')})`;
}

function podLines(result: RunResult, paint: Paint): string[] {
  const measured = new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  return result.podStartup
    .filter((pods) => measured.has(pods.phase) && pods.createdCount > 0)
    .flatMap((pods, i) => [...(i === 0 ? [] : ['']), ...onePodTable(result, pods, paint)]);
}

function onePodTable(result: RunResult, pods: PodStartup, paint: Paint): string[] {
  const limitUs = podStartupLimitUs(result, pods.kind);
  const rows = STARTUP_PHASES.flatMap(({ phase, label, part }) => {
    const distribution = pods.phases[phase];
    if (!part && phase !== 'pod_startup') return [];
    if (distribution === undefined || distribution.summary.count === 0) return [];
    const { summary } = distribution;
    return [
      [
        `  ${label}`,
        formatCount(summary.count),
        formatPercentile(summary, 'p50Us'),
        formatPercentile(summary, 'p90Us'),
        formatPercentile(summary, 'p99Us'),
        formatPercentile(summary, 'maxUs'),
        phase === 'pod_startup' && limitUs !== undefined ? formatEdge(limitUs) : '–',
      ],
    ];
  });
  const columns: Column[] = [
    { title: `Startup of ${pods.kind} pods, phase ${pods.phase}`, align: 'left' },
    ...(['n', 'p50', 'p90', 'p99', 'max', 'limit'] as const).map((title) => ({
      title,
      align: 'right' as const,
    })),
  ];
  const [titles = '', ...lines] = textTable(columns, rows, TERMINAL_COLUMNS);
  const counts = [
    `${formatCount(pods.createdCount)} created`,
    `${formatCount(pods.startedCount)} started`,
    `${formatCount(pods.neverStartedCount)} never started${pods.neverStartedCount > 0 ? ' (counted as over the limit)' : ''}`,
    `${formatCount(pods.censoredCount)} deleted too young to tell`,
  ];
  return [paint('bold', titles), ...lines, ...wrap(`  ${counts.join(', ')}`, TERMINAL_COLUMNS, 2)];
}

function watchLines(result: RunResult, paint: Paint): string[] {
  if (result.watches.length === 0) return [];
  const rows = result.watches.map((watch) => [
    `  ${watch.resource} (${watch.scope}), phase ${watch.phase}`,
    formatCount(watch.watcherCount),
    formatCount(watch.eventCount),
    formatPercentile(watch.deliverySpread.summary, 'p50Us'),
    formatPercentile(watch.deliverySpread.summary, 'p99Us'),
    formatPercentile(watch.deliverySpread.summary, 'maxUs'),
    formatCount(watch.reconnectCount),
    formatCount(watch.relistCount),
  ]);
  const columns: Column[] = [
    { title: 'Watch fan-out', align: 'left' },
    ...(['watchers', 'events', 'spread p50', 'p99', 'max', 'reconnects', 'relists'] as const).map(
      (title) => ({
        title,
        align: 'right' as const,
      }),
    ),
  ];
  const [titles = '', ...lines] = textTable(columns, rows, TERMINAL_COLUMNS);
  return [paint('bold', titles), ...lines, ...result.watches.flatMap(serverLagLines)];
}

function serverLagLines({ resource, scope, serverLag }: RunResult['watches'][number]): string[] {
  if (serverLag === undefined) return [];
  const [p50, p99] = (['p50Us', 'p99Us'] as const).map((name) => formatPercentile(serverLag.summary, name));
  const text = `  ${resource} (${scope}), server's stamp to first watcher: p50 ${p50}, p99 ${p99}; stamps are whole seconds, up to 1 s too long`;
  return wrap(text, TERMINAL_COLUMNS, 4);
}

function networkLines(result: RunResult, paint: Paint): string[] {
  const rows = networkRows(result).map(({ phase, part, distribution: { summary } }) => [
    `  ${part}, phase ${phase}`,
    formatCount(summary.count),
    formatPercentile(summary, 'p50Us'),
    formatPercentile(summary, 'p90Us'),
    formatPercentile(summary, 'p99Us'),
    formatPercentile(summary, 'maxUs'),
  ]);
  if (rows.length === 0) return [];
  const columns: Column[] = [
    { title: 'Network programming', align: 'left' },
    ...(['n', 'p50', 'p90', 'p99', 'max'] as const).map((title) => ({ title, align: 'right' as const })),
  ];
  const [titles = '', ...lines] = textTable(columns, rows, TERMINAL_COLUMNS);
  return [paint('bold', titles), ...lines];
}

function boldHead([head, ...lines]: readonly string[], paint: Paint): string[] {
  return head === undefined ? [] : [paint('bold', head), ...lines];
}

function fleetLines(result: RunResult): string[] {
  const { fleet } = result;
  if (fleet.nodeCount === 0) return [];
  const registration = fleet.registration.summary;
  const lease = fleet.leaseLateness.summary;
  const text = [
    `Fleet: ${formatCount(fleet.readyCount)} of ${formatCount(fleet.nodeCount)} nodes Ready`,
    ...(fleet.lostCount > 0 ? [`${formatCount(fleet.lostCount)} lost`] : []),
    `registration p50 ${formatPercentile(registration, 'p50Us')}, p99 ${formatPercentile(registration, 'p99Us')}`,
    `lease lateness p99 ${formatPercentile(lease, 'p99Us')}${fleet.leaseMissedCount > 0 ? `, ${formatCount(fleet.leaseMissedCount)} missed` : ''}`,
    `${formatCount(fleet.connectionCount)} connections, ${formatCount(fleet.watchCount)} watches`,
    `${formatCount(fleet.podsStartedCount)} pods started`,
  ].join('; ');
  const lines = wrap(text, TERMINAL_COLUMNS, 2);
  if (result.scheduling !== undefined) {
    const { boundCount, meanPerSecond, maxPerSecond } = result.scheduling;
    lines.push(
      `Scheduling: ${formatCount(boundCount)} pods bound, ${formatRate(meanPerSecond)} while pods waited, best 10 s ${formatRate(maxPerSecond)}`,
    );
  }
  return lines;
}

function trustLines(result: RunResult, paint: Paint): string[] {
  const open = openTrustChecks(result);
  const lines = open.flatMap((check) => {
    const [first = '', ...rest] = wrap(trustText(check), TERMINAL_COLUMNS - 12);
    return [
      `  ${paint(STATE_STYLE[check.state], check.state.padEnd(9))} ${first}`,
      ...rest.map((more) => `${' '.repeat(12)}${more}`),
    ];
  });
  if (lines.length > 0) lines.unshift(paint('bold', 'What limits the trust in these figures'));
  for (const note of result.verdicts.trust.notes) lines.push(...wrap(`Note: ${note}`, TERMINAL_COLUMNS, 6));
  const flow = flowText(result);
  if (flow !== undefined) lines.push(...wrap(`Note: ${flow}`, TERMINAL_COLUMNS, 6));
  const steal = result.hostHealth.stealRatio;
  const agents = result.agents.map((agent) => `${agent.id} ${formatRatio(agent.maxCpuRatio)}`);
  if (agents.length > 0) {
    lines.push(
      ...wrap(
        `Busiest window of each agent, of one core: ${agents.join(', ')}; stolen from the host ${formatRatio(steal)}`,
        TERMINAL_COLUMNS,
        2,
      ),
    );
  }
  return lines;
}

function fileLines(result: RunResult, files: readonly string[], paint: Paint): string[] {
  const lines: string[] = [];
  if (result.cleanup.state !== 'clean')
    lines.push(...wrap(`Clean-up: ${result.cleanup.text}`, TERMINAL_COLUMNS, 2));
  if (files.length > 0) {
    const [first = '', ...rest] = files;
    lines.push(`Written: ${first}`, ...rest.map((file) => `         ${file}`));
  }
  lines.push(`Repeat:  ${paint('bold', shellCommand(result.command))}`);
  lines.push(
    ...wrap(`Verdict: ${result.verdicts.text} (exit code ${result.verdicts.exitCode})`, TERMINAL_COLUMNS, 9),
  );
  for (const verdict of result.verdicts.slo) lines.push(`         ${verdictCount(verdict)}`);
  return lines;
}
