/** How requests become statements that can be compared; and how the list of differences is held against them. */
import { describe, expect, it } from 'vitest';
import { bodyShape } from '../../fidelity/audit/body-shape.ts';
import { podStory, sayStep, valuesOf } from '../../fidelity/audit/pod-story.ts';
import { queryForm } from '../../fidelity/audit/query-form.ts';
import type { PlayerRequest } from '../../fidelity/audit/requests.ts';
import { type AllowedDifference, judgeDifferences } from '../../fidelity/comparison/allowed-difference.ts';
import { compareFacts } from '../../fidelity/comparison/compare.ts';
import { emptyRecording, withPerformance } from '../../fidelity/comparison/record.ts';

function request(changes: Partial<PlayerRequest>): PlayerRequest {
  return {
    atMs: 0,
    component: 'kubelet',
    verb: 'get',
    resource: 'pods',
    namespace: 'ns',
    name: 'p',
    query: new Map(),
    user: 'system:node:n1',
    groups: [],
    userAgent: '',
    code: 200,
    ...changes,
  };
}

const patch = (status: object) => request({ verb: 'patch', resource: 'pods/status', body: { status } });

describe('the form of a query', () => {
  it('keeps every key and what its value is, whatever the run', () => {
    const search = new URLSearchParams(
      'watch=true&fieldSelector=metadata.name=n1&resourceVersion=812&timeoutSeconds=431&timeout=7m11s',
    );
    expect(queryForm(request({ query: new Map(search) }), 'n1')).toBe(
      'fieldSelector=metadata.name=NODE&resourceVersion=N&timeout=as timeoutSeconds&timeoutSeconds=5-10min&watch=true',
    );
  });

  it('tells a cached read from one at a version, and shows a timeout outside of what upstream draws', () => {
    const form = (text: string) => queryForm(request({ query: new Map(new URLSearchParams(text)) }), 'n1');
    expect(form('resourceVersion=0')).toBe('resourceVersion=0');
    expect(form('timeoutSeconds=600')).toBe('timeoutSeconds=600');
    expect(form('timeout=10s')).toBe('timeout=10s');
  });
});

describe('the shape of a body', () => {
  it('is paths and types, with list elements told apart by their merge key', () => {
    const body = {
      status: {
        conditions: [{ type: 'Ready', status: 'True', reason: null }],
        images: [],
        capacity: { cpu: '1' },
      },
    };
    expect(bodyShape(body)).toEqual([
      'status.capacity: object',
      'status.conditions[type=Ready].reason: null',
      'status.conditions[type=Ready].status: string',
      'status.conditions[type=Ready].type: string',
      'status.images: []',
    ]);
  });
});

describe('the story of a pod', () => {
  const first = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'False' }] };
  const running = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'main', ready: true, started: true, state: { running: {} } }],
  };

  it('says what each patch changed, and not what stood already', () => {
    const story = podStory([patch(first), patch({ ...first, ...running }), request({ verb: 'delete' })]);
    expect(story.map(sayStep)).toEqual([
      'generation 1, ready no',
      'phase Running, ready yes, main (running ready started)',
      'object deleted',
    ]);
  });

  it('says the same of each thing however patches coalesce', () => {
    const apart = podStory([patch(first), patch({ phase: 'Running' }), patch(running)]);
    const together = podStory([patch(first), patch(running)]);
    expect(valuesOf(together)).toEqual(valuesOf(apart));
  });
});

describe('a comparison', () => {
  const facts = (statements: string[], counts: Record<string, number> = {}) => ({
    statements: new Set(statements),
    counts,
  });
  const record = (...performances: ReturnType<typeof facts>[]) =>
    performances.reduce(
      (recording, one) => withPerformance(recording, new Map([['kubelet', one]]), new Map()),
      emptyRecording('v1'),
    ).players.kubelet ?? { statements: {}, counts: {}, phases: {} };

  it('allows what the other did once, and asks only for what it did every time', () => {
    const other = record(
      facts(['request | a | kubelet get x', 'request | a | kubelet get y']),
      facts(['request | a | kubelet get x']),
    );
    const differences = (lines: string[]) => compareFacts(facts(lines), other, 2, ['kubelet']);
    expect(differences(['request | a | kubelet get x'])).toEqual([]);
    expect(differences(['request | a | kubelet get x', 'request | a | kubelet get y'])).toEqual([]);
    expect(differences(['request | a | kubelet get z'])).toEqual([
      { side: 'missing', line: 'request | a | kubelet get x' },
      { side: 'extra', line: 'request | a | kubelet get z' },
    ]);
  });

  it('does not repeat for each form of a request that the other never makes it', () => {
    const own = facts([
      'request | a | kubelet get x',
      'query | kubelet get x | a=b',
      'answer | kubelet get x | 200',
    ]);
    expect(compareFacts(own, record(facts([])), 1, ['kubelet']).map(({ line }) => line)).toEqual([
      'request | a | kubelet get x',
    ]);
  });

  it('takes a story for the same if only states were passed over, and the end is the same', () => {
    const other = record(facts(['story | a, web | main: waiting → running → ended']));
    const differences = (story: string) =>
      compareFacts(facts([`story | a, web | main: ${story}`]), other, 1, ['kubelet']).length;
    expect(differences('waiting → ended')).toBe(0);
    expect(differences('waiting → running')).toBe(2);
    expect(differences('running → waiting → ended')).toBe(2);
  });

  it('holds counts to the range of all performances, with some slack', () => {
    const lines = ['request | a | kubelet get x'];
    const other = record(
      facts(lines, { 'a | kubelet get x': 40 }),
      facts(lines, { 'a | kubelet get x': 44 }),
    );
    const differences = (count: number) =>
      compareFacts(facts(lines, { 'a | kubelet get x': count }), other, 2, ['kubelet']);
    expect(differences(48)).toEqual([]);
    expect(differences(60)).toEqual([
      { side: 'count', line: 'count | a | kubelet get x', figures: '60, not 40 to 44' },
    ]);
  });
});

describe('the list of differences', () => {
  const entry = (changes: Partial<AllowedDifference>): AllowedDifference => ({
    player: 'hollowmark',
    from: 'kubelet',
    side: 'extra',
    lines: ['body | kubelet create nodes | spec.*'],
    occurs: 'always',
    reason: 'because',
    ...changes,
  });

  it('lets through what an entry names, and nothing else', () => {
    const differences = [
      { side: 'extra' as const, line: 'body | kubelet create nodes | spec.providerID: string' },
      { side: 'missing' as const, line: 'body | kubelet create nodes | spec.podCIDR: string' },
    ];
    const { unlisted, stale } = judgeDifferences(differences, [entry({})], new Set());
    expect(unlisted).toEqual([differences[1]]);
    expect(stale).toEqual([]);
  });

  it('names entries that no longer occur: always ones now, the others if they never did', () => {
    const sometimes = entry({ occurs: 'sometimes', lines: ['request | a | kubelet get x'] });
    const stale = (entries: AllowedDifference[], seen: string[] = []) =>
      judgeDifferences([], entries, new Set(seen)).stale;
    expect(stale([entry({})])).toHaveLength(1);
    expect(stale([sometimes])).toHaveLength(1);
    expect(stale([sometimes], ['extra request | a | kubelet get x'])).toEqual([]);
  });
});
