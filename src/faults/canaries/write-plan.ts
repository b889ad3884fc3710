/**
 * Which write a write canary does next: pure, so that the ledger's rules can be tested without a cluster.
 *
 * Four writes take turns: a create under a name of its own, an update of the object that was written longest ago, a
 * create under a name that the server makes up (which alone can be applied twice without a conflict), and a delete of
 * the oldest object once enough are there. An object whose last write is not yet answered, or ended unknown, is left
 * alone: see the ledger.
 */
import type { LedgerWrite } from '../ledger/ledger.ts';

/** A write to be sent. */
export interface PlannedWrite {
  operation: LedgerWrite['operation'];
  nonce: string;
  object: string;
  /** Empty: the server makes the name up. */
  name: string;
}

interface SettledObject {
  object: string;
  name: string;
}

/** Objects of one canary that are kept: below this nothing is deleted. */
const KEPT_COUNT = 100;

export class WritePlan {
  readonly #prefix: string;
  /** Oldest write first. */
  readonly #settled: SettledObject[] = [];
  #turn = 0;

  /** `prefix` tells the objects of one path from those of the others: a DNS label. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The next write; it takes its object out of play until `ended` gives it back. */
  next(): PlannedWrite {
    const turn = this.#turn++;
    const nonce = `${this.#prefix}-${turn}`;
    const kind = turn % 4;
    if (kind === 1 || (kind === 3 && this.#settled.length > KEPT_COUNT)) {
      const oldest = this.#settled.shift();
      if (oldest !== undefined) return { operation: kind === 1 ? 'update' : 'delete', nonce, ...oldest };
    }
    return { operation: 'create', nonce, object: nonce, name: kind === 2 ? '' : `probe-${nonce}` };
  }

  /** Takes note of how a planned write ended. */
  ended(write: Pick<LedgerWrite, 'operation' | 'object' | 'name' | 'outcome'>): void {
    const { operation, object, name, outcome } = write;
    if (outcome === 'unknown' || name === '') return;
    const isThere =
      operation === 'create' ? outcome === 'acknowledged' : operation === 'update' || outcome === 'refused';
    if (isThere) this.#settled.push({ object, name });
  }
}
