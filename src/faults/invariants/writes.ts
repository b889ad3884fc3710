/**
 * Nothing acknowledged is lost, nothing is applied twice, nothing deleted comes back: the ledger held against what the
 * cluster lists. Works on the listings of several API servers, which must all agree with the ledger.
 */
import type { InvariantCheck } from '../../result/index.ts';
import type { LedgerObject, WriteLedger } from '../ledger/ledger.ts';
import { invariantCheck } from './check.ts';

/** One probe object as an API server lists it. */
export interface ListedObject {
  name: string;
  uid: string;
  /** Label with the nonce of the create that made it. */
  object: string;
  /** Its content now. */
  nonce: string;
}

/** What one API server answered to a consistent LIST. */
export interface Listing {
  /** Name of the API server, or `load balancer`. */
  through: string;
  objects: readonly ListedObject[];
}

/** The three invariants about writes, over every listing. */
export function checkWrites(
  ledger: WriteLedger,
  listings: readonly Listing[],
  options: {
    /** Objects written later than this are left for the next check: their writes may have crossed the listing. */
    quietSinceUs?: number;
  } = {},
): InvariantCheck[] {
  const quietSinceUs = options.quietSinceUs ?? Number.POSITIVE_INFINITY;
  const known = [...ledger.objects.values()].filter(
    ({ endedUs, excused }) => endedUs < quietSinceUs && !excused,
  );
  const lost: string[] = [];
  const twice: string[] = [];
  const back: string[] = [];
  for (const { through, objects } of listings) {
    const found = byObject(objects);
    for (const [create, entries] of found) {
      if (entries.length > 1)
        twice.push(`one create made ${entries.map(({ name }) => name).join(' and ')} (through ${through})`);
      else if (!ledger.objects.has(create) && quietSinceUs === Number.POSITIVE_INFINITY)
        twice.push(`${entries[0]?.name} was never asked for (through ${through})`);
    }
    for (const one of known) {
      const entry = found.get(one.object)?.[0];
      if (one.deleted) {
        if (entry !== undefined)
          back.push(
            entry.uid === one.uid
              ? `${entry.name} is there after its deletion was acknowledged (through ${through})`
              : `${entry.name} was made again after its deletion was acknowledged (through ${through})`,
          );
        continue;
      }
      const wrong = wrongState(one, entry);
      if (wrong !== undefined) lost.push(`${wrong} (through ${through})`);
      else if (entry !== undefined && one.uid !== undefined && entry.uid !== one.uid)
        twice.push(`${entry.name} has uid ${entry.uid}, acknowledged was ${one.uid} (through ${through})`);
    }
  }
  const sure = known.filter(({ right }) => right.some((state) => state.present)).length;
  const deleted = known.filter(({ deleted: isDeleted }) => isDeleted).length;
  const times = listings.length;
  return [
    invariantCheck('acknowledged-writes', sure * times, lost, 'objects looked up'),
    invariantCheck('no-duplicate', known.length * times, twice, 'creates looked up'),
    invariantCheck('no-lost-deletion', deleted * times, back, 'deletions looked up'),
  ];
}

/** Of the writes with an open outcome, how many turn out to have been applied, by one listing. */
export function resolveUnknown(
  ledger: WriteLedger,
  listing: Listing,
  window: { fromUs: number; untilUs: number } = { fromUs: 0, untilUs: Number.POSITIVE_INFINITY },
): { unknownCount: number; appliedCount: number } {
  const found = byObject(listing.objects);
  let unknownCount = 0;
  let appliedCount = 0;
  for (const known of ledger.objects.values()) {
    if (known.open === undefined || known.open.sentUs < window.fromUs || known.open.sentUs >= window.untilUs)
      continue;
    unknownCount++;
    const entry = found.get(known.object)?.[0];
    const applied =
      known.open.operation === 'delete' ? entry === undefined : entry?.nonce === known.open.nonce;
    if (applied) appliedCount++;
  }
  return { unknownCount, appliedCount };
}

function wrongState(known: LedgerObject, entry: ListedObject | undefined): string | undefined {
  const isRight = known.right.some((state) =>
    state.present ? entry?.nonce === state.nonce : entry === undefined,
  );
  if (isRight) return undefined;
  const name = known.name === '' ? known.object : known.name;
  const wanted = known.right
    .map((state) => (state.present ? `content ${state.nonce}` : 'nothing'))
    .join(' or ');
  return entry === undefined
    ? `${name} is gone, acknowledged was ${wanted}`
    : `${name} has content ${entry.nonce}, acknowledged was ${wanted}`;
}

function byObject(objects: readonly ListedObject[]): Map<string, ListedObject[]> {
  const found = new Map<string, ListedObject[]>();
  for (const entry of objects) {
    const same = found.get(entry.object);
    if (same === undefined) found.set(entry.object, [entry]);
    else same.push(entry);
  }
  return found;
}
