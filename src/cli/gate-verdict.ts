/** What `gate` and `run --gate` share: the history read, the verdict printed and kept beside the run, runs accepted. */
import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import {
  acceptIntoHistory,
  decideGate,
  GATE_FILE,
  type GateVerdict,
  type History,
  readHistory,
  renderGateJson,
  renderGateMarkdown,
  renderGateTerminal,
} from '../../reports/index.ts';
import { HarnessError, type Host } from '../core/index.ts';
import { type RunResult, writeAtomically } from '../result/index.ts';

export const GATE_FORMATS = ['terminal', 'markdown', 'json'] as const;
export type GateFormat = (typeof GATE_FORMATS)[number];

/** Beside the result: what a pull request or a CI step shows. */
const GATE_SUMMARY_FILE = 'gate.md';

export interface GateInput {
  run: RunResult;
  /** Two, or none. */
  reruns: readonly RunResult[];
  history: History;
  /** The history's folder, and the run's, as the user wrote them. */
  paths: { run: string; history: string };
  /** Where gate.json and gate.md go. */
  folder: string;
  accept: boolean;
  format: GateFormat;
}

/**
 * The history in `folder`. One that is not there yet is empty where it is about to be made, and a mistake otherwise:
 * a mistyped path must not gate nothing for ever.
 * @throws HM_USAGE
 */
export async function openHistory(folder: string, accept: boolean, host: Host): Promise<History> {
  const history = await readHistory(resolve(host.cwd, folder));
  if (history !== undefined) {
    for (const line of history.unreadable) host.stderr.write(`hollowmark: history: ${line}\n`);
    return history;
  }
  if (accept) return { entries: [], unreadable: [] };
  throw new HarnessError('HM_USAGE', `read the history ${folder} failed: there is no such folder`, {
    hint: '--accept makes it and puts the first run there',
  });
}

/** Decides, prints, writes gate.json and gate.md, and accepts a run that passed where that was asked for. */
export async function concludeGate(input: GateInput, host: Host): Promise<GateVerdict> {
  const { run, reruns, history, paths, folder } = input;
  const verdict = decideGate(run, history.entries, reruns);
  await mkdir(folder, { recursive: true });
  await writeAtomically(join(folder, GATE_FILE), renderGateJson(verdict));
  await writeAtomically(join(folder, GATE_SUMMARY_FILE), renderGateMarkdown(verdict, { paths }));
  host.stdout.write(render(verdict, input, host));
  if (input.accept) await accept(verdict, input, host);
  return verdict;
}

function render(verdict: GateVerdict, { format, paths }: GateInput, host: Host): string {
  if (format === 'json') return renderGateJson(verdict);
  if (format === 'markdown') return renderGateMarkdown(verdict, { paths });
  const colour = host.stdout.isTTY === true && (host.env['NO_COLOR'] ?? '') === '';
  return renderGateTerminal(verdict, { colour, paths });
}

// The run that was asked for is the one that is kept, also where re-runs cleared it: a history without its own slow
// runs would look steadier than it is.
async function accept(verdict: GateVerdict, { run, paths }: GateInput, host: Host): Promise<void> {
  if (verdict.state !== 'PASS' && verdict.state !== 'NOT GATED') {
    host.stderr.write(`hollowmark: not accepted into ${paths.history}: ${verdict.state}\n`);
    return;
  }
  const { path, isNew } = await acceptIntoHistory(resolve(host.cwd, paths.history), run);
  const shown = relative(host.cwd, path);
  host.stderr.write(`hollowmark: ${isNew ? 'accepted into' : 'was accepted before, as'} ${shown}\n`);
}
