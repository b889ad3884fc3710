/**
 * What one GET costs the client: calls through the load's own caller, recorded as in a run, as many in flight as asked
 * for at any time (closed loop: the question is cost, not latency).
 */
import { ActionTally, LoadCaller } from '../../loadgen/index.ts';
import { systemClock } from '../../src/core/index.ts';
import { type ClusterAccess, openHttp1Pool } from '../../src/kube/index.ts';
import { RunCallRecorder } from '../../src/measure/index.ts';
import { LatencyHistogram } from '../../src/result/index.ts';

export interface GetCost {
  requestsPerSecond: number;
  /** Of the whole process, user and system. */
  cpuUsPerRequest: number;
  p50Us: number;
  p99Us: number;
  failedCount: number;
  maxRssBytes: number;
}

export async function measureGetCost(
  access: ClusterAccess,
  path: string,
  options: { requestCount: number; inFlightCount: number },
): Promise<GetCost> {
  const clock = systemClock;
  await using connection = await openHttp1Pool(access, { connectionCount: options.inFlightCount, clock });
  const recorder = new RunCallRecorder();
  const series = recorder.series({
    source: 'load',
    verb: 'get',
    resource: 'pods',
    subresource: '',
    scope: 'resource',
    variant: 'cached',
    phase: 'bench',
  });
  const caller = new LoadCaller({
    clock,
    dispatcher: connection,
    maxInFlightCount: options.inFlightCount + 1,
    honourRetryAfter: false,
    requestTimeoutMs: 10_000,
  });
  const run = (count: number, tally: ActionTally) =>
    new Promise<void>((resolve) => {
      let startedCount = 0;
      let endedCount = 0;
      const next = () => {
        if (startedCount >= count) return;
        startedCount++;
        caller.offer(series, tally);
        caller.start({
          request: { method: 'GET', path, timeoutMs: 10_000, discardBody: true },
          series,
          tally,
          intendedUs: clock.nowUs(),
          onEnd: () => {
            endedCount++;
            if (endedCount === count) resolve();
            else next();
          },
        });
      };
      for (let slot = 0; slot < options.inFlightCount; slot++) next();
    });
  // Connections and compiled code before the clock starts.
  await run(Math.ceil(options.requestCount / 4), new ActionTally());
  recorder.drain();
  const tally = new ActionTally();
  const cpu = process.cpuUsage();
  const startUs = clock.nowUs();
  await run(options.requestCount, tally);
  const elapsedUs = clock.nowUs() - startUs;
  const { user, system } = process.cpuUsage(cpu);

  const service = recorder.drain()[0]?.service;
  const latency = service === undefined ? new LatencyHistogram() : LatencyHistogram.fromWire(service);
  return {
    requestsPerSecond: (options.requestCount * 1e6) / elapsedUs,
    cpuUsPerRequest: (user + system) / options.requestCount,
    p50Us: latency.percentile(0.5),
    p99Us: latency.percentile(0.99),
    failedCount: tally.failedCount,
    maxRssBytes: process.memoryUsage().rss,
  };
}
