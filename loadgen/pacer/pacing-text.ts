/** A paced action's rates in a few words. */
import type { ActionPacing } from '../../src/config/index.ts';
import { formatMs, formatRate } from '../../src/core/index.ts';

/** `20/s`, `0/s rising to 20/s over 60 s`, `100 every 10 s`; `, Poisson` behind it where it applies. */
export function pacingText({ ratePerSecond, shape, arrival }: ActionPacing): string {
  return `${ratesText(ratePerSecond, shape)}${arrival === 'poisson' ? ', Poisson' : ''}`;
}

function ratesText(ratePerSecond: number, shape: ActionPacing['shape']): string {
  switch (shape?.kind) {
    case undefined:
      return formatRate(ratePerSecond);
    case 'ramp': {
      const verb = shape.toPerSecond < shape.fromPerSecond ? 'falling' : 'rising';
      return `${formatRate(shape.fromPerSecond)} ${verb} to ${formatRate(shape.toPerSecond)} over ${formatMs(shape.overMs)}`;
    }
    case 'steps':
      return shape.steps
        .map((step) => `${formatRate(step.ratePerSecond)} for ${formatMs(step.forMs)}`)
        .join(', ');
    case 'burst':
      return `${shape.size} every ${formatMs(shape.everyMs)}`;
  }
}
