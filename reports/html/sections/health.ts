/** How the harness itself fared: what the trust verdict rests on. */

import { formatBytes, formatMs, formatRatio, formatUs } from '../../../src/core/index.ts';
import { formatCount, type RunResult } from '../../../src/result/index.ts';
import { flowText } from '../../model/flow-text.ts';
import { formatPercentile } from '../../model/words.ts';
import { dataTable } from '../data-table.ts';
import { html } from '../markup.ts';
import type { Section } from '../shell.ts';

export function healthSection(result: RunResult): Section {
  const { fleet, hostHealth } = result;
  const rows = result.agents.map((agent) => ({
    ...(agent.state === 'completed' ? {} : { className: 'over' }),
    cells: [
      agent.id,
      agent.role,
      agent.state === 'completed'
        ? 'completed'
        : `${agent.state}${agent.reason === undefined ? '' : `: ${agent.reason}`}`,
      { content: formatPercentile(agent.slip.summary, 'p99Us'), sort: agent.slip.summary.p99Us },
      { content: formatPercentile(agent.loopLag.summary, 'p99Us'), sort: agent.loopLag.summary.p99Us },
      { content: formatRatio(agent.gcRatio), sort: agent.gcRatio },
      { content: formatMs(agent.maxGcPauseMs), sort: agent.maxGcPauseMs },
      {
        content: `${formatRatio(agent.meanCpuRatio)} / ${formatRatio(agent.maxCpuRatio)}`,
        sort: agent.maxCpuRatio,
      },
      { content: formatBytes(agent.maxRssBytes), sort: agent.maxRssBytes },
      { content: formatCount(agent.maxInFlightCount), sort: agent.maxInFlightCount },
      { content: formatMs(agent.maxReportGapMs), sort: agent.maxReportGapMs },
    ],
  }));
  const flow = flowText(result);
  const fleetFacts: [string, string][] = [
    [
      'Nodes',
      `${formatCount(fleet.registeredCount)} registered, ${formatCount(fleet.readyCount)} Ready of ${formatCount(fleet.nodeCount)}; ${formatCount(fleet.lostCount)} lost`,
    ],
    ['Registration', summaryText(fleet.registration.summary)],
    [
      'Lease lateness',
      `${summaryText(fleet.leaseLateness.summary)}; ${formatCount(fleet.leaseMissedCount)} missed`,
    ],
    ...(fleet.leaseLatenessByPhase ?? []).map(({ phase, lateness }): [string, string] => [
      phase === '' ? '… outside of phases' : `… in phase ${phase}`,
      summaryText(lateness.summary),
    ]),
    ['… of it the fleet’s own', summaryText(fleet.leaseSlip.summary)],
    [
      'Connections',
      `${formatCount(fleet.connectionCount)}; ${formatCount(fleet.watchCount)} watches; ${formatCount(fleet.reconnectCount)} reconnects, ${formatCount(fleet.relistCount)} relists`,
    ],
    [
      'Pods',
      `${formatCount(fleet.podsStartedCount)} started, ${formatCount(fleet.podsDeletedCount)} deleted`,
    ],
    [
      'Host',
      `${hostHealth.cpuCount} CPUs busy ${formatRatio(hostHealth.meanCpuRatio)} on average, ${formatRatio(hostHealth.maxCpuRatio)} at most; ${formatRatio(hostHealth.stealRatio)} stolen; throttled ${formatCount(hostHealth.throttledCount)} times`,
    ],
    ...(flow === undefined ? [] : [['Priority & Fairness', flow] as [string, string]]),
    ['Clean-up', `${result.cleanup.state}: ${result.cleanup.text} (${formatMs(result.cleanup.durationMs)})`],
  ];
  return {
    id: 'health',
    title: 'The harness itself',
    short: 'Harness',
    body: html`${dataTable({
      id: 'agent-table',
      caption: 'Agents',
      columns: [
        { title: 'Agent' },
        { title: 'Role' },
        { title: 'End' },
        { title: 'Slip p99', numeric: true, hint: 'sent later than intended' },
        { title: 'Loop lag p99', numeric: true },
        { title: 'GC', numeric: true, hint: 'share of time in garbage collection' },
        { title: 'Longest GC', numeric: true },
        { title: 'CPU mean / max', numeric: true, hint: 'of one core' },
        { title: 'Memory', numeric: true },
        { title: 'In flight', numeric: true, hint: 'most calls at once' },
        { title: 'Silence', numeric: true, hint: 'longest time between two reports' },
      ],
      rows,
      sortable: true,
    })}
<dl class="pairs">${fleetFacts.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`,
  };
}

function summaryText(summary: { count: number; p50Us: number; p99Us: number; maxUs: number }): string {
  if (summary.count === 0) return 'no samples';
  return `p50 ${formatUs(summary.p50Us)}, p99 ${formatUs(summary.p99Us)}, max ${formatUs(summary.maxUs)} of ${formatCount(summary.count)}`;
}
