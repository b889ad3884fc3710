/** `node dist/bench/load/main.js [--no-real-server]` */
import { runLoadBench } from './load-bench.ts';

await runLoadBench({
  write: (line) => process.stdout.write(`${line}\n`),
  realServer: !process.argv.includes('--no-real-server'),
});
