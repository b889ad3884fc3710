import { describe, expect, it } from 'vitest';
import {
  checkWrites,
  type Listing,
  resolveUnknown,
  WriteLedger,
  writeOutcome,
} from '../../../src/faults/index.ts';
import { TransportError } from '../../../src/kube/index.ts';
import { listed, write } from './fixtures.ts';

function through(objects: Listing['objects'], path = 'kube-apiserver-0'): Listing {
  return { through: path, objects };
}

function states(ledger: WriteLedger, ...listings: Listing[]): Record<string, string> {
  return Object.fromEntries(checkWrites(ledger, listings).map(({ name, state }) => [name, state]));
}

function ledgerOf(...writes: Parameters<typeof write>[0][]): WriteLedger {
  const ledger = new WriteLedger();
  for (const one of writes) ledger.add(write(one));
  return ledger;
}

describe('what an answer says about a write', () => {
  const sentAndLost = { error: new TransportError('timeout', 'no whole reply'), sent: true };

  it.each([
    ['create', { reply: { status: 201 } }, 'acknowledged', 'the server said so'],
    ['update', { reply: { status: 200 } }, 'acknowledged', 'the server said so'],
    ['create', { reply: { status: 500 } }, 'unknown', 'etcdserver: request timed out may have been applied'],
    ['delete', { reply: { status: 504 } }, 'unknown', 'the deadline of the server, not of the write'],
    ['create', { reply: { status: 429 } }, 'refused', 'rejected before anything was done'],
    ['update', { reply: { status: 409 } }, 'refused', 'a conflict changes nothing'],
    ['create', { reply: { status: 409 } }, 'unknown', 'what is in the way may be its own first copy'],
    ['create', sentAndLost, 'unknown', 'nobody knows'],
    ['create', { error: new Error('ECONNREFUSED'), sent: false }, 'refused', 'it never left'],
  ] as const)('%s answered %o is %s: %s', (operation, end, outcome, _why) => {
    expect(writeOutcome(operation, end)).toBe(outcome);
  });
});

describe('the ledger held against listings', () => {
  it('holds when every acknowledged object is there with its content', () => {
    const ledger = ledgerOf(
      { operation: 'create', nonce: 'a' },
      { operation: 'create', nonce: 'b' },
      { operation: 'update', nonce: 'b2', object: 'b' },
      { operation: 'create', nonce: 'c' },
      { operation: 'delete', nonce: 'c-', object: 'c' },
    );
    const listing = through([listed('a'), listed('b', { nonce: 'b2' })]);
    expect(states(ledger, listing)).toEqual({
      'acknowledged-writes': 'held',
      'no-duplicate': 'held',
      'no-lost-deletion': 'held',
    });
  });

  it('finds an acknowledged object that was removed behind its back', () => {
    const ledger = ledgerOf({ operation: 'create', nonce: 'a' }, { operation: 'create', nonce: 'b' });
    const [check] = checkWrites(ledger, [through([listed('a')])]);
    expect(check).toMatchObject({ name: 'acknowledged-writes', state: 'violated', violationCount: 1 });
    expect(check?.violations[0]).toContain('b is gone');
  });

  it('finds an object that one API server alone does not have', () => {
    const ledger = ledgerOf({ operation: 'create', nonce: 'a' });
    const [check] = checkWrites(ledger, [through([listed('a')]), through([], 'kube-apiserver-1')]);
    expect(check?.violations).toEqual([expect.stringContaining('through kube-apiserver-1')]);
  });

  it('finds content that went back to an earlier write', () => {
    const ledger = ledgerOf(
      { operation: 'create', nonce: 'a' },
      { operation: 'update', nonce: 'a2', object: 'a' },
    );
    const [check] = checkWrites(ledger, [through([listed('a', { nonce: 'a' })])]);
    expect(check?.violations[0]).toContain('content a, acknowledged was content a2');
  });

  it('finds a create that was applied twice under two names', () => {
    const ledger = ledgerOf({ operation: 'create', nonce: 'a' });
    const listing = through([listed('a'), listed('a', { name: 'probe-x7k2p', uid: 'uid-other' })]);
    expect(states(ledger, listing)['no-duplicate']).toBe('violated');
  });

  it('finds an object that was deleted and made anew under its own name', () => {
    const ledger = ledgerOf({ operation: 'create', nonce: 'a' });
    expect(states(ledger, through([listed('a', { uid: 'uid-other' })]))['no-duplicate']).toBe('violated');
  });

  it('finds a deleted object that came back', () => {
    const ledger = ledgerOf(
      { operation: 'create', nonce: 'a' },
      { operation: 'delete', nonce: 'a-', object: 'a' },
    );
    expect(states(ledger, through([listed('a')]))['no-lost-deletion']).toBe('violated');
  });

  it('counts a write of unknown outcome neither as lost nor as a duplicate, whichever way it went', () => {
    const ledger = ledgerOf(
      { operation: 'create', nonce: 'a', outcome: 'unknown' },
      { operation: 'create', nonce: 'b' },
      { operation: 'update', nonce: 'b2', object: 'b', outcome: 'unknown' },
    );
    for (const objects of [[listed('b')], [listed('a'), listed('b', { nonce: 'b2' })]]) {
      expect(Object.values(states(ledger, through(objects)))).not.toContain('violated');
    }
    expect(resolveUnknown(ledger, through([listed('a'), listed('b')]))).toEqual({
      unknownCount: 2,
      appliedCount: 1,
    });
  });

  it('still finds a loss under a later write of unknown outcome', () => {
    const ledger = ledgerOf(
      { operation: 'create', nonce: 'b' },
      { operation: 'update', nonce: 'b2', object: 'b', outcome: 'unknown' },
    );
    expect(states(ledger, through([]))['acknowledged-writes']).toBe('violated');
  });

  it('does not pass without anything looked at', () => {
    expect(Object.values(states(new WriteLedger()))).toEqual(['no-data', 'no-data', 'no-data']);
  });
});

describe('a restore from a snapshot', () => {
  it('excuses what was written after the snapshot, also where the report of it comes later', () => {
    const ledger = new WriteLedger();
    const at = (nonce: string, sentUs: number) =>
      write({ operation: 'create', nonce, sentUs, endedUs: sentUs + 10 });
    ledger.add(at('before', 1_000));
    ledger.add(at('lost', 3_000));
    ledger.rewind(2_000, 5_000);
    ledger.add(at('told-later', 4_000));
    ledger.add(at('after', 6_000));
    const excused = [...ledger.objects.values()].filter((one) => one.excused).map(({ object }) => object);
    expect(excused).toEqual(['lost', 'told-later']);
  });
});
