/** The probes as all reports show them: rows over the measured phases and beside them the others, each phase its own. */
import { formatRatio, formatUs } from '../../src/core/index.ts';
import {
  type Distribution,
  formatCount,
  type PathAvailability,
  type PhaseProbes,
  type ReadBack,
  type RunResult,
} from '../../src/result/index.ts';

export interface AvailabilityRow extends PathAvailability {
  phase: string;
  /** good / (good + bad); absent where no probe ended. */
  availableRatio?: number;
  /** Response times of the path's probes. */
  response: Distribution | undefined;
}

/** One reach of the writes of one phase: the first watcher, the last, or from one to the other. */
export interface PropagationRow {
  phase: string;
  reach: 'first watcher' | 'last watcher' | 'first to last';
  distribution: Distribution;
}

/** Phases with probes, in the run's order. */
export function probedPhases(result: RunResult): PhaseProbes[] {
  return result.probes ?? [];
}

export function availabilityRows(result: RunResult): AvailabilityRow[] {
  return probedPhases(result).flatMap(({ phase, availability }) =>
    availability.map((path): AvailabilityRow => {
      const ended = path.goodCount + path.badCount;
      const resource = path.endpoint.replace(/^\//, '').replace(/\?.*$/, '');
      return {
        phase,
        ...path,
        ...(ended === 0 ? {} : { availableRatio: path.goodCount / ended }),
        response: result.series.find(
          ({ key }) =>
            key.source === 'probe' &&
            key.phase === phase &&
            key.resource === resource &&
            key.variant === path.path,
        )?.response,
      };
    }),
  );
}

export function propagationRows(result: RunResult): PropagationRow[] {
  return probedPhases(result).flatMap(({ phase, propagation }): PropagationRow[] =>
    propagation === undefined
      ? []
      : [
          { phase, reach: 'first watcher', distribution: propagation.first },
          { phase, reach: 'last watcher', distribution: propagation.last },
          { phase, reach: 'first to last', distribution: propagation.spread },
        ],
  );
}

export function readBackRows(result: RunResult): (ReadBack & { phase: string })[] {
  return probedPhases(result).flatMap(({ phase, readYourWrite }) =>
    readYourWrite.map((read) => ({ phase, ...read })),
  );
}

/** `99.87 %`, never rounded up to a whole; a dash without probes. */
export function formatAvailability(ratio: number | undefined): string {
  if (ratio === undefined) return '–';
  if (ratio === 1) return '100 %';
  return `${(Math.floor(ratio * 1e5) / 1e3).toFixed(3)} %`;
}

/** `none`, or `2, longest 1.40 s`. */
export function formatOutages({ outageCount, longestOutageUs }: PathAvailability): string {
  return outageCount === 0 ? 'none' : `${formatCount(outageCount)}, longest ${formatUs(longestOutageUs)}`;
}

/** `120 writes to 10 watchers, all complete`. */
export function propagationText({ propagation }: PhaseProbes): string {
  if (propagation === undefined) return '';
  const { writeCount, watcherCount, failedCount, incompleteCount, reconnectCount } = propagation;
  const flaws = [
    ...(failedCount > 0 ? [`${formatCount(failedCount)} failed`] : []),
    ...(incompleteCount > 0 ? [`${formatCount(incompleteCount)} missed by some watcher`] : []),
    ...(reconnectCount > 0
      ? [`watches broke ${reconnectCount === 1 ? 'once' : `${formatCount(reconnectCount)} times`}`]
      : []),
  ];
  const end = flaws.length === 0 ? 'every watcher saw each' : flaws.join(', ');
  return `${formatCount(writeCount)} writes to ${formatCount(watcherCount)} watchers: ${end}`;
}

/** `240 reads, none stale`, of the reads of one phase. */
export function readBackText({ readYourWrite }: PhaseProbes): string {
  if (readYourWrite.length === 0) return '';
  const sum = (pick: (read: ReadBack) => number) =>
    readYourWrite.reduce((total, read) => total + pick(read), 0);
  const [reads, stale, failed] = [
    sum((read) => read.readCount),
    sum((read) => read.staleCount),
    sum((read) => read.failedCount),
  ];
  const share = stale === 0 ? 'none stale' : `${formatCount(stale)} stale (${formatRatio(stale / reads)})`;
  return `${formatCount(reads)} reads of what was just written: ${share}${failed === 0 ? '' : `, ${formatCount(failed)} failed`}`;
}
