/**
 * The load's micro-benchmarks: schedule slip at 1,000 requests a second, and client CPU per GET against a local TLS
 * sink and against a real API server, beside kperf's figure. Raw numbers and ratios, nothing asserted.
 */
import { formatBytes, formatRate, formatRatio, formatUs } from '../../src/core/index.ts';
import { type GetCost, measureGetCost } from './get-cost.ts';
import { measurePacerSlip } from './pacer-slip.ts';
import { startRealServer } from './real-server.ts';
import { startSink } from './sink.ts';

/**
 * Client CPU of kperf 16e7cf8 per cached GET of one pod of 2.5 KB, 64 in flight, against a real API server on a 2-core
 * machine: microseconds.
 */
const KPERF_CPU_US = 161;
const IN_FLIGHT_COUNT = 64;
const POD_BYTES = 2_500;

export interface LoadBenchOptions {
  write: (line: string) => void;
  /** False: only what needs no control plane. */
  realServer: boolean;
}

export async function runLoadBench({ write, realServer }: LoadBenchOptions): Promise<void> {
  const sink = await startSink(POD_BYTES);
  try {
    for (const spinLastUs of [0, 2_000]) {
      const slip = await measurePacerSlip(sink.access, {
        ratePerSecond: 1_000,
        durationMs: 10_000,
        spinLastUs,
      });
      write(
        `pacer, 1,000 req/s for 10 s, ${spinLastUs === 0 ? 'timers' : 'spinning'}: slip p50 ${formatUs(slip.p50Us)}, ` +
          `p99 ${formatUs(slip.p99Us)}, max ${formatUs(slip.maxUs)}; achieved ${formatRatio(slip.achievedRatio)} of ` +
          `${slip.offeredCount}, dropped ${slip.droppedCount}; ${formatRatio(slip.cpuRatio)} of a core`,
      );
    }
    const cost = await measureGetCost(sink.access, '/api/v1/namespaces/a/pods/b?resourceVersion=0', {
      requestCount: 60_000,
      inFlightCount: IN_FLIGHT_COUNT,
    });
    write(`GET against a TLS sink, ${IN_FLIGHT_COUNT} in flight: ${describe(cost)}`);
  } finally {
    await sink.stop();
  }
  if (!realServer) return;
  const real = await startRealServer(write);
  try {
    const cost = await measureGetCost(real.access, real.podPath, {
      requestCount: 20_000,
      inFlightCount: IN_FLIGHT_COUNT,
    });
    write(
      `GET of one pod (${formatBytes(real.podBytes)}) from kube-apiserver, ${IN_FLIGHT_COUNT} in flight: ${describe(cost)}; ` +
        `${(cost.cpuUsPerRequest / KPERF_CPU_US).toFixed(2)} x kperf's ${KPERF_CPU_US} µs`,
    );
  } finally {
    await real.stop();
  }
}

function describe(cost: GetCost): string {
  return (
    `${formatRate(cost.requestsPerSecond)}, client CPU ${cost.cpuUsPerRequest.toFixed(1)} µs a request, ` +
    `p50 ${formatUs(cost.p50Us)}, p99 ${formatUs(cost.p99Us)}, ${cost.failedCount} failed, ` +
    `RSS ${formatBytes(cost.maxRssBytes)}`
  );
}
