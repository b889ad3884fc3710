/**
 * The `storm` action of the suite language: a flat mapping, since most storms need a kind and a share. What belongs to
 * one kind only is optional here and looked at by resolveStorm().
 */
import { z } from 'zod';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import { choice, duration, integer, label, ratio, type Size, size, text } from './quantities.ts';
import { type Disturbance, INSTANT_STORMS, STORM_KINDS, type StormAction } from './storm.ts';

export const stormSchema = z
  .strictObject({
    action: z.literal('storm'),
    name: label('a name')
      .optional()
      .describe("Name in results; unique in the phase. Default: the action's kind."),
    kind: choice(STORM_KINDS).describe(
      '`silence`: leases and status writes stop, watches live on. `restart`: all state and connections are dropped, nodes register again and relist. `flap`: silent and alive in turn. `slow`: every request leaves late, pods start as much later. `drop-connections`: TCP connections are cut, watches resume. `expire-certificates`: the API server answers 401 until the certificate is renewed (`identity: certificate` only).',
    ),
    share: ratio()
      .optional()
      .describe('Share of the nodes (of the zone, if one is given), such as `10%`. Default: all.'),
    nodes: size('nodes').optional().describe('A number of nodes instead of a share.'),
    zone: text('the name of a zone').optional().describe('Only nodes of this one of `fleet.zones`.'),
    seed: integer(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .describe("Which nodes are chosen. Default: the suite's seed."),
    after: duration({ zero: true }).prefault('0s').describe('From the start of the phase.'),
    for: duration()
      .optional()
      .describe(
        'Until it is healed. Default: to the end of the phase. Not for `restart`, `drop-connections`.',
      ),
    over: duration({ zero: true })
      .optional()
      .describe(
        '`restart`, `drop-connections`: the nodes are hit one after the other over this. Default: `0s`, at once.',
      ),
    delay: duration().optional().describe('`slow`: how late each request leaves.'),
    silent: duration().optional().describe('`flap`: length of each silence.'),
    alive: duration().optional().describe('`flap`: time between two silences.'),
  })
  .describe('Something happens to many hollow nodes at once, and ends.');

export type StormInput = z.output<typeof stormSchema>;

/** Keys that belong to some kinds only. */
const KEYS_OF_KINDS: Readonly<Record<'over' | 'delay' | 'silent' | 'alive', readonly StormInput['kind'][]>> =
  {
    over: ['restart', 'drop-connections'],
    delay: ['slow'],
    silent: ['flap'],
    alive: ['flap'],
  };

/** The storm as run, or undefined after reporting what is missing. */
export function resolveStorm(
  input: StormInput,
  name: string,
  path: Path,
  context: { seed: number; countOf: (size: Size, path: Path) => number; report: ReportProblem },
): StormAction | undefined {
  const { report } = context;
  for (const key of ['over', 'delay', 'silent', 'alive'] as const) {
    if (input[key] !== undefined && !KEYS_OF_KINDS[key].includes(input.kind))
      report([...path, key], `is for kind: ${KEYS_OF_KINDS[key].join(' and ')}, got ${input.kind}`);
  }
  if (input.share !== undefined && input.nodes !== undefined)
    report([...path, 'nodes'], 'expected a share or a number of nodes, got both');
  const instant = INSTANT_STORMS.has(input.kind);
  if (instant && input.for !== undefined)
    report([...path, 'for'], `${input.kind} happens at an instant (or over some time: over)`);
  const disturbance = disturbanceOf(input, path, report);
  if (disturbance === undefined) return undefined;
  const durationMs = instant ? (input.over ?? 0) : input.for;
  return {
    action: 'storm',
    name,
    disturbance,
    selection: {
      ratio: input.share ?? 1,
      ...(input.nodes === undefined ? {} : { nodeCount: context.countOf(input.nodes, [...path, 'nodes']) }),
      ...(input.zone === undefined ? {} : { zone: input.zone }),
      seed: input.seed ?? context.seed,
    },
    afterMs: input.after,
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

function disturbanceOf(input: StormInput, path: Path, report: ReportProblem): Disturbance | undefined {
  const needed = (key: 'delay' | 'silent' | 'alive'): number => {
    const value = input[key];
    if (value === undefined)
      report([...path, key], `is missing: expected a duration, for kind: ${input.kind}`);
    return value ?? 0;
  };
  switch (input.kind) {
    case 'restart':
    case 'drop-connections':
      return { kind: input.kind, overMs: input.over ?? 0 };
    case 'slow': {
      const delayMs = needed('delay');
      return delayMs === 0 ? undefined : { kind: 'slow', delayMs };
    }
    case 'flap': {
      const [silentMs, aliveMs] = [needed('silent'), needed('alive')];
      return silentMs === 0 || aliveMs === 0 ? undefined : { kind: 'flap', silentMs, aliveMs };
    }
    case 'silence':
    case 'expire-certificates':
      return { kind: input.kind };
  }
}
