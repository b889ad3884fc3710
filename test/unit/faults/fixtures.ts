/** Records of probes as tests need them: one line each. */
import type { LedgerWrite, ListedObject } from '../../../src/faults/index.ts';

/** An acknowledged write unless told otherwise. */
export function write(partial: Pick<LedgerWrite, 'operation' | 'nonce'> & Partial<LedgerWrite>): LedgerWrite {
  const object = partial.object ?? partial.nonce;
  return {
    object,
    name: object,
    outcome: 'acknowledged',
    sentUs: 0,
    endedUs: 10_000,
    ...(partial.operation === 'delete' ? {} : { uid: `uid-${object}` }),
    ...partial,
  };
}

/** The object of the create with nonce `object`, as listed. */
export function listed(object: string, partial: Partial<ListedObject> = {}): ListedObject {
  return { name: object, uid: `uid-${object}`, object, nonce: object, ...partial };
}
