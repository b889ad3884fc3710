/** Runs as they are named on the command line: a result folder, its result.json, or a folder of result folders. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { RESULT_FILE, type RunResult, readResult } from '../result/index.ts';

export interface FoundRuns {
  runs: RunResult[];
  /** Names of folders beside them that hold no result: runs that were killed. */
  without: string[];
}

/**
 * The runs at `path`, in the order of their folders' names, which begin with the time.
 * @throws HM_RESULT_UNREADABLE if there is none, or one cannot be read
 */
export async function readRuns(path: string): Promise<FoundRuns> {
  if (!(await isFolder(path)) || (await exists(join(path, RESULT_FILE)))) {
    return { runs: [await readResult(path)], without: [] };
  }
  const found: FoundRuns = { runs: [], without: [] };
  // `latest` is a link to a run that is there under its own name.
  const entries = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const folder = join(path, name);
    if (await exists(join(folder, RESULT_FILE))) found.runs.push(await readResult(folder));
    else found.without.push(name);
  }
  // Says that there is no such file, with the hint that goes with it.
  if (found.runs.length === 0) await readResult(path);
  return found;
}

/** The runs of several paths, each run once, and the paths in few words. */
export async function readSide(
  paths: readonly string[],
  cwd: string,
): Promise<FoundRuns & { label: string }> {
  const all = await Promise.all(paths.map((path) => readRuns(resolve(cwd, path))));
  const byId = new Map(all.flatMap(({ runs }) => runs).map((run) => [run.runId, run]));
  const [first = ''] = paths;
  const more = paths.length - 1;
  return {
    runs: [...byId.values()],
    without: all.flatMap(({ without }) => without),
    label: more > 0 ? `${basename(first)} and ${more} more` : first,
  };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
