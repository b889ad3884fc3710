/**
 * Memory of pods' timelines in the coordinator: every instant of so many pods, all of them alive at once, which is the
 * most there can be; what is gone is written to pods.ndjson.gz and forgotten.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectGarbage } from '../../src/core/index.ts';
import { POD_INSTANTS, PodInstantBuffer, PodTimelines } from '../../src/measure/index.ts';
import { PODS_FILE, PodStream } from '../../src/result/index.ts';

export interface PodMemory {
  /** Heap and buffers that the timelines of all pods hold, after garbage collection. */
  heldBytes: number;
  /** Largest resident size of the process while it went on, over that before. */
  peakRssGrowthBytes: number;
  /** What is held once every pod is gone and written. */
  leftBytes: number;
  fileBytes: number;
}

const PER_BATCH = 1_000;
const NAMESPACE_COUNT = 50;
const NODE_COUNT = 5_000;

export async function measurePodMemory(podCount: number): Promise<PodMemory> {
  const directory = await mkdtemp(join(tmpdir(), 'hollowmark-bench-'));
  try {
    const stream = await PodStream.create(directory);
    const timelines = new PodTimelines({
      epochUs: 0,
      startupLimitMs: 5_000,
      onFinished: (record) => stream.write(record),
    });
    timelines.beginPhase('density', 0);
    const before = usage();
    let peakRssBytes = before.rssBytes;
    const feed = async (instants: readonly (typeof POD_INSTANTS)[number][], fromUs: number) => {
      const buffer = new PodInstantBuffer();
      for (let pod = 0; pod < podCount; pod++) {
        for (const [step, instant] of instants.entries()) {
          const atUs = fromUs + pod * 100 + step * 1_000;
          buffer.note(instant, `load-${pod % NAMESPACE_COUNT}`, `density-${pod}`, atUs, detailOf(pod));
        }
        if (pod % PER_BATCH !== PER_BATCH - 1) continue;
        // Over the wire, as agents send them.
        const batch = buffer.drain();
        if (batch !== undefined) timelines.add(JSON.parse(JSON.stringify(batch)));
        peakRssBytes = Math.max(peakRssBytes, process.memoryUsage().rss);
        await stream.flush();
      }
    };
    const last = ['delete-sent', 'deleted', 'terminated', 'delete-seen', 'gone'] as const;
    const first = POD_INSTANTS.filter(
      (instant) => instant !== 'create-failed' && !(last as readonly string[]).includes(instant),
    );
    await feed(first, 0);
    collectGarbage();
    const full = usage();
    await feed(last, 60_000_000);
    timelines.finish(120_000_000);
    await stream.close();
    collectGarbage();
    const left = usage();
    return {
      heldBytes: full.heldBytes - before.heldBytes,
      peakRssGrowthBytes: peakRssBytes - before.rssBytes,
      leftBytes: left.heldBytes - before.heldBytes,
      fileBytes: (await stat(join(directory, PODS_FILE))).size,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function detailOf(pod: number) {
  const uid = `0b8c4f5e-6f0d-4a52-9a55-${pod.toString(16).padStart(12, '0')}`;
  return { uid, node: `hollow-${pod % NODE_COUNT}`, phase: 'density' };
}

function usage(): { heldBytes: number; rssBytes: number } {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heldBytes: heapUsed + external, rssBytes: rss };
}
