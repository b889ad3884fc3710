/** What reports say of a fault, in words and cells; the same in all of them. */
import { formatMs } from '../../src/core/index.ts';
import type { FaultCard, FaultObservation } from '../../src/result/index.ts';

/** `as expected`, `NOT as expected`, `fell short, as expected here`, `no data`. */
export function faultWord({ verdict, expectedVerdict }: FaultCard): string {
  if (verdict.state === 'no-data') return 'no data';
  if (verdict.state === expectedVerdict)
    return expectedVerdict === 'met' ? 'as expected' : 'fell short, as expected here';
  return expectedVerdict === 'met' ? 'NOT as expected' : 'held, though it was expected to fall short';
}

/** Noticed, write gap, read gap, recovered, good writes, good reads. */
export function recoveryCells({ seen }: FaultCard): string[] {
  if (seen === undefined) return ['–', '–', '–', '–', '–', '–'];
  return [
    seen.noticed === undefined ? '–' : formatMs(seen.noticed.afterMs),
    formatMs(seen.writeGapMs),
    formatMs(seen.readGapMs),
    recoveredText(seen),
    formatShare(seen.writeAvailabilityRatio),
    formatShare(seen.readAvailabilityRatio),
  ];
}

function recoveredText({ recoveredMs }: FaultObservation): string {
  if (recoveredMs === undefined) return 'not in its window';
  return recoveredMs === 0 ? 'never away' : formatMs(recoveredMs);
}

/** `99.42 %`; a dash for nothing. */
export function formatShare(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${(ratio * 100).toFixed(2)} %`;
}

/** What failed through the load balancer, by kind and by when it was sent. */
export function describeErrors(seen: FaultObservation): string {
  const unknown =
    seen.unknownWriteCount === 0
      ? ''
      : ` ${seen.unknownWriteCount} writes of unknown outcome, ${seen.unknownAppliedCount} of them applied.`;
  if (seen.errors.length === 0) return `No call through the load balancer failed.${unknown}`;
  const kinds = seen.errors.map(
    ({ kind, error, count, firstSentMs, lastSentMs }) =>
      `${count} ${kind}s ${error} (sent ${formatMs(firstSentMs)} to ${formatMs(lastSentMs)} after the fault)`,
  );
  return `Failed: ${kinds.join(', ')}.${unknown}`;
}

/** What leaders did that were paused and woke; empty where there were none. */
export function describeWoken({ wokenLeaders = [] }: FaultObservation): string {
  return wokenLeaders
    .map(({ name, ledForMs, changeCount, endedAfterMs, ended }) => {
      const led =
        changeCount === undefined
          ? 'could not be asked before it ended'
          : `said for ${formatMs(ledForMs)} that it leads and asked for ${changeCount} changes`;
      const end =
        endedAfterMs === undefined
          ? 'and went on as a candidate'
          : `and ended after ${formatMs(endedAfterMs)} (${ended})`;
      return `${name} woke, ${led}, ${end}.`;
    })
    .join(' ');
}

/** What the fault itself counted; empty where it counted nothing. */
export function describeFindings({ findings = [] }: FaultObservation): string {
  if (findings.length === 0) return '';
  return `Counted: ${findings.map(({ value, text }) => `${value} ${text}`).join(', ')}.`;
}

/** What the system noticed, the first five. */
export function topNotices(seen: FaultObservation): string {
  if (seen.notices.length === 0) return 'The system itself noticed nothing.';
  const told = seen.notices.slice(0, 5).map(({ afterMs, by }) => `${by} after ${formatMs(afterMs)}`);
  const more = seen.notices.length - told.length;
  return `Noticed: ${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}
