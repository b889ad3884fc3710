/**
 * What settings of a fleet cost: fidelity, connections and identity, one after the other, each on a fresh control plane
 * so that none finds what another left in the memory of the API server. Prints time to Ready, and the cost of one more
 * idle node to fleet and API server, beside those of the default.
 *
 *   node dist/bench/fleet/settings-cost.js [--nodes 100,300] [--settle 5] [--rest 15]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FleetSettings } from '../../src/config/index.ts';
import { systemClock } from '../../src/core/index.ts';
import { startBenchPlane } from './bench-plane.ts';
import { Administrator } from './side-by-side/administrator.ts';
import { FULL_SETTINGS, hollowmarkContender, LIGHT_SETTINGS } from './side-by-side/hollowmark.ts';
import { Programs } from './side-by-side/programs.ts';
import { playTurn, type TurnFigures } from './side-by-side/turn.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100,300' },
    settle: { type: 'string', default: '5' },
    rest: { type: 'string', default: '15' },
  },
});
const VARIANTS: { name: string; title: string; settings: Partial<FleetSettings> }[] = [
  { name: 'full', title: 'full, per-node, impersonation (default)', settings: FULL_SETTINGS },
  {
    name: 'shared',
    title: 'full, shared, impersonation',
    settings: { ...FULL_SETTINGS, connections: 'shared' },
  },
  {
    name: 'certificate',
    title: 'full, per-node, certificate',
    settings: { ...FULL_SETTINGS, identity: 'certificate' },
  },
  { name: 'light', title: 'light, shared', settings: LIGHT_SETTINGS },
];

const [small = 100, large = 300] = values.nodes.split(',').map(Number);
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
const { signal } = interrupt;
const print = (line: string) => process.stdout.write(`${line}\n`);

print(
  `one more idle node between ${small} and ${large}: fleet RSS, PSS, CPU; API server RSS, CPU; ${large} Ready after`,
);
for (const variant of VARIANTS) print(`  ${variant.title.padEnd(40)} ${costs(await measure(variant))}`);

async function measure(variant: (typeof VARIANTS)[number]): Promise<TurnFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'hollowmark-settings-'));
  const programs = new Programs(join(directory, 'logs'));
  try {
    await using plane = await startBenchPlane(join(directory, 'plane'), 'fast', signal);
    const administrator = await Administrator.open(plane.admin, systemClock, signal);
    try {
      const arena = { plane, administrator, programs, directory };
      const plan = {
        nodeCount: small,
        grownNodeCount: large,
        podCount: 0,
        settleSeconds: Number(values.settle),
        restSeconds: Number(values.rest),
        // The control plane goes with its nodes.
        leaveNodes: true,
      };
      const contender = hollowmarkContender(variant, arena);
      return await playTurn(contender, variant.name, plan, { arena, clock: systemClock, signal });
    } finally {
      await administrator.close();
    }
  } finally {
    await programs.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function costs({ ready, rest, grown }: TurnFigures): string {
  if (grown === undefined) return 'not grown';
  const more = grown.rest.nodeCount - rest.nodeCount;
  const each = (of: (figures: typeof rest) => number, digits: number) =>
    ((of(grown.rest) - of(rest)) / more).toFixed(digits);
  const msPerS = (seconds: number, over: number) => (seconds / over) * 1_000;
  return [
    `${each(({ fleetRssMb }) => fleetRssMb, 3)} MB`,
    `${each(({ fleetPssMb }) => fleetPssMb, 3)} MB`,
    `${each((one) => msPerS(one.fleetCpuS, one.seconds), 3)} ms/s;`,
    `${each(({ apiserverRssMb }) => apiserverRssMb, 2)} MB`,
    `${each((one) => msPerS(one.apiserverCpuS, one.seconds), 3)} ms/s;`,
    `${(ready.seconds + grown.ready.seconds).toFixed(1)} s (API server CPU ${(((ready.apiserverCpuS + grown.ready.apiserverCpuS) / grown.rest.nodeCount) * 1_000).toFixed(0)} ms a node)`,
  ].join(' ');
}
