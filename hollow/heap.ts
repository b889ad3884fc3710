/**
 * Gives back the garbage of a ramp. Registering a node makes a hundred kilobytes of it, V8 sees no need to collect
 * once the fleet idles, and it would count as resident memory of the nodes for the rest of the run.
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
