/**
 * `npm run bench`: every benchmark, one after the other, each a process of its own so that none inherits the heap of
 * another. Prints ratios with their raw figures and judges nothing.
 *
 *   npm run bench -- [load] [kperf] [measure] [slope] [hold]     only these
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../src/core/index.ts';
import { nodeArguments } from '../src/run/index.ts';

const BENCHES: Record<string, { title: string; script: string; nodeArguments?: readonly string[] }> = {
  load: { title: 'load: slip of the pacer, client CPU per GET', script: 'load/main.js' },
  slope: {
    title: 'fleet: memory and CPU of one more idle node',
    script: 'fleet/slope.js',
    nodeArguments: nodeArguments('fleet'),
  },
  hold: { title: 'fleet: 1,000 nodes held for 5 minutes under churn', script: 'fleet/hold.js' },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(
    `no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}\n`,
  );
  process.exitCode = 2;
} else {
  for (const [name, { title, script, nodeArguments: flags = [] }] of Object.entries(BENCHES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stdout.write(`\n== ${title}\n`);
    spawnSync(process.execPath, [...flags, join(packageRoot(), 'dist', 'bench', script)], {
      stdio: 'inherit',
    });
  }
}
