/**
 * Names of events as client-go's recorders make them: the object's name and the time in nanoseconds, in hexadecimal.
 * Thousands of recorders share this process and clocks give milliseconds, so that the time moves on by at least one
 * nanosecond with each name: no two are the same.
 */

const HEX_DIGITS = 16;
const NANOS_PER_MS = 1_000_000n;

let lastNanos = 0n;

/** `web-7rn8n.18ea02a30dd94553` for `web-7rn8n`. */
export function eventName(objectName: string, wallMs: number): string {
  const nanos = BigInt(Math.floor(wallMs)) * NANOS_PER_MS;
  lastNanos = nanos > lastNanos ? nanos : lastNanos + 1n;
  return `${objectName}.${lastNanos.toString(HEX_DIGITS)}`;
}
