/**
 * The frame that every page stands in: one document with its script and style inside, readable without script.
 *
 * The page forbids itself everything but its own script and style (Content-Security-Policy with their hashes), so
 * that neither a name from a cluster nor a later change can make it load or send anything.
 */
import { createHash } from 'node:crypto';
import type { ChartData } from './chart-types.ts';
import { embeddedJson, html, type Markup, trusted } from './markup.ts';

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

export interface PageParts {
  title: string;
  header: Markup;
  /** The first one is where the link for keyboards and screen readers leads. */
  sections: readonly Section[];
  footer: string;
  data: ChartData;
  assets: PageAssets;
}

/** The page as text. */
export function pageShell({ title, header, sections, footer, data, assets }: PageParts): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(assets.style)}</style>
</head>
<body>
<a class="skip" href="#${sections[0]?.id ?? ''}">Skip to the figures</a>
${header}
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
<footer><p>${footer}</p></footer>
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
