/** The `probes` action of the suite language. */
import { z } from 'zod';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import type { ProbesAction } from './probes.ts';
import { duration, label, rate, type Size, size } from './quantities.ts';

export const probesSchema = z
  .strictObject({
    action: z.literal('probes'),
    name: label('a name')
      .optional()
      .describe("Name in results; unique in the phase. Default: the action's kind."),
    availability: z
      .strictObject({
        rate: rate().prefault('5/s').describe('Requests on each path.'),
        endpoint: z
          .string({ error: 'expected a path such as /readyz' })
          .regex(/^\/[^\s#]*$/, { error: 'expected a path such as /readyz' })
          .default('/readyz')
          .describe('What is asked for; good is a 200 within the timeout.')
          .meta({ inputExamples: ['/readyz', '/livez'] }),
      })
      .optional()
      .describe('Whether the API answers: through the load balancer, and each API server behind it.'),
    propagation: z
      .strictObject({
        rate: rate().prefault('1/s').describe('Writes of the one object that is watched.'),
        watchers: size('watchers').prefault(10).describe('Watches of the object, as such or for each node.'),
      })
      .optional()
      .describe('How long a write takes to the first and to the last of its watchers.'),
    readYourWrite: z
      .strictObject({
        rate: rate().prefault('1/s').describe('Writes; each is read back by a GET and a LIST on each path.'),
      })
      .optional()
      .describe('Whether consistent reads show what was acknowledged just before.'),
    timeout: duration().prefault('5s').describe('Deadline of a call; later is no answer.'),
  })
  .describe(
    'Asks the API whether it is well, all through the phase, in a process of its own: at least one of `availability`, `propagation` and `readYourWrite`; `{}` is their defaults.',
  )
  .meta({
    anyOf: [{ required: ['availability'] }, { required: ['propagation'] }, { required: ['readYourWrite'] }],
  });

export type ProbesInput = z.output<typeof probesSchema>;

/** The probes as run, or undefined after reporting that there are none. */
export function resolveProbes(
  input: ProbesInput,
  name: string,
  path: Path,
  context: { countOf: (size: Size, path: Path) => number; report: ReportProblem },
): ProbesAction | undefined {
  const { availability, propagation, readYourWrite } = input;
  if (availability === undefined && propagation === undefined && readYourWrite === undefined) {
    context.report(
      path,
      'expected at least one of availability, propagation and readYourWrite; {} is enough',
    );
    return undefined;
  }
  return {
    action: 'probes',
    name,
    timeoutMs: input.timeout,
    ...(availability === undefined
      ? {}
      : { availability: { ratePerSecond: availability.rate, endpoint: availability.endpoint } }),
    ...(propagation === undefined
      ? {}
      : {
          propagation: {
            ratePerSecond: propagation.rate,
            watcherCount: context.countOf(propagation.watchers, [...path, 'propagation', 'watchers']),
          },
        }),
    ...(readYourWrite === undefined ? {} : { readYourWrite: { ratePerSecond: readYourWrite.rate } }),
  };
}
