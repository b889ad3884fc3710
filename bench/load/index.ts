export { type LoadBenchOptions, runLoadBench } from './load-bench.ts';
