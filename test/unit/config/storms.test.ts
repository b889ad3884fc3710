import { describe, expect, it } from 'vitest';
import { loadSuite, type StormAction } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/core/index.ts';
import { type Plain, plainSuite, suiteText } from './suite-text.ts';

const load = (storm: Plain, fleet: Plain = {}, phase: Plain = {}) =>
  loadSuite({
    path: 's.yaml',
    text: suiteText({
      ...plainSuite([]),
      fleet: { nodes: 10, zones: ['zone-a', 'zone-b'], ...fleet },
      load: {
        phases: [{ name: 'only', duration: '60s', actions: [{ action: 'storm', ...storm }], ...phase }],
      },
    }),
  });

const problemsOf = (...given: Parameters<typeof load>): string[] => {
  try {
    load(...given);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
};

describe('a storm in a suite', () => {
  it('resolves to what is done, to whom, when and for how long', () => {
    const storm = load({
      kind: 'slow',
      share: '20%',
      zone: 'zone-b',
      after: '5s',
      for: '30s',
      delay: '200ms',
    }).suite.load.phases[0]?.actions[0] as StormAction;
    expect(storm).toEqual({
      action: 'storm',
      name: 'storm',
      disturbance: { kind: 'slow', delayMs: 200 },
      selection: { ratio: 0.2, zone: 'zone-b', seed: 1 },
      afterMs: 5_000,
      durationMs: 30_000,
    });
  });

  it.each([
    { kind: 'restart', extra: {}, durationMs: 0 },
    { kind: 'restart', extra: { over: '30s' }, durationMs: 30_000 },
    { kind: 'silence', extra: {}, durationMs: undefined },
  ])('gives $kind $extra the duration $durationMs', ({ kind, extra, durationMs }) => {
    const storm = load({ kind, ...extra }).suite.load.phases[0]?.actions[0] as StormAction;
    expect(storm.durationMs).toBe(durationMs);
  });

  it.each([
    { why: 'no delay', storm: { kind: 'slow' }, path: 'delay', says: 'is missing' },
    { why: 'no periods', storm: { kind: 'flap', silent: '5s' }, path: 'alive', says: 'is missing' },
    {
      why: 'a key of another kind',
      storm: { kind: 'silence', over: '5s' },
      path: 'over',
      says: 'is for kind: restart',
    },
    {
      why: 'a share and a number',
      storm: { kind: 'silence', share: 0.1, nodes: 3 },
      path: 'nodes',
      says: 'got both',
    },
    {
      why: 'a share of more than all',
      storm: { kind: 'silence', share: '120%' },
      path: 'share',
      says: 'up to 100%',
    },
    {
      why: 'a duration of an instant',
      storm: { kind: 'restart', for: '5s' },
      path: 'for',
      says: 'at an instant',
    },
    {
      why: 'an unknown zone',
      storm: { kind: 'silence', zone: 'zone-c' },
      path: 'zone',
      says: 'zone-a, zone-b',
    },
    {
      why: 'more nodes than there are',
      storm: { kind: 'silence', nodes: 11 },
      path: 'nodes',
      says: 'at most',
    },
    {
      why: 'no certificates',
      storm: { kind: 'expire-certificates' },
      path: 'kind',
      says: 'identity: certificate',
    },
    {
      why: 'a period longer than the storm',
      storm: { kind: 'flap', silent: '60s', alive: '60s', for: '60s' },
      path: 'for',
      says: 'at least one period of 120s',
    },
  ])('is refused with $why, at its place', ({ storm, path, says }) => {
    expect(problemsOf(storm)).toEqual([
      expect.stringMatching(new RegExp(`^load\\.phases\\[0\\]\\.actions\\[0\\]\\.${path}: .*${says}`)),
    ]);
  });

  it('is refused without nodes, and on shared connections where they are cut', () => {
    expect(problemsOf({ kind: 'silence' }, { nodes: 0 }).join()).toContain('needs nodes');
    expect(problemsOf({ kind: 'drop-connections' }, { connections: 'shared' }).join()).toContain('per-node');
  });

  it('needs a phase that ends', () => {
    expect(problemsOf({ kind: 'silence' }, {}, { duration: undefined }).join()).toContain(
      'duration: is missing',
    );
  });
});
