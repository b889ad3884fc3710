/** What the faults that restart members in order have in common. */
import { delay } from '../../core/index.ts';
import type { Expectation } from '../observation/judge.ts';
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { FaultWorld } from './fault.ts';

/** The load balancer takes a server back after two good checks. */
const PAUSE_MS = 3_000;

/** Bounds where a member ends in order and comes back while others serve. */
export function restartExpectations(leastAvailability: number, refused: string): Expectation[] {
  return [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'a refused connection is redispatched at once; 1 s, slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'writeAvailability',
      atLeast: leastAvailability,
      because: `requests in flight are served to their end; ${refused}`,
    },
  ];
}

/** Restarts members one after the other, with another version if one is given; each has been ready for 3 s before the next. */
export async function restartInTurn(
  { levers, clock }: Pick<FaultWorld, 'levers' | 'clock'>,
  names: readonly string[],
  change: { version?: string },
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    await levers.restart(name, change, signal);
    await delay(PAUSE_MS, { signal, clock });
  }
}
