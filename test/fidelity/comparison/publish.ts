/**
 * The recording that is committed: written from performances that were played for it, read by the test and by the page.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/core/index.ts';
import type { PlayerName } from '../players/player.ts';
import { COMPARISONS, differenceIds } from './comparisons.ts';
import type { Facts } from './facts.ts';
import type { PhaseTimes } from './pod-phases.ts';
import { emptyRecording, type Recording, withPerformance } from './record.ts';

export const RECORDING_PATH = join(packageRoot(), 'test/fidelity/data/recording.json');

/** One performance as a file of plain JSON. */
export interface Take {
  kubernetesVersion: string;
  players: Partial<Record<PlayerName, { statements: string[]; counts: Facts['counts']; phases: PhaseTimes }>>;
}

/** The committed recording; an empty one where there is none yet. */
export function readRecording(): Recording {
  if (!existsSync(RECORDING_PATH)) return emptyRecording('');
  return JSON.parse(readFileSync(RECORDING_PATH, 'utf8')) as Recording;
}

export function writeRecording(recording: Recording): void {
  writeFileSync(RECORDING_PATH, `${JSON.stringify(recording, undefined, 1)}\n`);
}

/** Every take in a folder (`take-*.json`) as one recording. */
export function recordingOf(folder: string): Recording {
  const takes = readdirSync(folder)
    .filter((name) => /^take-.*\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Take);
  let recording = emptyRecording(takes[0]?.kubernetesVersion ?? '');
  for (const take of takes) recording = withPerformance(recording, factsIn(take), phasesIn(take));
  for (const comparison of COMPARISONS) {
    const seen = takes.flatMap((take) => {
      const own = factsIn(take).get(comparison.player);
      return own === undefined ? [] : differenceIds(comparison, own, recording);
    });
    recording.differences[`${comparison.player} from ${comparison.from}`] = [...new Set(seen)].sort();
  }
  return recording;
}

function factsIn(take: Take): Map<PlayerName, Facts> {
  const entries = Object.entries(take.players) as [PlayerName, NonNullable<Take['players'][PlayerName]>][];
  return new Map(
    entries.map(([name, { statements, counts }]) => [name, { statements: new Set(statements), counts }]),
  );
}

function phasesIn(take: Take): Map<PlayerName, PhaseTimes> {
  const entries = Object.entries(take.players) as [PlayerName, { phases: PhaseTimes }][];
  return new Map(entries.map(([name, { phases }]) => [name, phases]));
}
