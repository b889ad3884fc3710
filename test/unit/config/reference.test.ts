import { describe, expect, it } from 'vitest';
import { publishedSchema, referencePage } from '../../../src/config/index.ts';

// `npm run generate` runs this file with --update, which writes both.
describe('what is published of the suite language', () => {
  it('has a reference page that is what the schema makes of it', async () => {
    await expect(referencePage()).toMatchFileSnapshot('../../../docs/suite-reference.md');
  });

  it('has a JSON Schema that is what the schema makes of it', async () => {
    await expect(`${JSON.stringify(publishedSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../../docs/suite.schema.json',
    );
  });
});
