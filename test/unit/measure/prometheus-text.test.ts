import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLabels, parsePrometheusText } from '../../../src/measure/index.ts';

function read(text: string, isWanted: (name: string) => boolean = () => true) {
  const samples: [string, Record<string, string>, number][] = [];
  const { malformedCount } = parsePrometheusText(text, isWanted, (name, labels, value) =>
    samples.push([name, parseLabels(labels), value]),
  );
  return { samples, malformedCount };
}

const escapeValue = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const metricName = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/);
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((name) => name !== '__proto__');
const labelValue = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '\n', '}', '{', ',', '=', ' ', 'é'),
  maxLength: 8,
});
const sample = fc.record({
  name: metricName,
  labels: fc.dictionary(labelName, labelValue, { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof(fc.double(), fc.integer()),
  timestamp: fc.option(fc.nat(), { nil: undefined }),
});

describe('Prometheus text', () => {
  it('gives back every sample of any page, whatever its label values hold', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 12 }), (wanted) => {
        const page = wanted
          .map(({ name, labels, value, timestamp }) => {
            const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeValue(text)}"`);
            const braces = pairs.length > 0 ? `{${pairs.join(',')}}` : '';
            const number =
              Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
            return `# HELP ${name} text\n${name}${braces} ${number}${timestamp === undefined ? '' : ` ${timestamp}`}\n`;
          })
          .join('');
        const { samples, malformedCount } = read(page);
        expect(malformedCount).toBe(0);
        expect(samples).toEqual(
          wanted.map(({ name, labels, value }) => [name, labels, value === 0 ? 0 + value : value]),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('never throws and never makes up a sample on text of any kind', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '{', '}', '"', '\\', ' ', '\n', '=', ',', '1', '#', '\t') }),
        (text) => {
          const { samples } = read(text);
          for (const [name] of samples) expect(text).toContain(name);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads only what is wanted, and asks once per name', () => {
    const asked: string[] = [];
    const { samples } = read('a 1\na{x="1"} 2\nab 3\nab{x="1"} 4\na 5\n', (name) => {
      asked.push(name);
      return name === 'a';
    });
    expect(samples.map(([, , value]) => value)).toEqual([1, 2, 5]);
    expect(asked).toEqual(['a', 'ab', 'a']);
  });

  it.each([
    { line: 'a{b="c} 1', why: 'a quote that is never closed' },
    { line: 'a{b="c" 1', why: 'a brace that is never closed' },
    { line: 'a ', why: 'no value' },
    { line: 'a x1', why: 'a value that is no number' },
    { line: ' a 1', why: 'a line that begins with a blank' },
  ])('counts $why as malformed and goes on', ({ line }) => {
    expect(read(`${line}\nok 1\n`)).toEqual({ samples: [['ok', {}, 1]], malformedCount: 1 });
  });

  it('reads pages with CRLF, exemplars, special values and no newline at the end', () => {
    expect(read('a 1\r\nb_bucket{le="+Inf"} 7 # {trace="x"} 0.1\nc NaN\nd -Inf').samples).toEqual([
      ['a', {}, 1],
      ['b_bucket', { le: '+Inf' }, 7],
      ['c', {}, Number.NaN],
      ['d', {}, Number.NEGATIVE_INFINITY],
    ]);
  });

  it('does not let a label reach a prototype', () => {
    expect(Object.keys(parseLabels('__proto__="x",a="1"'))).toEqual(['a']);
  });
});
