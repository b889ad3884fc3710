/** What recording one call costs the thread that paces: two latency histograms, slip, and the counters. */
import { seededRandom, systemClock } from '../../src/core/index.ts';
import { RunCallRecorder } from '../../src/measure/index.ts';

const VALUE_COUNT = 65_536;
const ROUND_COUNT = 7;

/** Microseconds a call, median of several rounds of a million. */
export function measureRecordCost(): number {
  const random = seededRandom('record-cost');
  // Milliseconds to seconds, log-normal: a spread that touches buckets as a run does.
  const values = Float64Array.from({ length: VALUE_COUNT }, () => 5_000 * Math.exp(random.normal()));
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
  const rounds = Array.from({ length: ROUND_COUNT }, () => {
    const callCount = 1_000_000;
    const startUs = systemClock.nowUs();
    for (let i = 0; i < callCount; i++) {
      const serviceUs = values[i % VALUE_COUNT] ?? 0;
      series.offer();
      series.record(i, i + 300, i + 300 + serviceUs, 'ok', 2_500, 0);
    }
    const costUs = (systemClock.nowUs() - startUs) / callCount;
    recorder.drain();
    return costUs;
  });
  return rounds.sort((a, b) => a - b)[Math.floor(ROUND_COUNT / 2)] ?? Number.NaN;
}
