/** How late the generator sends, at a constant rate of reads against the sink: the whole path, not the pacer alone. */
import { LoadGenerator } from '../../loadgen/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import type { ClusterAccess } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { benchShard } from './bench-shard.ts';

export interface PacerSlip {
  offeredCount: number;
  achievedRatio: number;
  droppedCount: number;
  p50Us: number;
  p99Us: number;
  maxUs: number;
  /** Of one core. */
  cpuRatio: number;
}

export async function measurePacerSlip(
  access: ClusterAccess,
  options: { ratePerSecond: number; durationMs: number; spinLastUs: number },
): Promise<PacerSlip> {
  const signal = new AbortController().signal;
  const generator = new LoadGenerator(benchShard(access), {
    clock: systemClock,
    log: silentLogger(),
    recorder: new RunCallRecorder(),
    podInstants: new PodInstantBuffer(),
    spinLastUs: options.spinLastUs,
  });
  await generator.start(signal);
  const phase = (durationMs: number) => ({
    name: 'bench',
    measured: true,
    durationMs: 0,
    settleTimeoutMs: 5_000,
    actions: [
      {
        action: 'reads' as const,
        name: 'reads',
        ratePerSecond: options.ratePerSecond,
        arrival: 'constant' as const,
        durationMs,
        mix: [
          {
            verb: 'list' as const,
            resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
            scope: 'namespace' as const,
            consistency: 'cached' as const,
            limit: 0,
            labelSelector: '',
            fieldSelector: '',
            weight: 1,
          },
        ],
      },
    ],
  });
  try {
    await generator.runPhase(phase(2_000), systemClock.nowUs() + 20_000, signal);
    const cpu = process.cpuUsage();
    const startUs = systemClock.nowUs();
    const outcome = await generator.runPhase(phase(options.durationMs), startUs + 20_000, signal);
    const { user, system } = process.cpuUsage(cpu);
    const action = outcome.actions[0];
    if (action === undefined) throw new Error('the phase has no action');
    return {
      offeredCount: action.offeredCount,
      achievedRatio: action.doneCount / action.offeredCount,
      droppedCount: action.droppedCount,
      p50Us: action.slip.p50Us,
      p99Us: action.slip.p99Us,
      maxUs: action.slip.maxUs,
      cpuRatio: (user + system) / (systemClock.nowUs() - startUs),
    };
  } finally {
    await generator.stop();
  }
}
