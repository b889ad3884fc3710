/**
 * What the turns come to: medians over the repeats, ratios against the goals, and for each goal that is missed what
 * limits it, from the figures of the same stretch.
 */
import { cpus } from 'node:os';
import { type Goal, goalLine } from '../../goal.ts';
import type { Rest, Stretch, TurnFigures } from './turn.ts';

/** Turns of one contender, one for each repeat. */
export interface Turns {
  title: string;
  figures: readonly TurnFigures[];
}

/** Goals of full nodes beside kubemark, a node: the part of its cost. */
const FULL_GOALS = { rss: 1 / 300, pss: 1 / 100, cpu: 1 / 40 };
/** Goals of light nodes beside KWOK: times over its times, slopes over its slopes. */
const LIGHT_GOALS = { time: 1, slope: 0.5 };
/** Of one core: from here on a single event loop is what limits. Of all cores: from here on the machine is. */
const BUSY_RATIO = 0.85;

const ratio = (value: number) => (value >= 0.1 ? value.toFixed(2) : `1/${(1 / value).toFixed(0)}`);
const atMost = (value: number): Goal => ({ kind: 'at-most', value });

/** Lines about full nodes beside kubemark's. */
export function reportFull(full: Turns, kubemark: Turns): string[] {
  const slope = costOfOneMore(full.figures);
  const peer = costEach(kubemark.figures);
  const whole = costEach(full.figures.map((turn) => ({ rest: turn.grown?.rest ?? turn.rest })));
  const lines = [
    `${full.title}, beside ${kubemark.title}: one more idle node`,
    costLine(kubemark.title, peer),
    costLine(`${full.title}: one more between ${sizes(full.figures)}`, slope),
    costLine(`${full.title}: the whole process over its nodes`, whole),
    goalLine("  RSS a node, of kubemark's", slope.rssMb / peer.rssMb, atMost(FULL_GOALS.rss), ratio),
    goalLine("  PSS a node, of kubemark's", slope.pssMb / peer.pssMb, atMost(FULL_GOALS.pss), ratio),
  ];
  if (slope.rssMb / peer.rssMb > FULL_GOALS.rss || slope.pssMb / peer.pssMb > FULL_GOALS.pss)
    lines.push(`    limited by ${whereMemoryIs(full.figures)}`);
  lines.push(
    goalLine("  CPU a node, of kubemark's", slope.cpuMsPerS / peer.cpuMsPerS, atMost(FULL_GOALS.cpu), ratio),
  );
  if (slope.cpuMsPerS / peer.cpuMsPerS > FULL_GOALS.cpu)
    lines.push(`    limited by ${whatCpuBuys(slope.cpuMsPerS)}`);
  lines.push(...stretchLines(full, kubemark));
  return lines;
}

/** Lines about light nodes beside KWOK's. */
export function reportLight(light: Turns, kwok: Turns): string[] {
  const lines = [`${light.title}, beside ${kwok.title}`, ...stretchLines(light, kwok)];
  for (const [name, of] of STRETCHES) {
    const ours = medianOf(light.figures.map(of), (stretch) => stretch.seconds);
    const theirs = medianOf(kwok.figures.map(of), (stretch) => stretch.seconds);
    lines.push(goalLine(`  time, ${name}, of KWOK's`, ours / theirs, atMost(LIGHT_GOALS.time), ratio));
    if (ours / theirs > LIGHT_GOALS.time) lines.push(`    limited by ${whatWasBusy(light.figures.map(of))}`);
  }
  const grown = [light, kwok].map(({ figures }) => figures.filter((turn) => turn.grown !== undefined));
  const [ours = [], theirs = []] = grown;
  if (ours.length === 0 || theirs.length === 0) return lines;
  const [slope, peer] = [costOfOneMore(ours), costOfOneMore(theirs)];
  lines.push(costLine(`${kwok.title}: one more between ${sizes(theirs)}`, peer));
  lines.push(costLine(`${light.title}: one more between ${sizes(ours)}`, slope));
  const goal = atMost(LIGHT_GOALS.slope);
  lines.push(goalLine("  CPU of one more node, of KWOK's", slope.cpuMsPerS / peer.cpuMsPerS, goal, ratio));
  if (slope.cpuMsPerS / peer.cpuMsPerS > LIGHT_GOALS.slope)
    lines.push(`    limited by ${whatCpuBuys(slope.cpuMsPerS)}`);
  lines.push(goalLine("  RSS of one more node, of KWOK's", slope.rssMb / peer.rssMb, goal, ratio));
  lines.push(goalLine("  PSS of one more node, of KWOK's", slope.pssMb / peer.pssMb, goal, ratio));
  if (slope.rssMb / peer.rssMb > LIGHT_GOALS.slope || slope.pssMb / peer.pssMb > LIGHT_GOALS.slope)
    lines.push(`    limited by ${whereMemoryIs(ours)}`);
  return lines;
}

/** Of one idle node: MB, and milliseconds of CPU a second; the API server's share beside it. */
interface NodeCost {
  rssMb: number;
  pssMb: number;
  cpuMsPerS: number;
  apiserverCpuMsPerS: number;
}

const STRETCHES: readonly [string, (turn: TurnFigures) => Stretch][] = [
  ['nodes Ready', (turn) => turn.ready],
  ['pods Running', (turn) => turn.running],
  ['pods deleted', (turn) => turn.deleted],
];

function costEach(turns: readonly { rest: Rest }[]): NodeCost {
  const rests = turns.map(({ rest }) => rest);
  return costOf((of) => medianOf(rests, (rest) => of(rest) / rest.nodeCount));
}

function costOfOneMore(turns: readonly TurnFigures[]): NodeCost {
  const pairs = turns.flatMap(({ rest, grown }) =>
    grown === undefined ? [] : [{ small: rest, large: grown.rest }],
  );
  return costOf((of) =>
    medianOf(pairs, ({ small, large }) => (of(large) - of(small)) / (large.nodeCount - small.nodeCount)),
  );
}

function costOf(figure: (of: (rest: Rest) => number) => number): NodeCost {
  return {
    rssMb: figure((rest) => rest.fleetRssMb),
    pssMb: figure((rest) => rest.fleetPssMb),
    cpuMsPerS: figure((rest) => (rest.fleetCpuS / rest.seconds) * 1_000),
    apiserverCpuMsPerS: figure((rest) => (rest.apiserverCpuS / rest.seconds) * 1_000),
  };
}

function costLine(name: string, cost: NodeCost): string {
  return `  ${name}: ${cost.rssMb.toFixed(3)} MB RSS, ${cost.pssMb.toFixed(3)} MB PSS, ${cost.cpuMsPerS.toFixed(3)} ms/s; API server ${cost.apiserverCpuMsPerS.toFixed(3)} ms/s`;
}

function stretchLines(...contenders: readonly Turns[]): string[] {
  return contenders.flatMap(({ title, figures }) => {
    const text = STRETCHES.map(([name, of]) => {
      const stretches = figures.map(of);
      const middle = (figure: (stretch: Stretch) => number) => medianOf(stretches, figure).toFixed(1);
      return `${name} ${middle(({ seconds }) => seconds)} s (CPU: fleet ${middle(({ fleetCpuS }) => fleetCpuS)} s, API server ${middle(({ apiserverCpuS }) => apiserverCpuS)} s)`;
    });
    return [`  ${title}: ${text.join(', ')}`];
  });
}

/** What had nothing left to give in these stretches. */
function whatWasBusy(stretches: readonly Stretch[]): string {
  const share = (of: (stretch: Stretch) => number) => medianOf(stretches, (one) => of(one) / one.seconds);
  const fleet = share(({ fleetCpuS }) => fleetCpuS);
  const apiserver = share(({ apiserverCpuS }) => apiserverCpuS);
  const machine = share(({ machineCpuS }) => machineCpuS);
  const figures = `${machine.toFixed(2)} of ${cpus().length} cores busy: API server ${apiserver.toFixed(2)}, fleet ${fleet.toFixed(2)}`;
  if (fleet >= BUSY_RATIO) return `the fleet's one event loop (${figures})`;
  if (machine >= BUSY_RATIO * cpus().length)
    return `the machine's CPU, mostly ${apiserver > fleet ? "the API server's" : "the fleet's"} (${figures})`;
  return `waiting, not by CPU (${figures})`;
}

/** An idle node renews its lease each ten seconds and does little else. */
function whatCpuBuys(cpuMsPerS: number): string {
  return `the CPU of a lease renewal and what its reply and the watches bring: ${(cpuMsPerS * 10).toFixed(2)} ms of it`;
}

/** What one more node puts where, in kB. */
function whereMemoryIs(turns: readonly TurnFigures[]): string {
  const parts = new Map<string, number>();
  for (const { rest, grown } of turns) {
    if (grown?.rest.holds === undefined || rest.holds === undefined) continue;
    const nodes = grown.rest.nodeCount - rest.nodeCount;
    for (const [name, bytes] of Object.entries(grown.rest.holds))
      parts.set(name, (bytes - (rest.holds[name] ?? 0)) / nodes / 1_000);
  }
  const text = [...parts].map(([name, kb]) => `${name} ${kb.toFixed(1)} kB`).join(', ');
  return `memory of one more node: ${text}; the rest is of TLS, sockets and what V8 keeps`;
}

function sizes(turns: readonly TurnFigures[]): string {
  const turn = turns.find(({ grown }) => grown !== undefined);
  return `${turn?.rest.nodeCount} and ${turn?.grown?.rest.nodeCount} nodes`;
}

/** The lower one of the two in the middle, where there are two. */
function medianOf<T>(items: readonly T[], of: (item: T) => number): number {
  const sorted = items.map(of).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
