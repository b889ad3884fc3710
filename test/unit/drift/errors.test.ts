import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, packageRoot } from '../../../src/core/index.ts';
import { sourceFiles } from './source-files.ts';

const page = readFileSync(join(packageRoot(), 'docs', 'errors.md'), 'utf8');
const entries = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0]?.trim() ?? '', section] as const),
);

describe('the page on errors', () => {
  it('has an entry for every code and a code for every entry, in the order of the catalogue', () => {
    expect([...entries.keys()]).toEqual(Object.keys(ERROR_CATALOGUE));
  });

  it('has the exit code of each', () => {
    const stated = Object.fromEntries(
      [...entries].map(([code, section]) => [code, Number(/^Exit code (\d+)\./m.exec(section)?.[1])]),
    );
    expect(stated).toEqual(ERROR_CATALOGUE);
  });

  it('has no code that nothing reports', () => {
    const sources = sourceFiles('src', 'hollow', 'loadgen', 'reports').filter(
      ({ path }) => path !== 'src/core/errors.ts',
    );
    // ConfigError and ApiError name their own code.
    const text = `${sources.map((file) => file.text).join('\n')} 'HM_CONFIG_INVALID'`;
    expect(Object.keys(ERROR_CATALOGUE).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });
});
