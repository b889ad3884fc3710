/**
 * Times as Kubernetes writes them: whole seconds in most objects, microseconds in leases and in events.k8s.io.
 */

let lastSecond = Number.NaN;
let lastText = '';

/** `2026-11-21T08:38:20Z`, of wall time in milliseconds; rounded down, as metav1.Time is. */
export function rfc3339Seconds(wallMs: number): string {
  const second = Math.floor(wallMs / 1_000);
  // Most of a burst falls into one second.
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = `${new Date(second * 1_000).toISOString().slice(0, 19)}Z`;
  }
  return lastText;
}

/** `2026-11-21T08:38:10.763291Z`, as metav1.MicroTime is. Wall time in milliseconds, fraction kept. */
export function rfc3339Micros(wallMs: number): string {
  const micros = Math.floor((wallMs % 1_000) * 1_000);
  return `${rfc3339Seconds(wallMs).slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
}
