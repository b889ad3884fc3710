/**
 * Where hollowmark's own files are, whether it runs from dist/ or from its sources (tests).
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HarnessError } from './errors.ts';

/**
 * Directory of hollowmark's package.json.
 * @throws HM_INTERNAL if no parent folder of this file holds it.
 */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (isPackageRoot(directory)) return directory;
    const parent = dirname(directory);
    if (parent === directory)
      throw new HarnessError(
        'HM_INTERNAL',
        `no package.json of hollowmark above ${fileURLToPath(import.meta.url)}`,
      );
    directory = parent;
  }
}

/**
 * Path of a compiled script that is started as a process of its own, such as `src/controlplane/process/guard-main`.
 * From sources the compiled one in dist/ is used: Node cannot run TypeScript.
 * @throws HM_INTERNAL if hollowmark has not been built.
 */
export function compiledScriptPath(name: string): string {
  const here = fileURLToPath(import.meta.url);
  const root = packageRoot();
  const path = here.endsWith('.ts')
    ? join(root, 'dist', `${name}.js`)
    : join(dirname(here), '..', '..', `${name}.js`);
  if (!existsSync(path))
    throw new HarnessError('HM_INTERNAL', `compiled script ${path} is missing`, {
      hint: 'run `npm run build`',
    });
  return path;
}

function isPackageRoot(directory: string): boolean {
  const path = join(directory, 'package.json');
  if (!existsSync(path)) return false;
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'name' in parsed && parsed.name === 'hollowmark';
}
