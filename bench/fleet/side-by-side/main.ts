/**
 * Hollow nodes beside their peers, in one run on one control plane, in turn: full nodes and upstream's kubemark, light
 * nodes and KWOK. Time until nodes are Ready, pods Running and gone again; CPU and memory of fleet and API server.
 *
 *   node dist/bench/fleet/side-by-side/main.js [--pairs full,light] [--repeats 3] [--kubemark-nodes 12]
 *     [--full-nodes 100,400] [--light-nodes 1000,5000] [--pods 3000] [--profile fast]
 *
 * Pods are bound when they are made, without a scheduler. kubemark is 140 MB and two processes a node: as many nodes as
 * fit, 25 pods each, and the same number of pods for the full nodes beside it. The second size of the light pair, far
 * larger than the first, is reached in the last repeat only.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PortReservation, resolveBinaries } from '../../../src/controlplane/index.ts';
import { describeError, systemClock } from '../../../src/core/index.ts';
import { startBenchPlane } from '../bench-plane.ts';
import { Administrator } from './administrator.ts';
import type { Arena, Contender } from './contender.ts';
import { FULL_SETTINGS, hollowmarkContender, LIGHT_SETTINGS } from './hollowmark.ts';
import { kubemarkContender } from './kubemark.ts';
import { kwokContender } from './kwok.ts';
import { Programs } from './programs.ts';
import { reportFull, reportLight } from './report.ts';
import { playTurn, type TurnFigures, type TurnPlan } from './turn.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: 'full,light' },
    repeats: { type: 'string', default: '3' },
    'kubemark-nodes': { type: 'string', default: '12' },
    'full-nodes': { type: 'string', default: '100,400' },
    'light-nodes': { type: 'string', default: '1000,5000' },
    pods: { type: 'string', default: '3000' },
    settle: { type: 'string', default: '5' },
    rest: { type: 'string', default: '15' },
    profile: { type: 'string', default: 'fast' },
  },
});
interface Entry {
  contender: Contender;
  planOf: (repeat: number) => TurnPlan;
}

const PODS_PER_KUBEMARK_NODE = 25;
const repeatCount = Number(values.repeats);
const pairs = values.pairs.split(',');
const print = (line: string) => process.stdout.write(`${line}\n`);

const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
process.once('SIGTERM', () => interrupt.abort(new Error('terminated')));
const { signal } = interrupt;

const directory = mkdtempSync(join(tmpdir(), 'hollowmark-side-by-side-'));
const ports = new PortReservation();
const programs = new Programs(join(directory, 'logs'));
try {
  await compare();
} finally {
  await programs.stop();
  ports[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const profile = values.profile === 'production-like' ? 'production-like' : 'fast';
  const plane = await startBenchPlane(join(directory, 'plane'), profile, signal);
  let administrator: Administrator | undefined;
  try {
    administrator = await Administrator.open(plane.admin, systemClock, signal);
    const arena: Arena = { plane, administrator, programs, directory };
    print(`Kubernetes ${plane.kubernetesVersion}, profile ${profile}, ${cpus().length} cores for everything`);
    const entries = await enter(arena);
    const figures = new Map<string, TurnFigures[]>(entries.map(({ contender }) => [contender.name, []]));
    const turns = playAll(entries, figures, arena);
    await turns.catch((error: unknown) => {
      print(
        `${signal.aborted ? 'interrupted' : describeError(error)}; what follows is of the whole turns before`,
      );
      process.exitCode = signal.aborted ? 130 : 1;
    });
    const turnsOf = (name: string) => ({
      title: entries.find(({ contender }) => contender.name === name)?.contender.title ?? name,
      figures: figures.get(name) ?? [],
    });
    const pairsPlayed = [
      { ours: turnsOf('full'), theirs: turnsOf('kubemark'), report: reportFull },
      { ours: turnsOf('light'), theirs: turnsOf('kwok'), report: reportLight },
    ].filter(({ ours, theirs }) => ours.figures.length > 0 && theirs.figures.length > 0);
    for (const { ours, theirs, report } of pairsPlayed) {
      print(`\nmedians of ${ours.figures.length} and ${theirs.figures.length} turns, in turn`);
      for (const line of report(ours, theirs)) print(line);
    }
  } finally {
    await administrator?.close();
    await plane.stop();
  }
}

async function playAll(
  entries: readonly Entry[],
  figures: ReadonlyMap<string, TurnFigures[]>,
  arena: Arena,
): Promise<void> {
  for (let repeat = 0; repeat < repeatCount; repeat++) {
    // In turn, and first in turn: what the first leaves in caches must not always favour the same one.
    for (const { contender, planOf } of repeat % 2 === 0 ? entries : entries.toReversed()) {
      const run = `${contender.name}${repeat}`;
      const found = await playTurn(contender, run, planOf(repeat), { arena, clock: systemClock, signal });
      figures.get(contender.name)?.push(found);
      print(`${run}: ${JSON.stringify(found, rounded)}`);
    }
  }
}

/** Those who take part, and what each is to do in which repeat. */
async function enter(
  arena: Arena,
): Promise<{ contender: Contender; planOf: (repeat: number) => TurnPlan }[]> {
  const base = { settleSeconds: Number(values.settle), restSeconds: Number(values.rest) };
  const entries: Entry[] = [];
  if (pairs.includes('full')) {
    const nodeCount = Number(values['kubemark-nodes']);
    const podCount = nodeCount * PODS_PER_KUBEMARK_NODE;
    const [small = 100, large = 400] = values['full-nodes'].split(',').map(Number);
    const full = { ...base, nodeCount: small, grownNodeCount: large, podCount };
    const { paths, from } = await resolveBinaries(
      { programs: ['kubemark'] },
      { env: process.env, signal, clock: systemClock, progress: print },
    );
    print(`kubemark: ${from}`);
    const context = { program: paths.kubemark ?? '', version: arena.plane.kubernetesVersion, ports };
    entries.push({
      contender: hollowmarkContender(
        { name: 'full', title: 'hollowmark, full nodes', settings: FULL_SETTINGS },
        arena,
      ),
      planOf: () => full,
    });
    entries.push({
      contender: kubemarkContender(arena, context),
      planOf: () => ({ ...base, nodeCount, podCount }),
    });
  }
  if (pairs.includes('light')) {
    const [nodeCount = 1_000, grownNodeCount] = values['light-nodes'].split(',').map(Number);
    const plan = { ...base, nodeCount, podCount: Number(values.pods) };
    const planOf = (repeat: number) =>
      grownNodeCount === undefined || repeat < repeatCount - 1 ? plan : { ...plan, grownNodeCount };
    const kwok = kwokContender(arena, { env: process.env, print, port: await ports.reserve() });
    print(`KWOK: ${kwok.provenance}`);
    entries.push({
      contender: hollowmarkContender(
        { name: 'light', title: 'hollowmark, light nodes', settings: LIGHT_SETTINGS },
        arena,
      ),
      planOf,
    });
    entries.push({ contender: kwok, planOf });
  }
  return entries;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value;
}
