import { describe, expect, it } from 'vitest';
import { importsOf, sourceFiles } from './source-files.ts';

/** What each folder may import, beside itself. design.md §3; the order is that of the page on architecture. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/result': ['src/core'],
  'src/config': ['src/core', 'src/result'],
  'src/kube': ['src/core', 'src/result', 'src/config'],
  'src/measure': ['src/core', 'src/result', 'src/config', 'src/kube'],
  'src/controlplane': ['src/core', 'src/result', 'src/config', 'src/kube', 'src/measure'],
  hollow: ['src/core', 'src/result', 'src/config', 'src/kube', 'src/measure'],
  loadgen: ['src/core', 'src/result', 'src/config', 'src/kube', 'src/measure'],
  reports: ['src/core', 'src/result'],
  'src/faults': [
    'src/core',
    'src/result',
    'src/config',
    'src/kube',
    'src/measure',
    'src/controlplane',
    'hollow',
    'loadgen',
  ],
  'src/run': [
    'src/core',
    'src/result',
    'src/config',
    'src/kube',
    'src/measure',
    'src/controlplane',
    'hollow',
    'loadgen',
    'src/faults',
  ],
  'src/cli': [
    'src/core',
    'src/result',
    'src/config',
    'src/kube',
    'src/measure',
    'src/controlplane',
    'hollow',
    'loadgen',
    'src/faults',
    'src/run',
    'reports',
  ],
};

const folderOf = (path: string) =>
  Object.keys(MAY_IMPORT).find((folder) => path.startsWith(`${folder}/`)) ?? path.split('/')[0] ?? path;

/** Scripts of the report page run in a browser: the index of core would bring Node's modules along. */
const BROWSER_MAY_IMPORT = ['src/core/units.ts'];
const isBrowserImport = (path: string, target: string) =>
  path.startsWith('reports/html/client/') && BROWSER_MAY_IMPORT.includes(target);

const files = sourceFiles('src', 'hollow', 'loadgen', 'reports');

describe('layers', () => {
  it('are complete: every source file is in a folder with a place in the order', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter(({ path }) => !(folderOf(path) in MAY_IMPORT)).map(({ path }) => path)).toEqual([]);
  });

  it('import only downwards', () => {
    const upward = files.flatMap((file) => {
      const own = folderOf(file.path);
      return importsOf(file)
        .filter((target) => folderOf(target) !== own && !MAY_IMPORT[own]?.includes(folderOf(target)))
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(upward).toEqual([]);
  });

  it('are entered from outside through their index.ts alone', () => {
    const around = files.flatMap((file) =>
      importsOf(file)
        .filter(
          (target) =>
            folderOf(target) !== folderOf(file.path) &&
            !isBrowserImport(file.path, target) &&
            target !== `${folderOf(target)}/index.ts`,
        )
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(around).toEqual([]);
  });

  it('are entered by benchmarks through their index.ts alone', () => {
    const around = sourceFiles('bench').flatMap((file) =>
      importsOf(file)
        .filter(
          (target) =>
            folderOf(target) !== 'reports' &&
            folderOf(target) in MAY_IMPORT &&
            target !== `${folderOf(target)}/index.ts`,
        )
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(around).toEqual([]);
  });

  it('have an index.ts of exports by name, without logic', () => {
    const indexes = files.filter(({ path }) => path === `${folderOf(path)}/index.ts`);
    expect(indexes.length).toBeGreaterThan(8);
    for (const { path, text } of indexes) {
      const rest = text
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/^\s*\/\/.*$/gm, '')
        .replace(/export\s+(?:type\s+)?\{[^}]*\}\s*from\s*'[^']+';/g, '');
      expect({ path, rest: rest.trim() }).toEqual({ path, rest: '' });
    }
  });
});
