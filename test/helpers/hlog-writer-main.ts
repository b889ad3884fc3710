/** A process of its own that writes windows for ever and says so, until it is killed. */

import { LatencyHistogram } from '../../src/result/histogram.ts';
import { HlogWriter } from '../../src/result/hlog.ts';

const writer = await HlogWriter.create(process.argv[2] ?? '', { startedAtMs: 0, comment: 'killed' });
for (let index = 0; ; index++) {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < 5_000; i++) histogram.record(Math.random() * 1e6);
  const intervals = ['a/response', 'a/service'].map((tag) => ({ tag, histogram: histogram.toWire() }));
  await writer.append({ startMs: index * 10_000, endMs: (index + 1) * 10_000, intervals });
  process.stdout.write(`${index}\n`);
}
