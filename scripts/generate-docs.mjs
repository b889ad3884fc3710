#!/usr/bin/env node
/**
 * `npm run generate`: writes what is made from the code: the reference page of the suite language, its JSON Schema, and
 * the simulated tables in the page on the gate. Tests compare them, so that none is forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gateSimulationTables } from '../dist/bench/gate-simulation.js';
import { publishedSchema, referencePage } from '../dist/src/config/index.js';

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');
const files = {
  'gate.md': readFileSync(join(docs, 'gate.md'), 'utf8').replace(
    /(<!-- gate-simulation:.*?-->\n).*?(<!-- \/gate-simulation -->)/s,
    (_, head, foot) => `${head}${gateSimulationTables()}\n${foot}`,
  ),
  'suite-reference.md': referencePage(),
  'suite.schema.json': `${JSON.stringify(publishedSchema(), null, 2)}\n`,
};

for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(docs, name), text);
  process.stdout.write(`docs/${name}\n`);
}
