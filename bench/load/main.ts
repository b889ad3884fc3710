/** `node --single-threaded-gc dist/bench/load/main.js`: as load agents run. */
import { runLoadBench } from './load-bench.ts';

await runLoadBench((line) => process.stdout.write(`${line}\n`));
