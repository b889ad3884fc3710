/** Waiting, in tests on real processes and servers. */

const INTERVAL_MS = 150;

export interface UntilOptions {
  readonly timeoutMs?: number;
  /** What else the error is to say: what there was instead. */
  readonly state?: () => unknown;
}

/** Resolves when `holds` does. @throws Error that names what was waited for */
export async function until(
  holds: () => Promise<boolean>,
  what: string,
  { timeoutMs = 90_000, state }: UntilOptions = {},
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    if (await holds()) return;
    if (performance.now() > deadlineMs) {
      const instead = state === undefined ? '' : `; ${JSON.stringify(state())}`;
      throw new Error(`waited ${timeoutMs / 1_000} s in vain for ${what}${instead}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, INTERVAL_MS);
    });
  }
}
