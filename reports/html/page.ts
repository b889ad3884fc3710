/**
 * report.html: one file that needs no network, opens from file:// and reads without script. Every table is written
 * here as HTML; the script only draws the charts and lets tables be sorted and searched.
 *
 * The page forbids itself everything but its own script and style (Content-Security-Policy with their hashes), so
 * that neither a name from a cluster nor a later change can make it load or send anything.
 */
import { createHash } from 'node:crypto';
import type { RunResult } from '../../src/result/index.ts';
import { measuredCallRows, phaseCallRows } from '../model/call-rows.ts';
import { STATE_WORD, sloState } from '../model/verdict-lines.ts';
import { chartData } from './chart-data.ts';
import { embeddedJson, html, type Markup, trusted } from './markup.ts';
import { callsSection } from './sections/calls.ts';
import { latencySections, timeSection } from './sections/charts.ts';
import { checksSection } from './sections/checks.ts';
import { configurationSection } from './sections/configuration.ts';
import { healthSection } from './sections/health.ts';
import { overviewSection } from './sections/overview.ts';
import { podsSection } from './sections/pods.ts';
import { referencesSection } from './sections/references.ts';
import { serverSection } from './sections/server.ts';
import { watchesSection } from './sections/watches.ts';

/** The page's own script and style, as built. */
export interface PageAssets {
  script: string;
  style: string;
}

/** A part of the page; undefined where the run has nothing to say of it. */
export interface Section {
  id: string;
  title: string;
  /** The title in the row of links. */
  short: string;
  body: Markup;
}

/** The page as text. */
export function renderHtml(result: RunResult, assets: PageAssets): string {
  const rows = measuredCallRows(result);
  const data = chartData(result, rows);
  const sections = [
    callsSection(result, rows, phaseCallRows(result)),
    ...latencySections(data, rows),
    timeSection(result, data),
    podsSection(result),
    watchesSection(result),
    checksSection(result),
    healthSection(result),
    serverSection(result),
    referencesSection(result, rows),
    configurationSection(result),
  ].filter((section) => section !== undefined);
  const state = STATE_WORD[sloState(result)];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${state} · ${result.verdicts.trust.state} · ${result.suite.name}, ${result.fleet.nodeCount} nodes · hollowmark</title>
<link rel="icon" href="data:,">
<style>${trusted(assets.style)}</style>
</head>
<body>
<a class="skip" href="#calls">Skip to the figures</a>
${overviewSection(result, rows)}
<nav aria-label="Parts of this report"><ul>${sections.map((one) => html`<li><a href="#${one.id}">${one.short}</a></li>`)}</ul></nav>
<p class="note scriptless">Charts are missing where scripts are off; every figure is in the tables, which then cannot be sorted.</p>
<main>
${sections.map(
  (one) => html`<section id="${one.id}" aria-labelledby="${one.id}-title">
<h2 id="${one.id}-title">${one.title}</h2>
${one.body}
</section>
`,
)}</main>
<footer><p>Run ${result.runId}, written by hollowmark ${result.tool.version} from result.json alone.</p></footer>
<script type="application/json" id="chart-data">${embeddedJson(data)}</script>
<script>${trusted(assets.script)}</script>
</body>
</html>
`;
  return page.text;
}

function policy(assets: PageAssets): string {
  const hash = createHash('sha256').update(assets.script).digest('base64');
  // Styles are also set by attribute (widths of bars), which a hash does not cover.
  return `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
}
