import { describe, expect, it } from 'vitest';
import { judgeDifferences } from '../../fidelity/comparison/allowed-difference.ts';
import { ALLOWED, COMPARISONS } from '../../fidelity/comparison/comparisons.ts';
import { readRecording } from '../../fidelity/comparison/publish.ts';
import { parseDifference } from '../../fidelity/document/differences.ts';
import { fidelityPage } from '../../fidelity/document/page.ts';

const recording = readRecording();

describe('docs/fidelity.md', () => {
  it('is what the recording makes of it (else: npm run fidelity:record)', async () => {
    await expect(fidelityPage(recording)).toMatchFileSnapshot('../../../docs/fidelity.md');
  });

  it('rests on several performances of every player', () => {
    expect(recording.performanceCount).toBeGreaterThanOrEqual(3);
    expect(Object.keys(recording.players).sort()).toEqual(['compat', 'hollowmark', 'kubelet', 'kubemark']);
  });

  it.each(COMPARISONS)(
    'knows a recorded difference for each entry of $player from $from',
    ({ player, from }) => {
      const seen = (recording.differences[`${player} from ${from}`] ?? []).map(parseDifference);
      const entries = ALLOWED.filter((one) => one.player === player && one.from === from);
      expect(entries.length).toBeGreaterThan(0);
      expect(judgeDifferences(seen, entries, new Set()).stale).toEqual([]);
    },
  );
});
