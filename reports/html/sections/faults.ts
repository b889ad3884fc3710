/** Faults: the verdict over all, recovery and coverage in one table each, and one card per fault with its four parts. */
import { formatMs } from '../../../src/core/index.ts';
import type { FaultCard, FaultsResult, PathObservation, RunResult } from '../../../src/result/index.ts';
import {
  describeErrors,
  describeFindings,
  describeWoken,
  faultWord,
  formatShare,
  recoveryCells,
  topNotices,
} from '../../model/fault-words.ts';
import { dataTable } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

const RECOVERY_COLUMNS = [
  { title: 'Fault' },
  { title: 'Target' },
  { title: 'Response' },
  ...['Noticed after', 'Write gap', 'Read gap', 'Recovered', 'Good writes', 'Good reads'].map((title) => ({
    title,
    numeric: true,
  })),
];

export function faultsSection(result: RunResult): Section | undefined {
  const { faults } = result;
  if (faults === undefined) return undefined;
  return {
    id: 'faults',
    title: 'Faults',
    short: 'Faults',
    body: html`<p>${faults.verdict.text}. Topology: ${faults.topology}.</p>
<h3>Availability and recovery</h3>
${recoveryTable(faults)}
<p>Through the load balancer ${formatShare(faults.availability.writeRatio)} of ${String(faults.availability.writeCount)} writes and ${formatShare(faults.availability.readRatio)} of ${String(faults.availability.readCount)} reads were good while the schedule played; of the error budget of ${formatShare(faults.errorBudget.allowedRatio)} of all calls ${formatShare(faults.errorBudget.spentRatio)} was spent${faults.errorBudget.leftRatio < 0 ? ': it is overspent' : ''}. Of all writes ${String(faults.writes.acknowledgedCount)} were acknowledged, ${String(faults.writes.refusedCount)} refused, ${String(faults.writes.unknownCount)} of unknown outcome; ${String(faults.writes.lostCount)} acknowledged ones were lost.</p>
<h3>Coverage</h3>
${coverageTable(faults)}
<h3>Invariants over the whole run</h3>
${invariantsTable(faults)}
${faults.cards.map(card)}`,
  };
}

function recoveryTable(faults: FaultsResult): Markup {
  return dataTable({
    id: 'fault-recovery-table',
    caption: 'Availability and recovery: times from the fault, through the load balancer',
    columns: RECOVERY_COLUMNS,
    rows: faults.cards.map((one) => ({
      cells: [one.id, one.target, faultWord(one), ...recoveryCells(one)],
      data: { state: one.verdict.state },
    })),
  });
}

function coverageTable(faults: FaultsResult): Markup {
  const components = [...new Set(faults.cards.map(({ component }) => component))].filter(
    (component) => component !== 'none',
  );
  return dataTable({
    id: 'fault-coverage-table',
    caption: `Coverage: which fault hit which component, on ${faults.topology}`,
    columns: [{ title: 'Fault' }, ...components.map((title) => ({ title }))],
    rows: faults.cards.map((one) => ({
      cells: [
        one.fault,
        ...components.map((component) => (one.component === component ? faultWord(one) : '')),
      ],
    })),
  });
}

function invariantsTable(faults: FaultsResult): Markup {
  return dataTable({
    id: 'fault-invariants-table',
    caption: 'Invariants over the whole run',
    columns: [{ title: 'Invariant' }, { title: 'State' }, { title: 'What was looked at' }],
    rows: faults.invariants.map(({ name, state, text }) => ({ cells: [name, state, text] })),
  });
}

function card(one: FaultCard): Markup {
  const { seen } = one;
  const parts: [string, string][] = [
    ['What fails', one.fails],
    ['How it was induced', `${one.induced} Target: ${one.target === '' ? 'none' : one.target}.`],
    ['Expected', one.expected],
    ['How it is observed', one.observed],
  ];
  return html`<h3 id="fault-${one.id}">${one.id}: ${faultWord(one)}</h3>
<dl>${parts.map(([title, text]) => html`<dt>${title}</dt><dd>${text}</dd>`)}</dl>
<ul>${one.verdict.checks.map((check) => html`<li>${check.met ? 'met' : 'NOT MET'}: ${check.name}: ${check.text}</li>`)}</ul>
${one.reason === undefined ? html`` : html`<p>${one.reason}</p>`}
${one.weaknesses === undefined ? html`` : html`<p>Known of this control plane: ${one.weaknesses.join('; ')}.</p>`}
${
  seen === undefined
    ? html``
    : html`<p>${topNotices(seen)} ${describeWoken(seen)} ${describeErrors(seen)} ${describeFindings(seen)} Fleet: ${String(seen.fleetReconnectCount)} reconnects, ${String(seen.fleetRelistCount)} relists; ${String(seen.nodesNotReadyCount)} nodes not Ready, ${String(seen.podsEvictedCount)} pods evicted, ${String(seen.podsRescheduledCount)} replaced.</p>
${pathTable(one.id, seen.paths)}`
}`;
}

function pathTable(id: string, paths: readonly PathObservation[]): Markup {
  const us = (value: number | undefined) => (value === undefined ? '–' : formatMs(value / 1_000));
  return dataTable({
    id: `fault-paths-${id}`,
    caption: `Paths during ${id}: write latency p50 / p99 before, during and after; gaps; watch`,
    columns: [
      { title: 'Path' },
      ...['Before', 'During', 'After', 'Write gap', 'Read gap', 'Watch delay', 'Cuts', 'Relists'].map(
        (title) => ({ title, numeric: true }),
      ),
    ],
    rows: paths.map(({ path, writes, writeGapMs, readGapMs, watch }) => ({
      cells: [
        path,
        ...[writes.before, writes.during, writes.after].map(
          ({ p50Us, p99Us }) => `${us(p50Us)} / ${us(p99Us)}`,
        ),
        formatMs(writeGapMs),
        formatMs(readGapMs),
        watch === undefined ? '–' : formatMs(watch.longestDelayMs),
        String(watch?.cutCount ?? 0),
        String(watch?.relistCount ?? 0),
      ],
    })),
  });
}
