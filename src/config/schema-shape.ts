/**
 * How the arrivals of a paced action are spread over time: a steady `rate`, or a `shape` of rates, at even gaps or as a
 * Poisson process. Every paced action has these three keys.
 */
import { z } from 'zod';
import { amountOf, choice, duration, rate, size } from './quantities.ts';
import type { RateShape } from './suite.ts';

const rampSchema = z
  .strictObject({
    kind: z.literal('ramp'),
    from: rate().optional().describe('Rate at the start. Default: none, so that it rises from nothing.'),
    to: rate().describe('Rate at the end of the ramp, and from then on.'),
    over: duration().describe('Length of the ramp.'),
  })
  .describe('The rate goes evenly from one value to another, and stays there.');

const stepsSchema = z
  .strictObject({
    kind: z.literal('steps'),
    steps: z
      .array(
        z.strictObject({
          rate: rate().describe('Rate of the step.'),
          for: duration().describe('Length of the step.'),
        }),
      )
      .min(1, { error: 'expected at least one step' })
      .describe('One after the other; the last rate goes on for as long as the action does.'),
  })
  .describe('One rate after the other.');

const burstSchema = z
  .strictObject({
    kind: z.literal('burst'),
    size: size('arrivals').describe('Arrivals that are due at one instant, as such or for each node.'),
    every: duration().describe('From one burst to the next; the first is due at once.'),
  })
  .describe('Many arrivals at one instant, then none until the next burst.');

export const SHAPE_SCHEMAS = [rampSchema, stepsSchema, burstSchema] as const;

/** `rate`, `shape` and `arrival`, for the schema of a paced action; `what` a second is counted. */
export function pacing(what: string) {
  return {
    rate: rate().optional().describe(`${what} in a second; this or \`shape\`.`),
    shape: z
      .discriminatedUnion('kind', [...SHAPE_SCHEMAS])
      .optional()
      .describe('Rates that change over time, instead of `rate`: see Shapes below.')
      .meta({ title: 'shape' }),
    arrival: choice(['constant', 'poisson'])
      .default('constant')
      .describe('Arrivals at even gaps, or at exponential ones (seeded); a `burst` has none.'),
  };
}

/** The three keys as written. */
export type PacingInput = z.output<z.ZodObject<ReturnType<typeof pacing>>>;
type ShapeInput = NonNullable<PacingInput['shape']>;

/** The shape of what the suite says, on a fleet of `nodeCount` nodes. */
export function rateShapeOf(input: ShapeInput, nodeCount: number): RateShape {
  switch (input.kind) {
    case 'ramp':
      return {
        kind: 'ramp',
        fromPerSecond: input.from ?? 0,
        toPerSecond: input.to,
        overMs: input.over,
      };
    case 'steps':
      return {
        kind: 'steps',
        steps: input.steps.map((step) => ({ ratePerSecond: step.rate, forMs: step.for })),
      };
    case 'burst':
      return { kind: 'burst', size: Math.max(1, amountOf(input.size, nodeCount)), everyMs: input.every };
  }
}

/** The highest rate that the shape reaches; of bursts their mean, because at their instant there is no rate. */
export function peakRatePerSecond(shape: RateShape): number {
  switch (shape.kind) {
    case 'ramp':
      return Math.max(shape.fromPerSecond, shape.toPerSecond);
    case 'steps':
      return Math.max(...shape.steps.map(({ ratePerSecond }) => ratePerSecond));
    case 'burst':
      return (shape.size * 1_000) / shape.everyMs;
  }
}

/** Milliseconds until the shape has run its course; undefined for one that has no end of its own. */
export function ownLengthMs(shape: RateShape | undefined): number | undefined {
  if (shape?.kind === 'ramp') return shape.overMs;
  if (shape?.kind === 'steps') return shape.steps.reduce((sum, { forMs }) => sum + forMs, 0);
  return undefined;
}
