#!/usr/bin/env node
/**
 * `npm run generate`: writes what is made from the code: the reference page of the suite language and its JSON Schema.
 * A test compares them, so that neither is forgotten.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishedSchema, referencePage } from '../dist/src/config/index.js';

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');
const files = {
  'suite-reference.md': referencePage(),
  'suite.schema.json': `${JSON.stringify(publishedSchema(), null, 2)}\n`,
};

for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(docs, name), text);
  process.stdout.write(`docs/${name}\n`);
}
