/**
 * report.html: one file that needs no network, opens from file:// and reads without script. Every table is written
 * here as HTML; the script only draws the charts and lets tables be sorted and searched.
 */
import type { RunResult } from '../../src/result/index.ts';
import { measuredCallRows, phaseCallRows } from '../model/call-rows.ts';
import { STATE_WORD, sloState } from '../model/verdict-lines.ts';
import { chartData } from './chart-data.ts';
import { callsSection } from './sections/calls.ts';
import { latencySections, timeSection } from './sections/charts.ts';
import { checksSection } from './sections/checks.ts';
import { configurationSection } from './sections/configuration.ts';
import { faultsSection } from './sections/faults.ts';
import { healthSection } from './sections/health.ts';
import { networkSection } from './sections/network.ts';
import { overviewSection } from './sections/overview.ts';
import { podsSection } from './sections/pods.ts';
import { probesSection } from './sections/probes.ts';
import { referencesSection } from './sections/references.ts';
import { serverSection } from './sections/server.ts';
import { watchesSection } from './sections/watches.ts';
import { type PageAssets, pageShell } from './shell.ts';

/** The page as text. */
export function renderHtml(result: RunResult, assets: PageAssets): string {
  const rows = measuredCallRows(result);
  const data = chartData(result, rows);
  const sections = [
    faultsSection(result),
    callsSection(result, rows, phaseCallRows(result)),
    ...latencySections(data, rows),
    timeSection(result, data),
    podsSection(result),
    watchesSection(result),
    networkSection(result),
    probesSection(result),
    checksSection(result),
    healthSection(result),
    serverSection(result),
    referencesSection(result, rows),
    configurationSection(result),
  ].filter((section) => section !== undefined);
  const state = STATE_WORD[sloState(result)];
  return pageShell({
    title: `${state} · ${result.verdicts.trust.state} · ${result.suite.name}, ${result.fleet.nodeCount} nodes · hollowmark`,
    header: overviewSection(result, rows),
    sections,
    footer: `Run ${result.runId}, written by hollowmark ${result.tool.version} from result.json alone.`,
    data,
    assets,
  });
}
