/**
 * How many arrivals a shape of rates has had by an instant, and when it will have had so many: the integral of the rate
 * and its inverse. Every schedule is made from the inverse, so that counts follow the integral exactly:
 *
 *   N(t) = integral of rate(s) ds, s in 0..t
 *   constant arrivals    due(i) = N⁻¹(i)
 *   Poisson arrivals     due(i) = N⁻¹(E(i)), E a sum of i + 1 exponential gaps of mean 1 (time rescaling)
 *
 * In a piece of d seconds whose rate goes from r0 to r1, with k = (r1 - r0) / d:
 *
 *   N(t) = r0 t + k t² / 2        N⁻¹(a) = 2a / (r0 + sqrt(r0² + 2 k a))
 */
import type { ActionPacing } from '../../src/config/index.ts';

/** The rate of an action over time, however its arrivals lie on it. */
export type Rates = Pick<ActionPacing, 'ratePerSecond' | 'shape'>;

/** Of a whole action, over all shards; both grow without end. */
export interface Intensity {
  /** Expected arrivals before `atUs` from the start. */
  countAt(atUs: number): number;
  /** Microseconds from the start until `count` arrivals are due; the earliest such instant. */
  usAt(count: number): number;
}

/** A stretch of time in which the rate goes evenly from one value to another. */
interface Piece {
  startUs: number;
  /** Arrivals before it. */
  startCount: number;
  lengthUs: number;
  /** Per microsecond. */
  startRate: number;
  endRate: number;
}

const US_PER_S = 1_000_000;

/** The intensity of such rates. */
export function intensityOf({ ratePerSecond, shape }: Rates): Intensity {
  if (shape === undefined) return steady(ratePerSecond);
  switch (shape.kind) {
    case 'ramp':
      return piecewise([
        { ratePerSecond: [shape.fromPerSecond, shape.toPerSecond], forMs: shape.overMs },
        { ratePerSecond: [shape.toPerSecond, shape.toPerSecond], forMs: Number.POSITIVE_INFINITY },
      ]);
    case 'steps':
      return piecewise(
        shape.steps.map((step, index) => ({
          ratePerSecond: [step.ratePerSecond, step.ratePerSecond],
          forMs: index === shape.steps.length - 1 ? Number.POSITIVE_INFINITY : step.forMs,
        })),
      );
    case 'burst':
      return bursts(shape.size, shape.everyMs * 1_000);
  }
}

function steady(ratePerSecond: number): Intensity {
  return {
    countAt: (atUs) => (ratePerSecond * atUs) / US_PER_S,
    usAt: (count) => (count * US_PER_S) / ratePerSecond,
  };
}

function bursts(size: number, everyUs: number): Intensity {
  return {
    // A burst is due at the start of its interval, whole.
    countAt: (atUs) => Math.ceil(atUs / everyUs) * size,
    usAt: (count) => Math.floor(count / size) * everyUs,
  };
}

function piecewise(stretches: readonly { ratePerSecond: [number, number]; forMs: number }[]): Intensity {
  const pieces: Piece[] = [];
  let startUs = 0;
  let startCount = 0;
  for (const { ratePerSecond, forMs } of stretches) {
    const [startRate, endRate] = [ratePerSecond[0] / US_PER_S, ratePerSecond[1] / US_PER_S];
    const lengthUs = forMs * 1_000;
    pieces.push({ startUs, startCount, lengthUs, startRate, endRate });
    startUs += lengthUs;
    startCount += ((startRate + endRate) / 2) * lengthUs;
  }
  const last = pieces.at(-1);
  if (last === undefined) throw new RangeError('a shape needs at least one piece');
  return {
    countAt(atUs) {
      const piece = pieces.findLast((candidate) => candidate.startUs <= atUs) ?? last;
      const withinUs = Math.max(0, atUs - piece.startUs);
      return piece.startCount + piece.startRate * withinUs + (slopeOf(piece) * withinUs ** 2) / 2;
    },
    usAt(count) {
      const piece = pieces.findLast((candidate) => candidate.startCount <= count) ?? last;
      const area = Math.max(0, count - piece.startCount);
      if (area === 0) return piece.startUs;
      const { startRate } = piece;
      // Rounding may put the last arrivals of a falling ramp just past its end.
      const root = Math.sqrt(Math.max(0, startRate ** 2 + 2 * slopeOf(piece) * area));
      // A share of an arrival so small that its square root is 0 is due at once.
      const withinUs = startRate + root === 0 ? 0 : (2 * area) / (startRate + root);
      return piece.startUs + Math.min(piece.lengthUs, withinUs);
    },
  };
}

function slopeOf({ startRate, endRate, lengthUs }: Piece): number {
  return startRate === endRate ? 0 : (endRate - startRate) / lengthUs;
}
