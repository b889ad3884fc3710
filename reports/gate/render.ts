/** The gate's verdict for a terminal, for a pull request or CI summary, and for machines. */
import { styleText } from 'node:util';
import { inline, markdownTable } from '../markdown-text.ts';
import { formatHeadline } from '../model/headline-metrics.ts';
import { shellCommand } from '../model/words.ts';
import { type Column, textTable, wrap } from '../text-table.ts';
import type { GateState, GateStep, GateVerdict } from './decide.ts';
import { GATE_RULES, type MetricVerdict } from './metric.ts';
import { describeMedianOfThree, formatEffect, formatZ } from './words.ts';

export interface GateRenderOptions {
  /** True writes ANSI colours. */
  colour: boolean;
  /** The folders as the user named them, for the commands that come next. */
  paths: { run: string; history: string };
}

const COLUMNS = 100;
const STYLE = {
  PASS: 'green',
  'NOT GATED': 'yellow',
  FAIL: 'red',
  SUSPECT: 'yellow',
  INCONCLUSIVE: 'yellow',
  INVALID: 'red',
} as const satisfies Record<GateState, string>;
const MARK: Readonly<Record<GateState, string>> = {
  PASS: '✅',
  'NOT GATED': '➖',
  FAIL: '❌',
  SUSPECT: '❔',
  INCONCLUSIVE: '❔',
  INVALID: '⚠️',
};
const STEP_MARK: Readonly<Record<GateStep['state'], string>> = { passed: 'ok', stopped: '✗', open: '?' };

/** The verdict as text of at most 100 columns, ending in a line break. */
export function renderGateTerminal(verdict: GateVerdict, options: GateRenderOptions): string {
  const { colour } = options;
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const head = `GATE ${verdict.state}`;
  const [first = '', ...rest] = wrap(`${head}  ${verdict.text}`, COLUMNS, 2);
  const lines = [paint(STYLE[verdict.state], head) + first.slice(head.length), ...rest, ''];
  for (const step of verdict.steps) {
    const label = `  ${STEP_MARK[step.state].padEnd(3)}${step.name.padEnd(17)}`;
    const [text = '', ...more] = wrap(step.text, COLUMNS - label.length);
    lines.push(label + text, ...more.map((one) => ' '.repeat(label.length) + one));
  }
  if (verdict.metrics.length > 0) {
    const [titles = '', ...rows] = textTable(TABLE, verdict.metrics.map(cellsOf), COLUMNS);
    lines.push('', paint('bold', titles));
    rows.forEach((row, i) => {
      const state = verdict.metrics[i]?.state;
      lines.push(state === 'suspect' ? paint('red', row) : state === 'improved' ? paint('green', row) : row);
    });
    lines.push(...wrap(LEGEND, COLUMNS));
  }
  lines.push('', ...baselineLines(verdict, options).flatMap((line) => wrap(line, COLUMNS, 2)));
  const next = nextCommands(verdict, options);
  if (next.length > 0)
    lines.push('', 'To confirm or clear it, run it twice more and look at the three together:');
  lines.push(...next.map((command) => `  ${paint('bold', command)}`));
  return `${lines.join('\n')}\n`;
}

/** The verdict as GitHub-flavoured Markdown, ending in a line break. */
export function renderGateMarkdown(verdict: GateVerdict, options: Omit<GateRenderOptions, 'colour'>): string {
  const blocks = [
    `### ${MARK[verdict.state]} Gate: ${verdict.state}`,
    inline(verdict.text),
    verdict.steps
      .map((step) => `- ${STEP_MARK[step.state]} **${step.name}**: ${inline(step.text)}`)
      .join('\n'),
  ];
  if (verdict.metrics.length > 0)
    blocks.push(
      markdownTable(
        TABLE.map(({ title }) => title),
        verdict.metrics.map((metric) => {
          const cells = cellsOf(metric).map(inline);
          return metric.state === 'suspect' ? cells.map((cell) => `**${cell}**`) : cells;
        }),
        TABLE.map(({ align }) => align === 'right'),
      ),
      LEGEND,
    );
  blocks.push(baselineLines(verdict, options).map(inline).join('  \n'));
  const next = nextCommands(verdict, options);
  if (next.length > 0) blocks.push(`To confirm or clear it:\n\n\`\`\`sh\n${next.join('\n')}\n\`\`\``);
  return `${blocks.join('\n\n')}\n`;
}

/** The verdict as JSON, ending in a line break; docs/gate.md describes its fields. */
export function renderGateJson(verdict: GateVerdict): string {
  return `${JSON.stringify(verdict, undefined, 2)}\n`;
}

const TABLE: readonly Column[] = [
  { title: 'Metric', align: 'left' },
  { title: 'run', align: 'right' },
  { title: 'median', align: 'right' },
  { title: 'effect', align: 'right' },
  { title: 'z', align: 'right' },
  { title: 'noise', align: 'right' },
  { title: 'seen ½', align: 'right' },
  { title: 'seen 9/10', align: 'right' },
  { title: '', align: 'left' },
];
const LEGEND =
  'noise: run to run, robust; seen: the smallest true change for the worse that makes one run suspect half the time, nine times out of ten.';

function cellsOf({ metric, value, baseline, effectRatio, z, state, missing }: MetricVerdict): string[] {
  const few = baseline === undefined ? 'no history' : `${baseline.runCount} of ${GATE_RULES.minRunCount}`;
  const note = state === 'not gated' ? few : state === 'ok' ? '' : state;
  return [
    metric.label,
    formatHeadline(metric, value),
    formatHeadline(metric, baseline?.median),
    formatEffect(effectRatio),
    formatZ(z),
    baseline === undefined ? '–' : formatEffect(baseline.noiseRatio).replace('+', ''),
    formatEffect(baseline?.detectableHalfRatio),
    formatEffect(baseline?.detectableMostRatio),
    missing === undefined ? note : `missing${note === '' ? '' : `, ${note}`}`,
  ];
}

function baselineLines(verdict: GateVerdict, { paths }: Pick<GateRenderOptions, 'paths'>): string[] {
  const { runIds, leftOut } = verdict.baseline;
  const newest = runIds[0] === undefined ? '' : `, the newest ${runIds[0]}`;
  const lines = [`History ${paths.history}: ${runIds.length} accepted runs of this fingerprint${newest}.`];
  if (leftOut.length > 0)
    lines.push(`Left out: ${leftOut.map(({ why, count }) => `${count} ${why}`).join(', ')}.`);
  const missing = verdict.metrics.flatMap(({ metric, missing }) =>
    missing === undefined ? [] : `${metric.label} (${missing})`,
  );
  if (missing.length > 0) lines.push(`Missing in this run: ${missing.join(', ')}.`);
  for (const one of verdict.medianOfThree ?? [])
    lines.push(`Median of three, ${describeMedianOfThree(one)}.`);
  return lines;
}

/** What to do about a suspicion that no re-run has looked at yet. */
function nextCommands(verdict: GateVerdict, { paths }: Pick<GateRenderOptions, 'paths'>): string[] {
  if (verdict.state !== 'SUSPECT') return [];
  const rerun = shellCommand(verdict.command);
  return [
    rerun,
    rerun,
    `${shellCommand(['hollowmark', 'gate', paths.run])} RERUN1 RERUN2 ${shellCommand(['--history', paths.history])}`,
  ];
}
