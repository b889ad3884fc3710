/**
 * `node --single-threaded-gc dist/bench/load/kperf-bench.js`: client CPU of a cached GET from a real API server, ours
 * and kperf's in turns on one control plane.
 */
import { formatBytes } from '../../src/core/index.ts';
import { goalLine } from '../goal.ts';
import { measureGetCost } from './get-cost.ts';
import { kperfProgram, measureKperf } from './kperf.ts';
import { describeCost, IN_FLIGHT_COUNT } from './load-bench.ts';
import { startRealServer } from './real-server.ts';

/** Of kperf's CPU. */
const GOAL_RATIO = 0.5;
const ROUND_COUNT = 3;
const REQUEST_COUNT = 15_000;

const write = (line: string) => process.stdout.write(`${line}\n`);
const program = kperfProgram();
const real = await startRealServer(write);
try {
  write(`GET of one pod (${formatBytes(real.podBytes)}) from kube-apiserver, ${IN_FLIGHT_COUNT} in flight`);
  const ours: number[] = [];
  const theirs: number[] = [];
  const target = { requestCount: REQUEST_COUNT, inFlightCount: IN_FLIGHT_COUNT };
  for (let round = 1; round <= ROUND_COUNT; round++) {
    const cost = await measureGetCost(real.access, real.podPath, target);
    ours.push(cost.cpuUsPerRequest);
    write(`  round ${round}, ours:  ${describeCost(cost)}`);
    if (program === undefined) continue;
    const { kubeconfigPath, namespace, podName } = real;
    const kperfUs = await measureKperf(program, { kubeconfigPath, namespace, podName, ...target });
    theirs.push(kperfUs);
    write(`  round ${round}, kperf: client CPU ${kperfUs.toFixed(1)} µs a request`);
  }
  if (program === undefined) write('  kperf is not there: bench/load/kperf.ts says how to build it');
  else {
    const ratio = median(ours) / median(theirs);
    const goal = { kind: 'at-most' as const, value: GOAL_RATIO };
    write(goalLine("client CPU per GET, of kperf's (medians)", ratio, goal, (value) => value.toFixed(2)));
  }
} finally {
  await real.stop();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
