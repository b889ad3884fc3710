import { describe, expect, it } from 'vitest';
import type { StormAction } from '../../../src/config/index.ts';
import { HarnessError } from '../../../src/core/index.ts';
import { MarkLedger } from '../../../src/run/mark-ledger.ts';
import { PhaseStorms } from '../../../src/run/storms.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

const action = (changes: Partial<StormAction> = {}): StormAction => ({
  action: 'storm',
  name: 'storm',
  disturbance: { kind: 'silence' },
  selection: { ratio: 1, seed: 1 },
  afterMs: 1_000,
  durationMs: 2_000,
  ...changes,
});

/** A fleet that obeys at once and ends its storms by itself or when healed. */
function scripted(actions: StormAction[]) {
  const clock = virtualClock();
  const marks = new MarkLedger((atUs) => atUs / 1_000);
  const said: string[] = [];
  const ends = new Map<string, (atUs: number) => void>();
  const over = new Map<string, Promise<number>>();
  const storms = new PhaseStorms(
    { name: 'p', actions },
    {
      clock,
      marks,
      agents: {
        async beginStorm(command) {
          said.push(`begin ${command.id} at ${clock.nowUs() / 1_000}`);
          over.set(command.id, new Promise((resolve) => ends.set(command.id, resolve)));
          if (command.durationMs !== undefined)
            clock.setTimer(() => ends.get(command.id)?.(clock.nowUs()), command.durationMs);
          return { id: command.id, kind: 'silence', atUs: clock.nowUs(), nodeNames: ['a', 'b'] };
        },
        stormEnded: (id) => over.get(id) ?? Promise.reject(new Error(`no storm ${id}`)),
        healStorm(id) {
          said.push(`heal ${id} at ${clock.nowUs() / 1_000}`);
          ends.get(id)?.(clock.nowUs());
        },
      },
    },
  );
  return { clock, marks, said, storms };
}

const NEVER = new AbortController().signal;

describe('the storms of a phase', () => {
  it('begin at their instant after its start, are waited for, and leave a mark with start and end', async () => {
    const { clock, marks, said, storms } = scripted([action()]);
    storms.begin(500_000, NEVER);
    let over = false;
    const waiting = storms.over(NEVER).then(() => {
      over = true;
    });
    await clock.advance(3_400);
    expect(said).toEqual(['begin p/storm at 1500']);
    expect(over).toBe(false);
    await clock.advance(200);
    await waiting;
    await storms.heal();
    expect(marks.recorded().marks).toEqual([
      { kind: 'storm', text: 'silence 2 nodes', phase: 'p', nodeCount: 2, atMs: 1_500, endMs: 3_500 },
    ]);
    expect(said).toHaveLength(1);
  });

  it('without an end of their own are healed with the phase, which does not wait for them', async () => {
    const { durationMs: _, ...endless } = action();
    const { clock, marks, said, storms } = scripted([endless]);
    storms.begin(0, NEVER);
    await clock.advance(5_000);
    await storms.over(NEVER);
    await storms.heal();
    expect(said).toEqual(['begin p/storm at 1000', 'heal p/storm at 5000']);
    expect(marks.recorded().marks?.[0]).toMatchObject({ atMs: 1_000, endMs: 5_000 });
  });

  it('are healed when the run is interrupted, and those not begun never begin', async () => {
    const { clock, said, storms } = scripted([
      action({ durationMs: 60_000 }),
      action({ name: 'late', afterMs: 50_000 }),
    ]);
    const interrupt = new AbortController();
    storms.begin(0, interrupt.signal);
    await clock.advance(2_000);
    interrupt.abort(new HarnessError('HM_INTERRUPTED', 'interrupted'));
    await storms.heal();
    await clock.advance(100_000);
    expect(said).toEqual(['begin p/storm at 1000', 'heal p/storm at 2000']);
  });
});
