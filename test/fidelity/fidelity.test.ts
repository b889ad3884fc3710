/**
 * A real kubelet, upstream's hollow node and hollowmark's play the same scenarios on one audited API server; then what
 * each asked for is compared. What the others may do is what they did now or when the recording was made.
 *
 *   HOLLOWMARK_FIDELITY_TAKES=DIR   also saves this performance in DIR and makes the recording anew from all in DIR
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALLOWED, COMPARISONS, judgeComparison } from './comparison/comparisons.ts';
import { type Facts, factsOf } from './comparison/facts.ts';
import { ORDERS } from './comparison/order.ts';
import { type PhaseTimes, podPhases } from './comparison/pod-phases.ts';
import { readRecording, recordingOf, type Take, writeRecording } from './comparison/publish.ts';
import { type Recording, withPerformance } from './comparison/record.ts';
import { perform } from './performance.ts';
import type { PlayerName } from './players/player.ts';
import { whyNoRealKubelet } from './players/real-kubelet.ts';

const noRealKubelet = whyNoRealKubelet();
const PLAYERS: readonly PlayerName[] = [
  ...(noRealKubelet === undefined ? (['kubelet'] as const) : []),
  'kubemark',
  'hollowmark',
  'compat',
];

let directory: string;
let recording: Recording;
let kept = false;
const facts = new Map<PlayerName, Facts>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-fidelity-'));
  const { acts, bindings, kubernetesVersion } = await perform(directory, PLAYERS);
  const phases = new Map<PlayerName, PhaseTimes>();
  for (const name of PLAYERS) {
    const own = acts.filter(({ player }) => player.name === name);
    facts.set(name, factsOf(own));
    phases.set(name, podPhases(own, bindings));
  }
  saveTake(kubernetesVersion, phases);
  recording = withPerformance(readRecording(), facts, phases);
}, 600_000);

afterAll(() => {
  if (!kept) rmSync(directory, { recursive: true, force: true });
});

describe('players', () => {
  it.skipIf(noRealKubelet !== undefined)(
    `include a real kubelet with containerd${noRealKubelet === undefined ? '' : ` (${noRealKubelet})`}`,
    () => {
      expect(facts.get('kubelet')?.counts['registration | kubelet create nodes']).toBe(1);
    },
  );

  it('are held by the recording to the version that plays', () => {
    expect(recording.performanceCount).toBeGreaterThan(2);
  });

  it('keep every order that a kubelet keeps', () => {
    const upstream = recording.players[noRealKubelet === undefined ? 'kubelet' : 'kubemark'];
    const own = facts.get('hollowmark')?.statements;
    for (const { component, name } of ORDERS) {
      const line = `order | ${component} | ${name}`;
      if (upstream?.statements[line] === recording.performanceCount) expect(own).toContain(line);
    }
  });
});

describe('differences', () => {
  for (const comparison of COMPARISONS) {
    const { player, from } = comparison;
    const skipped = from === 'kubelet' && noRealKubelet !== undefined;
    const why = skipped ? ` (${noRealKubelet})` : '';
    it.skipIf(skipped)(
      `of ${player} from ${from} are those that are listed, no more and no fewer${why}`,
      () => {
        const own = facts.get(player);
        if (own === undefined) throw new Error(`${player} did not play`);
        const { unlisted, stale } = judgeComparison(comparison, own, recording);
        kept ||= unlisted.length > 0 || stale.length > 0;
        const lines = unlisted.map(
          ({ side, line, figures }) => `${side} ${line}${figures === undefined ? '' : `: ${figures}`}`,
        );
        expect({ unlisted: lines, stale }, `logs are kept in ${directory}`).toEqual({
          unlisted: [],
          stale: [],
        });
      },
    );
  }

  it('are listed once each', () => {
    const keys = ALLOWED.flatMap(({ player, from, side, lines }) =>
      lines.map((line) => `${player} ${from} ${side} ${line}`),
    );
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });
});

function saveTake(kubernetesVersion: string, phases: ReadonlyMap<PlayerName, PhaseTimes>): void {
  const folder = process.env['HOLLOWMARK_FIDELITY_TAKES'];
  if (folder === undefined) return;
  const take: Take = { kubernetesVersion, players: {} };
  for (const [name, { statements, counts }] of facts) {
    take.players[name] = { statements: [...statements].sort(), counts, phases: phases.get(name) ?? {} };
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `take-${Date.now()}-${process.pid}.json`), JSON.stringify(take));
  writeRecording(recordingOf(folder));
}
