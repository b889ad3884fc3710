/**
 * The doctor's checks, asked before a run: what would keep it from working stops it before anything starts.
 */
import { HarnessError } from '../../core/index.ts';
import { checkMachine, type Finding, type Requirements } from './checks.ts';
import { readMachine } from './machine.ts';

/**
 * Checks this machine against what a run requires; every finding, good ones included. Writes nothing.
 */
export async function preflight(
  requirements: Requirements,
  options: {
    env: Readonly<Record<string, string | undefined>>;
    resultsDirectory: string;
    signal: AbortSignal;
  },
): Promise<Finding[]> {
  return checkMachine(await readMachine({ ...options, measureDisk: false }, options.signal), requirements);
}

/** @throws HM_PREFLIGHT_FAILED naming every finding that blocks. */
export function refuseBlocked(findings: readonly Finding[]): void {
  const blocking = findings.filter(({ state }) => state === 'blocks');
  if (blocking.length === 0) return;
  throw new HarnessError(
    'HM_PREFLIGHT_FAILED',
    `this machine cannot carry it: ${blocking.map(({ found, limits }) => `${found} (limit: ${limits})`).join('; ')}`,
    { hint: blocking.map(({ raise }) => raise).join('; ') },
  );
}
