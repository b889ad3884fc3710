/**
 * Whether the runs of two sides may be compared at all. Runs of one side must be alike in everything; the two sides
 * in everything but what the caller names. What differs and was not named is refused by its name, because a ratio of
 * unlike runs looks just like a ratio of like ones.
 */
import { HarnessError } from '../../src/core/index.ts';
import type { RunResult } from '../../src/result/index.ts';
import {
  FINGERPRINT_LABEL,
  type FingerprintDifference,
  type FingerprintField,
  fingerprintDifferences,
} from '../model/fingerprints.ts';
import type { LeftOutRun, SettingDifference } from './model.ts';
import { describeSetting, settingDifferences } from './settings.ts';

/** What `--across` may name: a deliberate difference, and the fields of the fingerprint that it excuses. */
export const ACROSS = {
  version: ['kubernetesVersion'],
  flags: ['suiteSha256'],
  topology: ['suiteSha256'],
  suite: ['suiteSha256'],
  nodes: ['nodeCount', 'suiteSha256'],
  profile: ['profile'],
  provenance: ['provenance'],
  fidelity: ['fidelity', 'suiteSha256'],
  identity: ['identity', 'suiteSha256'],
  connections: ['connections', 'suiteSha256'],
  encoding: ['encoding', 'suiteSha256'],
  machine: ['machineClass'],
} as const satisfies Record<string, readonly FingerprintField[]>;
export type Across = keyof typeof ACROSS;

/**
 * Paths of the resolved suite that each name excuses; where the suite's hash differs, every setting that does must be
 * one of them. `suite` excuses all.
 */
const SETTINGS: Readonly<Partial<Record<Across, readonly string[]>>> = {
  flags: ['controlPlane.flags', 'controlPlane.eventsEtcd'],
  topology: ['controlPlane.topology'],
  nodes: ['fleet.nodeCount', 'fleet.nodes'],
  fidelity: ['fleet.compat'],
  identity: ['fleet.identity'],
  connections: ['fleet.connections'],
  encoding: ['fleet.compression'],
};
/** Settings that the fingerprint has in fields of their own. */
const OWN_FIELDS = ['controlPlane.provider', 'controlPlane.version', 'controlPlane.profile'];

const SHOWN_SETTINGS = 5;

/** Runs that count, and those that do not with the reason: INVALID ones, and such as did not run to their end. */
export function usableRuns(
  side: 'A' | 'B',
  runs: readonly RunResult[],
): { used: RunResult[]; leftOut: LeftOutRun[] } {
  const used: RunResult[] = [];
  const leftOut: LeftOutRun[] = [];
  for (const run of runs) {
    const why = unusable(run);
    if (why === undefined) used.push(run);
    else leftOut.push({ side, runId: run.runId, why });
  }
  return { used, leftOut };
}

/** Why a run's figures cannot be compared, or undefined if they can. */
export function unusable(run: RunResult): string | undefined {
  if (run.state !== 'completed') return `it was not completed (${run.state})`;
  if (run.verdicts.trust.state !== 'INVALID') return undefined;
  const checks = run.verdicts.trust.checks.filter((check) => check.state === 'INVALID');
  return `INVALID (${checks.map((check) => check.name).join(', ') || run.verdicts.text})`;
}

/**
 * The deliberate differences between two sides, by field and by setting.
 * @throws HM_USAGE naming each field in which runs differ and `across` does not allow it
 */
export function matchSides(
  a: readonly RunResult[],
  b: readonly RunResult[],
  across: readonly Across[],
): { differences: FingerprintDifference[]; settings: SettingDifference[] } {
  const [firstA] = a;
  const [firstB] = b;
  if (firstA === undefined || firstB === undefined) throw new TypeError('a side has no runs');
  alike('A', firstA, a);
  alike('B', firstB, b);
  const differences = fingerprintDifferences(firstA.fingerprint, firstB.fingerprint);
  refuseLight(firstA, firstB, differences);
  const settings = settingDifferences(firstA.suite.resolved, firstB.suite.resolved);
  const allowed = new Set<FingerprintField>(across.flatMap((name) => ACROSS[name]));
  const refused = differences.filter(({ field }) => !allowed.has(field));
  const sameSuite = onlyOverridden(firstA, firstB, across);
  const strayed = allowed.has('suiteSha256') && !sameSuite ? strayedSettings(settings, across) : [];
  if (refused.length > 0 || strayed.length > 0) throw refusal(refused, settings, strayed, across);
  return { differences, settings };
}

/** What light nodes leave out is most of a kubelet's traffic: a ratio over it says nothing, whoever asks for it. */
function refuseLight(a: RunResult, b: RunResult, differences: readonly FingerprintDifference[]): void {
  const sides = [a.fingerprint.fidelity, b.fingerprint.fidelity];
  if (!sides.includes('light') || sides[0] === sides[1]) return;
  throw new HarnessError(
    'HM_USAGE',
    `compare refused: ${differences
      .filter(({ field }) => field === 'fidelity')
      .map(inAAndB)
      .join('; ')}`,
    { hint: 'runs of light nodes can be compared with runs of light nodes only' },
  );
}

function alike(side: 'A' | 'B', first: RunResult, runs: readonly RunResult[]): void {
  for (const run of runs) {
    const differences = fingerprintDifferences(first.fingerprint, run.fingerprint);
    if (differences.length === 0) continue;
    throw new HarnessError(
      'HM_USAGE',
      `compare refused: runs ${first.runId} and ${run.runId} of side ${side} differ in ${differences.map(inAAndB).join('; ')}`,
      {
        hint: 'the runs of one side must be alike; compare them as A and B if the difference is what you ask about',
      },
    );
  }
}

/**
 * One suite with overrides that differ in nothing but what is excused: then settings that follow from those, such as
 * a count per node, are excused as well.
 */
function onlyOverridden(a: RunResult, b: RunResult, across: readonly Across[]): boolean {
  const others = (run: RunResult) =>
    run.suite.overrides.filter((text) => !isExcused(text.split('=')[0] ?? '', across)).join('\n');
  return a.suite.text !== '' && a.suite.text === b.suite.text && others(a) === others(b);
}

function isExcused(path: string, across: readonly Across[]): boolean {
  const excused = [...OWN_FIELDS, ...across.flatMap((name) => SETTINGS[name] ?? [])];
  return excused.some((prefix) => path === prefix || path.startsWith(`${prefix}.`));
}

function strayedSettings(
  settings: readonly SettingDifference[],
  across: readonly Across[],
): SettingDifference[] {
  if (across.includes('suite')) return [];
  return settings.filter(({ path }) => !isExcused(path, across));
}

function refusal(
  refused: readonly FingerprintDifference[],
  settings: readonly SettingDifference[],
  strayed: readonly SettingDifference[],
  across: readonly Across[],
): HarnessError {
  const parts = refused.map(inAAndB);
  if (refused.some(({ field }) => field === 'suiteSha256')) {
    const own = settings.filter(({ path }) => !OWN_FIELDS.includes(path));
    if (own.length > 0) parts.push(`settings ${list(own)}`);
  }
  if (strayed.length > 0)
    parts.push(`settings that --across ${across.join(' ')} does not name: ${list(strayed)}`);
  const names = new Set(refused.map(({ field }) => acrossNameOf(field, settings)));
  if (strayed.length > 0) names.add('suite');
  return new HarnessError('HM_USAGE', `compare refused: A and B differ in ${parts.join('; ')}`, {
    hint: `if that is what you want to compare, say so: ${[...names].map((name) => `--across ${name}`).join(' ')}`,
  });
}

function list(settings: readonly SettingDifference[]): string {
  const shown = settings.slice(0, SHOWN_SETTINGS).map(describeSetting).join('; ');
  const more = settings.length - SHOWN_SETTINGS;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

function inAAndB(difference: FingerprintDifference): string {
  // Said of two sides or two runs of one side: first and second, not there and here.
  return `${FINGERPRINT_LABEL[difference.field]} (${difference.first} and ${difference.second})`;
}

/** The narrowest name that excuses a difference in `field`. */
function acrossNameOf(field: FingerprintField, settings: readonly SettingDifference[]): Across {
  if (field !== 'suiteSha256') {
    const names = Object.keys(ACROSS) as Across[];
    return names.find((name) => ACROSS[name][0] === field) ?? 'suite';
  }
  const onlyFlags = strayedSettings(settings, ['flags']).length === 0;
  return onlyFlags ? 'flags' : 'suite';
}
