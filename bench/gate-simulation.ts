/**
 * How often the gate is wrong, by simulation: a seeded history of runs with log-normal run-to-run noise, a run that is
 * slower by a known effect (or not), and the gate's own rule on it. docs/gate.md has the tables; a test holds them, and
 * bounds on them, to this code.
 */
import { judgeMetric } from '../reports/gate/metric.ts';
import { median } from '../reports/statistics/index.ts';
import { type Random, seededRandom } from '../src/core/index.ts';

export interface GateSimulation {
  /** Coefficient of variation of a metric from run to run. */
  noiseRatio: number;
  historyCount: number;
  /** True worsening of the run under test, as a ratio. */
  effectRatio: number;
  /** Shares of simulated histories: suspect at first, and failed by the median of three. */
  suspectRatio: number;
  failRatio: number;
}

const METRIC = { id: 'simulated', label: 'simulated', unit: 'us', better: 'lower' } as const;
export const SIMULATED_NOISE: readonly number[] = [0.05, 0.1, 0.15];
export const SIMULATED_EFFECTS: readonly number[] = [0, 0.1, 0.2, 0.3, 0.5];
export const SIMULATED_HISTORIES: readonly number[] = [10, 20, 30];
export const SIMULATED_TRIALS = 3_000;
/** Headline metrics of a run, for the chance that any of them is a false alarm; taken as independent, the worst case. */
export const SIMULATED_METRICS = 10;

/** One cell of the tables, from `trials` histories. */
export function simulateGate(
  noiseRatio: number,
  historyCount: number,
  effectRatio: number,
  trials: number = SIMULATED_TRIALS,
): GateSimulation {
  const random = seededRandom(`gate/${noiseRatio}/${historyCount}/${effectRatio}`);
  const sigma = Math.sqrt(Math.log1p(noiseRatio ** 2));
  let suspectCount = 0;
  let failCount = 0;
  for (let trial = 0; trial < trials; trial++) {
    const history = Array.from({ length: historyCount }, () => draw(random, sigma, 0));
    const three = [0, 1, 2].map(() => draw(random, sigma, effectRatio));
    if (!isSuspect(three[0] ?? 0, history)) continue;
    suspectCount++;
    if (isSuspect(median(three), history)) failCount++;
  }
  return {
    noiseRatio,
    historyCount,
    effectRatio,
    suspectRatio: suspectCount / trials,
    failRatio: failCount / trials,
  };
}

/** The tables of docs/gate.md, as Markdown. */
export function gateSimulationTables(): string {
  const percent = (ratio: number) => (ratio * 100).toFixed(ratio > 0 && ratio < 0.0995 ? 1 : 0);
  const rows = SIMULATED_NOISE.flatMap((noise) =>
    SIMULATED_HISTORIES.map((count) => {
      const cells = SIMULATED_EFFECTS.map((effect) => simulateGate(noise, count, effect));
      return `| ${noise * 100} % | ${count} | ${cells.map((one) => `${percent(one.suspectRatio)} / ${percent(one.failRatio)}`).join(' | ')} |`;
    }),
  );
  const nights = SIMULATED_NOISE.map((noise) => {
    const { suspectRatio, failRatio } = simulateGate(noise, 20, 0);
    const any = (ratio: number) => percent(1 - (1 - ratio) ** SIMULATED_METRICS);
    return `| ${noise * 100} % | ${any(suspectRatio)} | ${any(failRatio)} |`;
  });
  const effects = SIMULATED_EFFECTS.map((effect) => (effect === 0 ? 'no change' : `+${effect * 100} %`));
  return [
    `| Noise | Runs | ${effects.join(' | ')} |`,
    `|---|---|${effects.map(() => '---:').join('|')}|`,
    ...rows,
    '',
    `Any of ${SIMULATED_METRICS} metrics, nothing changed, 20 runs of history, in % of nights:`,
    '',
    '| Noise | suspect: two re-runs | failed: false alarm |',
    '|---|---:|---:|',
    ...nights,
  ].join('\n');
}

function isSuspect(value: number, history: readonly number[]): boolean {
  return judgeMetric({ metric: METRIC, value, sampleCount: 1_000 }, history).state === 'suspect';
}

function draw(random: Random, sigma: number, effectRatio: number): number {
  return 100 * (1 + effectRatio) * Math.exp(sigma * random.normal());
}
