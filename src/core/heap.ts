/**
 * Gives back garbage at a moment of one's own choosing: after starting or after a ramp, when V8 sees no need to and the
 * pause would otherwise fall into what is measured, or count as resident memory for the rest of a run.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects everything now: about a millisecond per megabyte in use, so call it between phases only. */
export function collectGarbage(): void {
  // The flag makes `gc` a global of contexts that are made afterwards; there is no other way from inside a process.
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof gc === 'function') gc();
}
