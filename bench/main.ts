/**
 * `npm run bench`: every benchmark, one after the other, each a process of its own so that none inherits the heap of
 * another. Prints ratios with their raw figures and judges nothing.
 *
 *   npm run bench -- [load] [kperf] [measure] [slope] [fleet] [settings] [hold]     only these
 *   npm run bench -- hold --nodes 4000,3000 --duration 10m               one, with options of its own
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../src/core/index.ts';
import type { AgentRole } from '../src/result/index.ts';
import { nodeArguments, raisePriority } from '../src/run/index.ts';

interface Bench {
  title: string;
  script: string;
  /** Runs with the arguments that agents of this role have. */
  role?: AgentRole;
  /** And with their priority, where permitted. */
  raised?: boolean;
}

const BENCHES: Record<string, Bench> = {
  load: {
    title: 'load: GETs a second, slip of the pacer, memory of long watches',
    script: 'load/main.js',
    role: 'load',
    raised: true,
  },
  kperf: {
    title: 'load: client CPU per GET from a real API server, beside kperf',
    script: 'load/kperf-bench.js',
    role: 'load',
  },
  measure: {
    title: 'measure: cost of recording a call, memory of pod timelines',
    script: 'measure/main.js',
  },
  slope: { title: 'fleet: memory and CPU of one more idle node', script: 'fleet/slope.js', role: 'fleet' },
  fleet: {
    title: 'fleet: full nodes beside kubemark, light nodes beside KWOK, on one control plane',
    script: 'fleet/side-by-side/main.js',
  },
  settings: {
    title: 'fleet: what fidelity, connections and identity cost',
    script: 'fleet/settings-cost.js',
  },
  hold: { title: 'fleet: 1,000 nodes held for 5 minutes under churn', script: 'fleet/hold.js' },
};

// Ctrl-C reaches the benchmark that runs too; it clears up, and this waits for it and starts no other.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});

const given = process.argv.slice(2);
const optionsFrom = given.findIndex((argument) => argument.startsWith('-'));
const wanted = optionsFrom === -1 ? given : given.slice(0, optionsFrom);
const options = optionsFrom === -1 ? [] : given.slice(optionsFrom);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(
    `no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}\n`,
  );
  process.exitCode = 2;
} else if (options.length > 0 && wanted.length !== 1) {
  process.stderr.write('options go to one benchmark: name it, and no other\n');
  process.exitCode = 2;
} else {
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (!interrupted && (wanted.length === 0 || wanted.includes(name))) await run(bench);
  }
}

async function run({ title, script, role, raised = false }: Bench): Promise<void> {
  process.stdout.write(`\n== ${title}\n`);
  const flags = role === undefined ? [] : nodeArguments(role);
  const child = spawn(
    process.execPath,
    [...flags, join(packageRoot(), 'dist', 'bench', script), ...options],
    {
      stdio: 'inherit',
    },
  );
  if (role !== undefined && raised) process.stdout.write(`priority: ${raisePriority(child.pid, role)}\n`);
  await once(child, 'exit');
}
