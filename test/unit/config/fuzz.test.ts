import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadSuite, shippedSuites, suitesFolder } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';

/** Loads, and plans what was loaded: it comes back, or it is a ConfigError with problems. Anything else fails. */
function survives(text: string, set: string[] = []): boolean {
  try {
    const plan = planRun(loadSuite({ path: 'fuzz.yaml', text }, { set }).suite);
    expect(Number.isFinite(plan.duration.totalMs)).toBe(true);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const problem of error.problems) expect(problem.message).not.toBe('');
    return false;
  }
}

const texts = shippedSuites().map((name) => readFileSync(join(suitesFolder(), `${name}.yaml`), 'utf8'));
const scalar = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    null,
    true,
    '',
    '0/s',
    '5/s',
    '10/node',
    '1e9/node',
    '60s',
    '-1s',
    '__proto__',
    '${parameters.x}',
    '${name}',
    '16Gi',
    '.nan',
    'pods',
    'create',
  ),
);
const anything = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('action', 'name', '__proto__', 'constructor', 'toString')),
    scalar,
    { maxKeys: 3 },
  ),
);

/** All paths into a plain value. */
function pathsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === head ? replaced(item, rest, by) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === head ? replaced(item, rest, by) : item]),
  );
}

describe('the loader, given anything', () => {
  it('takes the shipped suites, so that their mutations are worth something', () => {
    expect(texts.map((text) => survives(text))).toEqual(texts.map(() => true));
  });

  it('never crashes on text', () => {
    return fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => void survives(text)),
      { numRuns: 300 },
    );
  });

  it('never crashes on YAML', () => {
    return fc.assert(
      fc.property(
        anything,
        anything,
        (a, b) =>
          void survives(
            stringify({ apiVersion: 'hollowmark.dev/v1', kind: 'Suite', name: 'x', fleet: a, load: b }),
          ),
      ),
      { numRuns: 200 },
    );
  });

  it('never crashes on a suite with one value replaced', () => {
    const mutation = fc.constantFrom(...texts).chain((text) => {
      const plain: unknown = parse(text);
      return fc
        .tuple(fc.constantFrom(...pathsOf(plain)), anything)
        .map(([path, by]) => stringify(replaced(plain, path, by)));
    });
    return fc.assert(
      fc.property(mutation, (text) => void survives(text)),
      { numRuns: 300 },
    );
  });

  it('never crashes on a suite with a piece of its text cut out or doubled', () => {
    const damage = fc
      .tuple(fc.constantFrom(...texts), fc.nat(5_000), fc.nat(30), fc.boolean())
      .map(([text, at, length, double]) => {
        const start = at % text.length;
        const piece = text.slice(start, start + length);
        return text.slice(0, start) + (double ? piece + piece : '') + text.slice(start + length);
      });
    return fc.assert(
      fc.property(damage, (text) => void survives(text)),
      { numRuns: 300 },
    );
  });

  it('never crashes on an override', () => {
    const path = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '__proto__.x',
        'fleet.__proto__',
        'fleet.nodes',
        'load.phases[0].actions[0]',
        'load.phases',
        'controlPlane',
        'fleet["a\\"b"]',
        'parameters.churn',
        'fleet.constructor.name',
      ),
    );
    const value = fc.oneof(
      fc.string(),
      anything.map((item) => JSON.stringify(item) ?? ''),
    );
    void fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        path,
        value,
        (text, where, what) => void survives(text, [`${where}=${what}`]),
      ),
      { numRuns: 300 },
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
