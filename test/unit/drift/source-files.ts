/**
 * The project's own source files and what they import, for tests that watch over the whole.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { packageRoot } from '../../../src/core/index.ts';

export interface SourceFile {
  /** From the package's root, with `/`. */
  path: string;
  text: string;
}

/** Every TypeScript and JavaScript file below these folders of the package. */
export function sourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) => {
    const entries = readdirSync(join(packageRoot(), folder), { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile() && /\.(ts|mjs|js)$/.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: relative(packageRoot(), path).split(sep).join('/'), text: readFileSync(path, 'utf8') };
      });
  });
}

/** Files of the package that `file` imports or re-exports, types included, from the package's root. */
export function importsOf(file: SourceFile): string[] {
  const specifiers = [
    ...file.text.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm),
    ...file.text.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm),
    ...file.text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1] ?? '');
  return specifiers
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(file.path), specifier).split(sep).join('/'));
}
