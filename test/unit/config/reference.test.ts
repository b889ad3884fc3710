import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishedSchema, referencePage, shippedSuites, suitesFolder } from '../../../src/config/index.ts';
import { packageRoot } from '../../../src/core/index.ts';

const published = (name: string) => readFileSync(join(packageRoot(), 'docs', name), 'utf8');

describe('what is published of the suite language', () => {
  it('has a reference page that is what the schema makes of it (else: npm run generate)', () => {
    expect(published('suite-reference.md')).toBe(referencePage());
  });

  it('has a JSON Schema that is what the schema makes of it (else: npm run generate)', () => {
    expect(JSON.parse(published('suite.schema.json'))).toEqual(JSON.parse(JSON.stringify(publishedSchema())));
  });

  it('describes every key', () => {
    const undescribed = (schema: unknown, path: string): string[] => {
      if (typeof schema !== 'object' || schema === null) return [];
      const properties =
        'properties' in schema && typeof schema.properties === 'object' ? schema.properties : {};
      const own = Object.entries(properties ?? {}).flatMap(([key, child]: [string, unknown]) => {
        const described =
          typeof child === 'object' && child !== null && ('description' in child || 'const' in child);
        return [...(described ? [] : [`${path}.${key}`]), ...undescribed(child, `${path}.${key}`)];
      });
      const items = 'items' in schema ? undescribed(schema.items, `${path}[]`) : [];
      const branches = 'oneOf' in schema && Array.isArray(schema.oneOf) ? schema.oneOf : [];
      return [...own, ...items, ...branches.flatMap((branch: unknown) => undescribed(branch, path))];
    };
    expect(undescribed(publishedSchema(), '')).toEqual([]);
  });

  it('points editors to the schema at the top of every shipped suite', () => {
    for (const name of shippedSuites()) {
      const [first] = readFileSync(join(suitesFolder(), `${name}.yaml`), 'utf8').split('\n');
      expect(first).toBe('# yaml-language-server: $schema=../docs/suite.schema.json');
    }
  });
});
