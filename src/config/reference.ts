/**
 * The reference page of the suite language, made from its schema, as Markdown.
 */
import { z } from 'zod';
import { THRESHOLD_LABEL_VALUES, THRESHOLD_METRICS } from '../result/index.ts';
import { BUILT_IN_TEMPLATES } from './built-in-templates.ts';
import { inputSchema, type JsonSchema } from './json-schema.ts';
import { BUILT_IN_RESOURCE_NAMES } from './resources.ts';
import { SHAPE_SCHEMAS } from './schema-shape.ts';

interface Section {
  title: string;
  schema: JsonSchema;
}

/** The whole page. */
export function referencePage(): string {
  const sections = sectionsOf({ title: 'Suite', schema: inputSchema() });
  return `${[HEAD, ...sections.map(sectionText), tail()].join('\n\n')}\n`;
}

const HEAD = `<!-- Generated from src/config/schema.ts by \`npm run generate\`. Do not edit. -->
# Suite reference

A suite is one YAML document. \`hollowmark validate SUITE\` lists every problem of one with its place, \`hollowmark plan
SUITE\` says what it will do and need. Editors complete and check suites by \`docs/suite.schema.json\`; a first line such as
\`# yaml-language-server: $schema=PATH/suite.schema.json\` tells them.

Keys without a default are required unless the text says otherwise. Unknown keys are errors.

## Values

| Kind | Written | Means |
|---|---|---|
| rate | \`20/s\`, \`90/m\`, \`0.5/s\` | in a second, a minute; above 0 |
| duration | \`250ms\`, \`60s\`, \`1m30s\`, \`2h\` | at most \`7d\` |
| range of durations | \`100ms..300ms\` or \`200ms\` | drawn uniformly, by seed |
| size | \`1000\`, \`10/node\` or \`0.01/node, at least 1\` | as such, or for each node of the fleet (rounded), there with \`at least\` or \`at most\` |
| bytes | \`15KiB\`, \`1.5MB\`, \`512B\` | |
| quantity | \`500m\`, \`32\`, \`256Gi\` | as Kubernetes writes them |
| resource | \`pods\`, \`deployments.apps\`, \`widgets.v1.example.com\` | plural and group; with the version where it is not built in |
| name | \`read-mix\` | lower-case letters, digits and dashes, at most 40, a letter first |

## Parameters and overrides

\`parameters: { churn: 10/s }\` declares a value, \`\${parameters.churn}\` uses it anywhere below (in quotes inside \`{ }\`), and
\`--set parameters.churn=20/s\` changes it for one run. \`--set\` reaches every other value too, by its path:
\`--set 'load.phases[1].actions[0].rate=5/s'\`; the value is YAML, later ones win, and results record them. \`--nodes N\` is
\`--set fleet.nodes=N\`. With \`--kubeconfig\` the provider is \`kubeconfig\` and what the suite says of a local control plane
is left out.`;

function tail(): string {
  const templates = Object.entries(BUILT_IN_TEMPLATES).map(
    ([name, template]) => `- \`${name}\`: ${template.description}.`,
  );
  return [
    '## Built-in templates',
    '',
    ...templates,
    '',
    'Their pods run one pause container that asks for 10m CPU and 16Mi memory, have no probes and no volumes (so they count',
    "as stateless), are admitted by Pod Security's `restricted` level, and have a grace period of 1 s: deletions go the",
    'graceful way and no pod lingers.',
    '',
    'Every object also carries the labels of its run, and pods the selector and toleration that keep them on hollow nodes.',
    '',
    ...shapesText(),
    '',
    ...thresholdsText(),
    '',
    '## Built-in resources',
    '',
    `${BUILT_IN_RESOURCE_NAMES.map((name) => `\`${name}\``).join(', ')}.`,
    '',
    'Others are named with their version: `widgets.v1.example.com`; they are taken as namespaced unless `namespaced: false`',
    'stands beside.',
  ].join('\n');
}

function shapesText(): string[] {
  const rows = SHAPE_SCHEMAS.map((shape) => {
    const schema = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    const keys = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
      key === 'kind' ? [] : [`\`${key}\`: ${(value.description ?? '').replace(/\.$/, '')}`],
    );
    const kind = String(schema.properties?.['kind']?.const);
    return [`\`${kind}\``, schema.description ?? '', `${keys.join('; ')}.`].map(cell).join(' | ');
  });
  return [
    '## Shapes',
    '',
    '```yaml',
    'shape: { kind: ramp, from: 5/s, to: 50/s, over: 60s }',
    'shape: { kind: steps, steps: [{ rate: 10/s, for: 30s }, { rate: 20/s, for: 30s }] }',
    'shape: { kind: burst, size: 100, every: 10s }',
    '```',
    '',
    '| Kind | What the rate does | Keys |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    'The schedule is fixed in advance whatever the shape: arrival i is due when the integral of the rate reaches i (with',
    '`arrival: poisson`, when it reaches a sum of exponential gaps of mean 1). Agents share it out without a remainder.',
  ];
}

function thresholdsText(): string[] {
  const words = (list: readonly string[]) =>
    list.length === 0 ? '–' : list.map((word) => `\`${word}\``).join(', ');
  const metrics = Object.entries(THRESHOLD_METRICS).map(([name, { labels, aggregates, description }]) =>
    [`\`${name}\``, words(labels), words(Object.keys(aggregates)), description].map(cell).join(' | '),
  );
  const values = Object.entries(THRESHOLD_LABEL_VALUES).map(
    ([label, known]) => `| \`${label}\` | ${words(known)} |`,
  );
  return [
    '## Thresholds',
    '',
    'A threshold is `metric{label:value,...}.aggregate < quantity`; other operators are `<=`, `>`, `>=` and `==`:',
    '',
    '```yaml',
    'thresholds:',
    '  - pod_startup{kind:stateless}.p99 < 2s',
    '  - calls_response{verb:list,resource:pods,scope:namespace}.p99 < 500ms',
    '  - errors{class:http-5xx}.count == 0',
    '  - throughput{verb:create,phase:churn}.rate >= 9.5/s',
    '  - { expr: "errors.ratio < 5%", abortOnFail: true, grace: 30s }',
    '```',
    '',
    'Thresholds are judged beside the SLOs: one that is missed is exit code 1, one without data 3, one that too few samples',
    'leave open 4. Without `phase` one counts all measured phases together, without `source` the calls of the load. Unknown',
    'metrics, labels, phases and aggregates are problems of the suite. Quote the text inside `[ ]` and `{ }`.',
    '',
    '| Metric | Labels | Aggregates | |',
    '|---|---|---|---|',
    ...metrics.map((row) => `| ${row} |`),
    '',
    '| Label | Values |',
    '|---|---|',
    ...values,
    '',
    '`resource` is the plural with its group, as in results; `variant` is `cached`, `consistent` or `paged` for reads;',
    '`phase` is the name of a phase of the suite. Percentiles, `min`, `mean` and `max` take durations, `count` numbers, `rate`',
    'rates, `ratio` a percentage or a number up to 1.',
    '',
    'With `abortOnFail` a threshold is looked at whenever a window of 10 s closes, over all that is recorded so far, from',
    '`grace` after the start of its phase (or of the first measured one). When it is missed the run cleans up and ends early',
    'with exit code 1; what was recorded is kept. No data yet, or too little to tell, ends nothing. Watches report',
    'when their phase ends.',
  ];
}

/** A section and, after it, those of the mappings within; mappings that occur twice stand where they occur first. */
function sectionsOf(section: Section, seen = new Set<string>()): Section[] {
  const sections = [section];
  for (const [key, child] of Object.entries(section.schema.properties ?? {})) {
    for (const inner of innerSections(section.title, key, child)) {
      const identity = JSON.stringify([inner.schema.properties]);
      if (seen.has(identity)) continue;
      seen.add(identity);
      sections.push(...sectionsOf(inner, seen));
    }
  }
  return sections;
}

function innerSections(parent: string, key: string, child: JsonSchema): Section[] {
  const path = parent === 'Suite' ? key : `${parent}.${key}`;
  if (child.properties !== undefined) return [{ title: path, schema: child }];
  const form = child.anyOf?.find(({ properties }) => properties !== undefined);
  if (form !== undefined) return [{ title: path, schema: form }];
  const items = child.items;
  if (items?.properties !== undefined) return [{ title: `${path}[]`, schema: items }];
  const mapping = items?.anyOf?.find((form) => form.properties !== undefined);
  if (mapping !== undefined) return [{ title: `${path}[]`, schema: mapping }];
  return (items?.oneOf ?? []).map((schema) => ({
    title: `action: ${String(schema.properties?.['action']?.const)}`,
    schema,
  }));
}

function sectionText({ title, schema }: Section): string {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) =>
    [`\`${key}\``, formOf(value), defaultOf(key, value, required), value.description ?? '']
      .map(cell)
      .join(' | '),
  );
  const text = schema.description === undefined || title === 'Suite' ? [] : ['', schema.description];
  return [
    `## ${title === 'Suite' ? 'Suite' : `\`${title}\``}`,
    ...text,
    '',
    '| Key | Value | Default | |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

function formOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (schema['title'] !== undefined) return String(schema['title']);
  if (schema.examples !== undefined) return schema.examples.map((one) => `\`${String(one)}\``).join(', ');
  switch (schema.type) {
    case 'integer':
      return `${rangeOf(schema)}`;
    case 'number':
      return 'number';
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      if (schema.items?.anyOf !== undefined) return `list of ${formOf(schema.items)}s`;
      return schema.items?.enum === undefined ? 'list' : `list of ${formOf(schema.items)}`;
    case 'object':
      return 'mapping';
    default:
      return 'text';
  }
}

function rangeOf(schema: JsonSchema): string {
  const high = Number(schema['maximum'] ?? Number.MAX_SAFE_INTEGER);
  const low = Number(schema['minimum'] ?? 0).toLocaleString('en-US');
  return high >= Number.MAX_SAFE_INTEGER ? `${low} or more` : `${low} to ${high.toLocaleString('en-US')}`;
}

function defaultOf(key: string, schema: JsonSchema, required: ReadonlySet<string>): string {
  if (required.has(key)) return 'required';
  if (schema.default === undefined) return '';
  if (schema.default === '') return 'none';
  const isEmpty = typeof schema.default === 'object' && JSON.stringify(schema.default) === '{}';
  if (isEmpty) return schema.properties === undefined ? 'none' : '';
  if (Array.isArray(schema.default) && schema.default.length === 0) return 'none';
  return Array.isArray(schema.default)
    ? schema.default.map((one) => `\`${String(one)}\``).join(', ')
    : `\`${String(schema.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
