import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FrameSplitter,
  frameFacts,
  frameResourceVersion,
  frameType,
  listFacts,
  listItems,
  objectFacts,
} from '../../../src/kube/index.ts';

/** Strings that look like JSON, so that a scanner that miscounts quotes, braces or escapes is caught. */
const trickyString = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '{"metadata":{"name":"x"}}',
    '}',
    ']',
    '[{',
    'metadata',
    'resourceVersion',
    '\n',
    'ü{',
  ),
);
const trickyKey = fc
  .oneof(
    fc.constantFrom(
      'metadata',
      'name',
      'uid',
      'resourceVersion',
      'namespace',
      'object',
      'type',
      'items',
      'annotations',
    ),
    trickyString,
  )
  .filter((key) => key !== '__proto__');
const trickyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    trickyString,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(trickyKey, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const metadata = fc.record(
  {
    labels: fc.dictionary(trickyKey, trickyString, { maxKeys: 3 }),
    ownerReferences: fc.array(fc.record({ name: trickyString, uid: trickyString }), { maxLength: 2 }),
    name: trickyString,
    managedFields: trickyValue,
    namespace: trickyString,
    uid: trickyString,
    annotations: fc.dictionary(
      fc.oneof(trickyKey, fc.constant('k8s.io/initial-events-end')),
      fc.oneof(trickyString, fc.constant('true')),
      { maxKeys: 3 },
    ),
    resourceVersion: trickyString,
  },
  { requiredKeys: [] },
);
const kubeObject = fc.record(
  { spec: trickyValue, metadata, status: trickyValue },
  { requiredKeys: ['metadata'] },
);
const event = fc.record({
  type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'),
  object: kubeObject,
});
const spacing = fc.constantFrom(undefined, 1, 3);

describe('scanning a frame', () => {
  it('reads what JSON.parse would, whatever else is in the object and however it is spaced', () => {
    fc.assert(
      fc.property(event, spacing, (value, indent) => {
        const parsed = JSON.parse(JSON.stringify(value));
        const meta = parsed.object.metadata;
        const facts = frameFacts(Buffer.from(JSON.stringify(value, undefined, indent)));
        expect(facts).toEqual({
          type: parsed.type,
          resourceVersion: meta.resourceVersion ?? '',
          name: meta.name ?? '',
          namespace: meta.namespace ?? '',
          uid: meta.uid ?? '',
          initialEventsEnd:
            parsed.type === 'BOOKMARK' && meta.annotations?.['k8s.io/initial-events-end'] === 'true',
        });
        const frame = Buffer.from(JSON.stringify(value));
        expect(frameType(frame)).toBe(parsed.type);
        expect(frameResourceVersion(frame)).toBe(meta.resourceVersion ?? '');
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not fail on frames that are cut off or no JSON at all', () => {
    fc.assert(
      fc.property(event, fc.nat(400), fc.string(), (value, length, noise) => {
        const text = JSON.stringify(value);
        for (const piece of [text.slice(0, length), noise, `${text.slice(0, length)}${noise}`]) {
          frameFacts(Buffer.from(piece));
          objectFacts(Buffer.from(piece));
          listItems(Buffer.from(piece));
        }
      }),
    );
  });

  it('knows no type in a frame that is no event', () => {
    expect(frameType(Buffer.from('{"kind":"Status"}'))).toBeUndefined();
    expect(frameType(Buffer.from('{"type":"OTHER","object":{}}'))).toBeUndefined();
  });
});

describe('scanning a list', () => {
  it('cuts out the items and reads version and continue token', () => {
    fc.assert(
      fc.property(fc.array(kubeObject, { maxLength: 5 }), trickyString, spacing, (items, version, indent) => {
        const body = Buffer.from(
          JSON.stringify(
            { kind: 'PodList', metadata: { resourceVersion: version, continue: 'tok' }, items },
            undefined,
            indent,
          ),
        );
        expect(listFacts(body)).toEqual({ resourceVersion: version, continueToken: 'tok' });
        expect(listItems(body).map((item) => JSON.parse(item.toString('utf8')))).toEqual(
          JSON.parse(JSON.stringify(items)),
        );
      }),
    );
    expect(listItems(Buffer.from('{"items":null}'))).toEqual([]);
  });
});

describe('cutting a stream into frames', () => {
  it('gives the same frames for any cut into chunks', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), cuts, (events, sizes) => {
        const lines = events.map((value) => JSON.stringify(value));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = new FrameSplitter();
        const seen: string[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          splitter.push(Buffer.from(bytes.subarray(at, at + size)), {
            onFrame: (frame) => seen.push(frame.toString('utf8')),
          });
          at += size;
        }
        expect(seen).toEqual(lines);
        expect(splitter.isPartial).toBe(false);
      }),
    );
  });

  it('is partial until the newline comes', () => {
    const splitter = new FrameSplitter();
    splitter.push(Buffer.from('{"a"'), { onFrame: () => expect.unreachable() });
    expect(splitter.isPartial).toBe(true);
  });
});
