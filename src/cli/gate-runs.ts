/**
 * `hollowmark run --gate HISTORY`: a run and its gate, and where the run is suspect the two re-runs that confirm or
 * clear it, each in a result folder of its own. The median of the three decides.
 */
import { relative, resolve } from 'node:path';
import { EXIT_CODE, type Host } from '../core/index.ts';
import type { RunResult } from '../result/index.ts';
import { concludeGate, openHistory } from './gate-verdict.ts';

/** A run that came to an end; without a result where it ended before it had begun. */
export interface FinishedRun {
  exitCode: number;
  directory: string;
  result?: RunResult;
}

export interface GatedRunOptions {
  /** As the user wrote it. */
  historyPath: string;
  accept: boolean;
  /** Makes one run of the same command, in a fresh folder. */
  runOnce: () => Promise<FinishedRun>;
}

/** Exit codes of runs that the gate has something to say about; others say themselves why there is nothing. */
const GATED_EXIT_CODES: ReadonlySet<number> = new Set([
  EXIT_CODE.pass,
  EXIT_CODE.sloFailed,
  EXIT_CODE.invalid,
  EXIT_CODE.inconclusive,
]);
/** Exit codes of re-runs after which another one still has something to add. */
const USABLE_EXIT_CODES: ReadonlySet<number> = new Set([EXIT_CODE.pass, EXIT_CODE.inconclusive]);
const RERUN_COUNT = 2;

/** Runs, gates, repeats twice where that is called for; returns the exit code. */
export async function runGated(options: GatedRunOptions, host: Host): Promise<number> {
  const { historyPath, runOnce } = options;
  // Before anything runs: a history that cannot be read would waste the run.
  const history = await openHistory(historyPath, options.accept, host);
  let interrupted = false;
  const stopListening = host.onInterrupt(() => {
    interrupted = true;
  });
  const say = (text: string) => host.stderr.write(`hollowmark: gate: ${text}\n`);
  try {
    const first = await runOnce();
    if (first.result === undefined || !GATED_EXIT_CODES.has(first.exitCode)) return first.exitCode;
    const input = {
      run: first.result,
      history,
      paths: { run: relative(host.cwd, first.directory), history: historyPath },
      folder: resolve(host.cwd, first.directory),
      format: 'terminal',
    } as const;
    const verdict = await concludeGate(
      { ...input, reruns: [], accept: options.accept && !interrupted },
      host,
    );
    if (verdict.state !== 'SUSPECT') return verdict.exitCode;
    const reruns: RunResult[] = [];
    while (reruns.length < RERUN_COUNT) {
      if (interrupted) return abandoned(say);
      say(`suspect; re-run ${reruns.length + 1} of ${RERUN_COUNT} with the same command`);
      const rerun = await runOnce();
      if (interrupted || rerun.exitCode === EXIT_CODE.interrupted) return abandoned(say);
      if (rerun.result === undefined) return rerun.exitCode;
      reruns.push(rerun.result);
      if (!USABLE_EXIT_CODES.has(rerun.exitCode)) break;
    }
    const final = await concludeGate({ ...input, reruns, accept: options.accept }, host);
    return final.exitCode;
  } finally {
    stopListening();
  }
}

function abandoned(say: (text: string) => void): number {
  say('interrupted; the run stays SUSPECT, as its gate.json says');
  return EXIT_CODE.interrupted;
}
