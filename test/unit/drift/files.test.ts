import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/core/index.ts';
import { sourceFiles } from './source-files.ts';

const LINE_LIMIT = 500;
const files = sourceFiles('src', 'hollow', 'loadgen', 'reports', 'test', 'scripts');

describe('source files', () => {
  it(`have fewer than ${LINE_LIMIT} lines`, () => {
    const long = files
      .map(({ path, text }) => ({ path, lineCount: text.split('\n').length - 1 }))
      .filter(({ lineCount }) => lineCount >= LINE_LIMIT)
      .map(({ path, lineCount }) => `${path}: ${lineCount}`);
    expect(long).toEqual([]);
  });

  it('are named in kebab-case after what they are', () => {
    const odd = files
      .map(({ path }) => path)
      .filter((path) => {
        const name = path.split('/').at(-1) ?? '';
        return (
          !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs|js)$/.test(name) ||
          /^(utils|helpers|common)\./.test(name)
        );
      });
    expect(odd).toEqual([]);
  });

  it('have no promise of later work without an issue', () => {
    const marker = new RegExp(`\\b(${['TO', 'DO'].join('')}|FIX${'ME'}|X${'XX'})\\b(?!.*#\\d)`);
    const marked = files.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (marker.test(line) ? [`${path}:${index + 1}`] : [])),
    );
    expect(marked).toEqual([]);
  });
});

describe('installation', () => {
  it('names no registry, so that every mirror works', () => {
    const lock = readFileSync(join(packageRoot(), 'package-lock.json'), 'utf8');
    expect(lock.match(/"resolved":\s*"https?:[^"]*"/g) ?? []).toEqual([]);
    const npmrc = readFileSync(join(packageRoot(), '.npmrc'), 'utf8');
    expect(npmrc).not.toMatch(/https?:/);
    expect(npmrc).toMatch(/^omit-lockfile-registry-resolved=true$/m);
  });

  it('pins every dependency to one version', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
    const ranges =
      typeof manifest === 'object' && manifest !== null
        ? ['dependencies', 'devDependencies'].flatMap((key) =>
            Object.values((manifest as Record<string, Record<string, string>>)[key] ?? {}),
          )
        : [];
    expect(ranges.length).toBeGreaterThan(10);
    expect(ranges.filter((range) => !/^\d+\.\d+\.\d+$/.test(range))).toEqual([]);
  });
});
