/**
 * The generator against local sinks: GETs a second, schedule slip at a rate, memory of long watches. Each figure
 * beside its goal; nothing is asserted. Run it on a machine that does nothing else, with the process on its own core.
 */
import { formatBytes, formatMs, formatRate, formatRatio, formatUs } from '../../src/core/index.ts';
import { goalLine } from '../goal.ts';
import { type GetCost, measureGetCost } from './get-cost.ts';
import { measurePacerSlip } from './pacer-slip.ts';
import { startSink, startWatchSink } from './sink.ts';
import { measureWatchMemory } from './watch-memory.ts';

export const IN_FLIGHT_COUNT = 64;
export const POD_BYTES = 2_500;
const GOAL_GETS_PER_SECOND = 10_000;
const SLIP_RATE_PER_SECOND = 2_000;
const GOAL_SLIP_P99_US = 5_000;
const WATCH_COUNT = 5_000;
const GOAL_BYTES_PER_WATCH = 30_000;

export async function runLoadBench(write: (line: string) => void): Promise<void> {
  await getsAndSlip(write);
  const sink = await startWatchSink();
  try {
    const watches = await measureWatchMemory(sink.access, WATCH_COUNT);
    write(
      goalLine(
        `memory of each of ${WATCH_COUNT} long watches`,
        watches.rssBytesPerWatch,
        { kind: 'at-most', value: GOAL_BYTES_PER_WATCH },
        formatBytes,
      ),
    );
    write(`  ${watches.syncedCount} in step after ${formatMs(watches.openMs)}`);
  } finally {
    await sink.stop();
  }
}

async function getsAndSlip(write: (line: string) => void): Promise<void> {
  const sink = await startSink(POD_BYTES);
  try {
    const cost = await measureGetCost(sink.access, '/api/v1/namespaces/a/pods/b?resourceVersion=0', {
      requestCount: 80_000,
      inFlightCount: IN_FLIGHT_COUNT,
    });
    write(
      goalLine(
        `GETs against a TLS sink, ${IN_FLIGHT_COUNT} in flight`,
        cost.requestsPerSecond,
        { kind: 'at-least', value: GOAL_GETS_PER_SECOND },
        formatRate,
      ),
    );
    write(`  ${describeCost(cost)}`);
    // Timers, as runs use: spinning would hold a core, which the kernel takes from real-time classes for 50 ms a second.
    const slip = await measurePacerSlip(sink.access, {
      ratePerSecond: SLIP_RATE_PER_SECOND,
      durationMs: 8_000,
      spinLastUs: 0,
    });
    write(
      goalLine(
        `slip p99 at ${formatRate(SLIP_RATE_PER_SECOND)}`,
        slip.p99Us,
        { kind: 'at-most', value: GOAL_SLIP_P99_US },
        formatUs,
      ),
    );
    write(
      `  p50 ${formatUs(slip.p50Us)}, max ${formatUs(slip.maxUs)}; achieved ${formatRatio(slip.achievedRatio)} of ` +
        `${slip.offeredCount}, dropped ${slip.droppedCount}; ${formatRatio(slip.cpuRatio)} of a core`,
    );
  } finally {
    await sink.stop();
  }
}

/** One line on what a GET cost. */
export function describeCost(cost: GetCost): string {
  return (
    `${formatRate(cost.requestsPerSecond)}, client CPU ${cost.cpuUsPerRequest.toFixed(1)} µs a request, ` +
    `p50 ${formatUs(cost.p50Us)}, p99 ${formatUs(cost.p99Us)}, ${cost.failedCount} failed, ` +
    `RSS ${formatBytes(cost.maxRssBytes)}`
  );
}
