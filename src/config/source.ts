/**
 * Finding a suite: by path, or by name among those that ship.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { HarnessError, packageRoot } from '../core/index.ts';
import type { SuiteSource } from './load.ts';
import { didYouMean } from './suggest.ts';

/** Folder of the suites that ship. */
export function suitesFolder(): string {
  return join(packageRoot(), 'suites');
}

/** Names of the suites that ship, sorted: `quickstart`, … */
export function shippedSuites(): string[] {
  return readdirSync(suitesFolder())
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/**
 * The text of the suite at path `name`, relative to `cwd`; a name without folder and extension may also be one of the
 * suites that ship, if there is no such file.
 * @throws HM_CONFIG_UNREADABLE, naming the suites that ship.
 */
export function readSuiteSource(name: string, options: { cwd: string }): SuiteSource {
  const path = resolve(options.cwd, name);
  try {
    return { path: name, text: readFileSync(path, 'utf8'), cwd: options.cwd };
  } catch (error) {
    const shipped = shippedSuites();
    if (shipped.includes(name)) {
      const shippedPath = join(suitesFolder(), `${name}.yaml`);
      const shown = relative(options.cwd, shippedPath);
      return {
        path: shown.startsWith('..') ? shippedPath : shown,
        text: readFileSync(shippedPath, 'utf8'),
        cwd: options.cwd,
      };
    }
    throw new HarnessError('HM_CONFIG_UNREADABLE', `cannot read suite ${name}: ${reasonOf(error)}`, {
      hint: `suites that ship: ${shipped.join(', ')}${didYouMean(name.replace(/^.*\/|\.ya?ml$/g, ''), shipped)}`,
      // The cause is in the message already; a chain would print it twice.
    });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'is a folder';
  if (code === 'EACCES') return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}
