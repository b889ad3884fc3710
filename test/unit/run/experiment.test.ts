import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  droppedPairs,
  type ExperimentActions,
  type ExperimentAttempt,
  type ExperimentRecord,
  experimentOrder,
  newExperiment,
  openSlots,
  readExperiment,
  runExperiment,
  sideLabel,
  wholePairs,
  writeExperiment,
} from '../../../src/run/index.ts';
import { runResult } from '../../helpers/results.ts';

const letters = (pairs: number, seed: string) =>
  experimentOrder(pairs, seed)
    .map(({ side }) => side)
    .join('');

describe('order of an experiment', () => {
  it('goes in blocks of ABBA and BAAB, and starts them both ways', () => {
    const order = letters(40, 'seed');
    const blocks = order.match(/.{4}/g) ?? [];
    expect(blocks).toHaveLength(20);
    expect(new Set(blocks)).toEqual(new Set(['abba', 'baab']));
  });

  it('is the same for the same seed, and another for another', () => {
    expect(letters(20, 'one')).toBe(letters(20, 'one'));
    expect(letters(20, 'one')).not.toBe(letters(20, 'two'));
  });

  it('has every pair once on each side, next to each other, whatever the number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.string(), (pairs, seed) => {
        const order = experimentOrder(pairs, seed);
        expect(order).toHaveLength(2 * pairs);
        for (let pair = 1; pair <= pairs; pair++) {
          const [first, second] = [order[2 * pair - 2], order[2 * pair - 1]];
          expect(first).toMatchObject({ pair, index: 2 * pair - 2 });
          expect(second).toMatchObject({ pair });
          expect(new Set([first?.side, second?.side])).toEqual(new Set(['a', 'b']));
        }
      }),
    );
  });

  it('lets a steady drift fall on both sides alike', () => {
    const order = experimentOrder(20, 'drift');
    const mean = (side: string) => {
      const places = order.filter((slot) => slot.side === side).map(({ index }) => index);
      return places.reduce((sum, place) => sum + place, 0) / places.length;
    };
    expect(mean('a')).toBe(mean('b'));
  });
});

describe('what an experiment still lacks', () => {
  const attempt = (pair: number, side: 'a' | 'b', invalid?: string): ExperimentAttempt => ({
    pair,
    side,
    folder: `${pair}${side}`,
    ...(invalid === undefined ? {} : { invalid }),
  });

  it('is a run that was INVALID once, and not a pair that was INVALID twice', () => {
    const order = experimentOrder(2, 'x');
    const once = [attempt(1, 'a'), attempt(1, 'b', 'late')];
    expect(openSlots(order, once).map(({ pair, side }) => `${pair}${side}`)).toContain('1b');
    const twice = [...once, attempt(1, 'b', 'late')];
    expect(droppedPairs(twice)).toEqual([1]);
    expect(new Set(openSlots(order, twice).map(({ pair }) => pair))).toEqual(new Set([2]));
    expect(wholePairs(twice)).toEqual([]);
  });

  it('does not count failures of the two sides of a pair together', () => {
    const attempts = [attempt(1, 'a', 'late'), attempt(1, 'b', 'late'), attempt(1, 'b'), attempt(1, 'a')];
    expect(droppedPairs(attempts)).toEqual([]);
    expect(wholePairs(attempts)).toEqual([{ pair: 1, a: '1a', b: '1b' }]);
  });
});

describe('running an experiment', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hollowmark-experiment-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const record = (pairCount = 2): ExperimentRecord =>
    newExperiment({
      tool: { name: 'hollowmark', version: '0.1.0' },
      startedAt: '2026-01-01T00:00:00.000Z',
      suite: 'quickstart',
      set: [],
      a: { set: [], sha256: '0', version: 'v1.36.3', profile: 'fast' },
      b: { set: ['fleet.ramp=5/s', 'seed=2'], sha256: '1', version: 'v1.36.3', profile: 'fast' },
      pairCount,
      seed: 'x',
      marginRatio: 0.1,
      metrics: [],
    });

  /** Makes runs that end as `outcomes` say, then VALID ones. */
  function actions(outcomes: ('VALID' | 'INVALID' | 'interrupted' | 'not begun')[] = []) {
    const made: string[] = [];
    const said: string[] = [];
    const doing: ExperimentActions = {
      runOne: async ({ pair, side }, attempt) => {
        const outcome = outcomes.shift() ?? 'VALID';
        const name = `${pair}${side}${attempt}`;
        made.push(name);
        if (outcome === 'not begun') return { folder: name };
        const base = runResult();
        const trust = { ...base.verdicts.trust, state: outcome === 'INVALID' ? outcome : ('VALID' as const) };
        const state = outcome === 'interrupted' ? outcome : ('completed' as const);
        return { folder: name, result: { ...base, state, verdicts: { ...base.verdicts, trust } } };
      },
      save: (changed) => writeExperiment(folder, changed),
      unusable: (result) => (result.verdicts.trust.state === 'INVALID' ? 'INVALID' : undefined),
      say: (line) => said.push(line),
      stopped: () => false,
    };
    return { doing, made, said };
  }

  it('makes every run once and keeps each as soon as it has ended', async () => {
    const { doing, made } = actions();
    const asked = record();
    expect(await runExperiment(asked, doing)).toBe('completed');
    expect(made.map((name) => name.slice(0, 2)).sort()).toEqual(['1a', '1b', '2a', '2b']);
    expect(await readExperiment(folder)).toEqual(asked);
    expect(wholePairs(asked.attempts)).toHaveLength(2);
  });

  it('repeats an INVALID run once and drops the pair the second time, saying both', async () => {
    const { doing, made, said } = actions(['INVALID', 'VALID', 'VALID', 'INVALID', 'INVALID']);
    const asked = record();
    await runExperiment(asked, doing);
    const first = asked.order[0]?.side;
    expect(made.slice(0, 2)).toEqual([`1${first}1`, `1${first}2`]);
    expect(made.slice(3).map((name) => name.slice(0, 1))).toEqual(['2', '2']);
    expect(said[0]).toContain('it is repeated once');
    expect(said.at(-1)).toContain('pair 2 is dropped');
    expect(wholePairs(asked.attempts).map(({ pair }) => pair)).toEqual([1]);
  });

  it.each(['interrupted', 'not begun'] as const)(
    'stops at a run that was %s and goes on from its file',
    async (how) => {
      const { doing } = actions(['VALID', how]);
      expect(await runExperiment(record(), doing)).toBe('interrupted');
      const kept = await readExperiment(folder);
      if (kept === undefined) throw new Error('the first run was saved');
      expect(kept.attempts).toHaveLength(1);

      const { doing: again, made } = actions();
      expect(await runExperiment(kept, again)).toBe('completed');
      expect(made).toHaveLength(3);
      expect(wholePairs(kept.attempts)).toHaveLength(2);
    },
  );

  it('starts nothing more once it is stopped', async () => {
    const { doing, made } = actions();
    const asked = record();
    expect(await runExperiment(asked, { ...doing, stopped: () => made.length >= 1 })).toBe('interrupted');
    expect(made).toHaveLength(1);
  });

  it('names each side by what it sets', () => {
    expect(sideLabel(record(), 'a')).toBe('the suite as it is');
    expect(sideLabel(record(), 'b')).toBe('fleet.ramp=5/s seed=2');
  });

  it('knows a folder without experiment from one whose file is broken', async () => {
    expect(await readExperiment(folder)).toBeUndefined();
    await writeFile(join(folder, 'experiment.json'), '{"schema": "other/v1"}');
    await expect(readExperiment(folder)).rejects.toMatchObject({ code: 'HM_RESULT_UNREADABLE', exitCode: 2 });
    await writeFile(join(folder, 'experiment.json'), '{"sch');
    await expect(readExperiment(folder)).rejects.toThrow(/not whole JSON/);
  });
});
