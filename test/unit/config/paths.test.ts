import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPath, parsePath } from '../../../src/config/paths.ts';
import { closest, didYouMean } from '../../../src/config/suggest.ts';

describe('paths', () => {
  it('are read as they are written', () => {
    const segment = fc.oneof(
      fc.string(),
      fc.nat(1_000),
      fc.constantFrom('load', 'kube-apiserver', 'a.b/c', '"', '\\', '\n', ''),
    );
    void fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (path) => {
        expect(parsePath(formatPath(path))).toEqual(path);
      }),
    );
  });

  it.each([
    [['load', 'phases', 1, 'actions', 0, 'rate'], 'load.phases[1].actions[0].rate'],
    [['fleet', 'labels', 'a.b/c'], 'fleet.labels["a.b/c"]'],
    [
      ['controlPlane', 'flags', 'kube-apiserver', 'max-requests-inflight'],
      'controlPlane.flags.kube-apiserver.max-requests-inflight',
    ],
  ])('%j is %s', (path, text) => {
    expect(formatPath(path)).toBe(text);
  });

  it.each(['', '.', 'a.', 'a..b', 'a[', 'a[x]', 'a[-1]', 'a b', '1a', 'a["\\x"]', 'a]'])(
    '%j is none',
    (text) => {
      expect(parsePath(text)).toBeUndefined();
    },
  );
});

describe('suggestions', () => {
  it.each([
    ['nods', ['nodes', 'pods'], 'nodes'],
    ['Rate', ['rate', 'name'], 'rate'],
    ['conections', ['connections', 'compression'], 'connections'],
    ['deployment', ['deployments.apps', 'deployment'], 'deployment'],
    ['xyz', ['rate', 'name'], undefined],
    ['ab', ['xy'], undefined],
  ])('for %s of %j it is %s', (word, known, expected) => {
    expect(closest(word, known)).toBe(expected);
  });

  it('are nothing where nothing is close', () => {
    expect(didYouMean('xyz', ['rate'])).toBe('');
    expect(didYouMean('rat', ['rate'])).toBe(' (did you mean "rate"?)');
  });
});
