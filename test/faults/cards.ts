/** One run of a suite with faults, and its cards as tests ask for them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { packageRoot } from '../../src/core/index.ts';
import type { FaultCard, FaultObservation, FindingName, RunResult } from '../../src/result/index.ts';
import { hollowmark, latestResult, workFolder } from '../helpers/cli.ts';

/** A run that is over. */
export interface FaultsRun {
  result: RunResult;
  /** What the command line said. */
  output: string;
  /** Where commands of the suite were run; gone once the tests are through. */
  folder: ReturnType<typeof workFolder>;
}

/** Longer than any of the suites takes. */
const RUN_TIMEOUT_MS = 840_000;

/** Debian packages that `.ci/run` installs. Without them a highly available plane cannot be had here. */
const missing = ['haproxy', 'strace'].filter(
  (name) =>
    !['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'].some((path) =>
      existsSync(join(path, name)),
    ),
);

/** True where nothing can be broken for want of programs; in CI that is a failure instead. */
export const skipped = missing.length > 0 && process.env['CI'] !== 'true';
if (skipped) process.stderr.write(`faults are not tested: apt-get install ${missing.join(' ')}\n`);

/** Plays a suite of test/fixtures/suites, with more of the command line if need be. */
export async function playFaults(suite: string, more: readonly string[] = []): Promise<FaultsRun> {
  const folder = workFolder();
  const path = join(packageRoot(), 'test', 'fixtures', 'suites', `${suite}.yaml`);
  const run = await hollowmark(['run', path, ...more], { cwd: folder.path, timeoutMs: RUN_TIMEOUT_MS });
  try {
    return { result: await latestResult(folder.path), output: run.all, folder };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw new Error(`${suite} left no result:\n${run.all}`, { cause: error });
  }
}

/** The card of a fault that was induced, healed and judged; fails with the card in words where it was not. */
export function completed(run: FaultsRun, fault: string): { card: FaultCard; seen: FaultObservation } {
  const card = run.result.faults?.cards.find((one) => one.fault === fault);
  if (card === undefined) throw new Error(`${fault} was not played:\n${run.output}`);
  const { seen } = card;
  expect(card.state, `${card.id}: ${card.reason}`).toBe('completed');
  if (seen === undefined) throw new Error(`${card.id} was not looked at: ${card.reason}`);
  return { card, seen };
}

/** As completed(), and it responded as expected with every invariant held. */
export function metCard(run: FaultsRun, fault: string): { card: FaultCard; seen: FaultObservation } {
  const found = completed(run, fault);
  const { card } = found;
  expect(
    card.invariants.filter(({ state }) => state === 'violated'),
    card.id,
  ).toEqual([]);
  expect(card.verdict.state, `${card.id}: ${card.verdict.text}`).toBe('met');
  return found;
}

/** What the system noticed, in words. */
export function noticed(seen: FaultObservation): string[] {
  return seen.notices.map(({ by }) => by);
}

/** What happened to a process: `exited signal SIGKILL`, `paused`, in order. */
export function happenings(seen: FaultObservation, name: string): string[] {
  return (seen.processes ?? [])
    .filter((one) => one.name === name)
    .map(({ what, detail }) => (what === 'exited' ? `${what} ${detail}` : what));
}

/** The path through the load balancer, or straight to an API server. */
export function pathOf(seen: FaultObservation, path: string): FaultObservation['paths'][number] {
  const found = seen.paths.find((one) => one.path === path);
  if (found === undefined) throw new Error(`no probes went to ${path}`);
  return found;
}

/** Paths straight to the API servers other than `target`. */
export function otherPaths(seen: FaultObservation, target: string): FaultObservation['paths'] {
  return seen.paths.filter(({ path }) => path !== target && path !== 'balanced');
}

/** Probe calls on a path that failed while the fault lasted, writes and reads. */
export function failedDuring({ writes, reads }: FaultObservation['paths'][number]): number {
  return writes.during.failedCount + reads.during.failedCount;
}

/** Value of one of the fault's own findings. */
export function finding(seen: FaultObservation, name: FindingName): number {
  return seen.findings?.find((one) => one.name === name)?.value ?? Number.NaN;
}

/** Kinds of errors of probes through the load balancer. */
export function errorKinds(seen: FaultObservation): string[] {
  return [...new Set(seen.errors.map(({ kind, error }) => `${kind} ${error}`))];
}
