/**
 * The ledger of probe writes: for every object what the API acknowledged, and so which states of it are right.
 *
 * An object takes one write at a time, and none any more once one of its writes ended unknown, so its history is a line:
 *
 *   last write        right states afterwards
 *   acknowledged      what it wrote; after a delete: absent
 *   refused           as before it
 *   unknown           as before it, or what it would have written
 */
import type { WriteOutcome } from './outcome.ts';

/** One write of a canary, as it ended. Plain data: it travels from the prober to the run. */
export interface LedgerWrite {
  operation: 'create' | 'update' | 'delete';
  /** Unique in the run; content of the object after a create or an update. */
  nonce: string;
  /** Nonce of the object's create: the object carries it for life, whatever it is called. */
  object: string;
  /** Empty while unknown: a create whose name the server was to make up and that was not answered. */
  name: string;
  outcome: WriteOutcome;
  /** As answered; acknowledged creates and updates. */
  uid?: string;
  resourceVersion?: string;
  /** When the call was sent (or due, if it never was) and when it ended. */
  sentUs: number;
  endedUs: number;
}

/** A state of an object: its content, or that there is none. */
export type ObjectState = { present: true; nonce: string } | { present: false };

/** What the ledger knows of one object. */
export interface LedgerObject {
  /** Nonce of its create. */
  object: string;
  name: string;
  uid: string | undefined;
  /** At least one; two after a write of unknown outcome. */
  right: readonly ObjectState[];
  /** The write whose outcome is open. */
  open: LedgerWrite | undefined;
  /** True once its deletion was acknowledged. */
  deleted: boolean;
  /** Its last write ended then; a listing taken before that says nothing about it. */
  endedUs: number;
  /** The cluster's state was rewound past one of its writes: nothing can be asked of it any more. */
  excused: boolean;
}

const ABSENT: ObjectState = { present: false };

export class WriteLedger {
  readonly #objects = new Map<string, LedgerObject>();
  readonly #writes: LedgerWrite[] = [];
  readonly #rewound: { fromUs: number; untilUs: number }[] = [];

  /** Writes in the order in which they ended. */
  get writes(): readonly LedgerWrite[] {
    return this.#writes;
  }

  /** Every object that a write was about, by the nonce of its create. */
  get objects(): ReadonlyMap<string, LedgerObject> {
    return this.#objects;
  }

  /** Notes one write that ended. */
  add(write: LedgerWrite): void {
    this.#writes.push(write);
    const known = this.#objects.get(write.object);
    const before = known?.right ?? [ABSENT];
    const after: ObjectState = write.operation === 'delete' ? ABSENT : { present: true, nonce: write.nonce };
    const right =
      write.outcome === 'acknowledged' ? [after] : write.outcome === 'refused' ? before : [...before, after];
    this.#objects.set(write.object, {
      object: write.object,
      name: write.name === '' ? (known?.name ?? '') : write.name,
      uid: write.operation === 'create' ? write.uid : known?.uid,
      right,
      open: write.outcome === 'unknown' ? write : undefined,
      deleted: known?.deleted === true || (write.operation === 'delete' && write.outcome === 'acknowledged'),
      endedUs: write.endedUs,
      // The prober's report may come after the restore was told of.
      excused: known?.excused === true || this.#rewound.some((span) => isWithin(write, span)),
    });
  }

  /** Excuses every object with a write that was under way or acknowledged between the two instants: a restore undid it. */
  rewind(fromUs: number, untilUs: number): void {
    const span = { fromUs, untilUs };
    this.#rewound.push(span);
    for (const write of this.#writes) {
      const known = this.#objects.get(write.object);
      if (known !== undefined && isWithin(write, span)) known.excused = true;
    }
  }

  /** Writes that were sent in [fromUs, untilUs), by outcome. */
  counts(fromUs: number, untilUs: number): Record<WriteOutcome, number> {
    const counts: Record<WriteOutcome, number> = { acknowledged: 0, refused: 0, unknown: 0 };
    for (const write of this.#writes) {
      if (write.sentUs >= fromUs && write.sentUs < untilUs) counts[write.outcome]++;
    }
    return counts;
  }
}

function isWithin(write: LedgerWrite, { fromUs, untilUs }: { fromUs: number; untilUs: number }): boolean {
  return write.endedUs >= fromUs && write.sentUs <= untilUs;
}
