/**
 * The suite's `faults` section: what is broken, when, and what probes it meanwhile.
 */
import { z } from 'zod';
import { FAULT_KINDS, FAULT_NAMES } from './fault-kinds.ts';
import { choice, duration, rate, text } from './quantities.ts';

const share = () =>
  z
    .number({ error: 'expected a share above 0, up to 1' })
    .gt(0, { error: 'expected a share above 0, up to 1' })
    .max(1, { error: 'expected a share above 0, up to 1' });

const probesSchema = z.strictObject({
  rate: rate().prefault('20/s').describe('Writes, and as many reads, through the load balancer.'),
  memberRate: rate().prefault('4/s').describe('Writes, and as many reads, to each API server.'),
  deployments: rate()
    .prefault('20/m')
    .describe('Deployments of one pod that ask whether controller manager and scheduler are at work.'),
  timeout: duration().prefault('10s').describe('Deadline of a probe.'),
});

const faultNames = FAULT_NAMES.map((name) => `\`${name}\` (${FAULT_KINDS[name].summary})`).join(', ');

export const faultSchema = z
  .strictObject({
    fault: choice(FAULT_NAMES).describe(`What is broken: ${faultNames}.`),
    at: duration({ zero: true })
      .optional()
      .describe('Instant from the start of the phase, with `order: times`.'),
    duration: duration({ zero: true })
      .optional()
      .describe('Between inducing and healing. Default: as the fault needs it.'),
    settle: duration({ zero: true })
      .optional()
      .describe('How long recovery is observed after healing. Default: as the fault needs it.'),
    target: text('the name of a member, or a zone')
      .optional()
      .describe(
        'What is hit: a member such as `kube-apiserver-1`, a zone. Default: by role (a leader), or drawn by seed.',
      ),
    ratio: share()
      .optional()
      .describe(
        'Share of the nodes, of what is lost on links, or of its time that is left to a slow member.',
      ),
    delay: duration().optional().describe('Of faults that delay: links, disks, slow nodes.'),
    version: z
      .string({ error: 'expected a version such as v1.35.4' })
      .regex(/^v1\.\d+\.\d+$/, { error: 'expected a version such as v1.35.4' })
      .optional()
      .describe('Of `upgrade`: the version to move to and back from.'),
    induce: text('a shell command').optional().describe('Of `command`: what breaks it.'),
    heal: text('a shell command').optional().describe('Of `command`: what heals it; run in any case.'),
    with: z
      .array(choice(FAULT_NAMES))
      .default([])
      .describe('Faults induced together with it and healed with it; their bounds add up.'),
    expect: choice(['met', 'not-met'])
      .default('met')
      .describe(
        '`not-met`: the expected response is known to fail here, as on a topology that is wrong on purpose; that it fails is then what passes.',
      ),
  })
  .transform(({ at, duration: durationMs, settle, delay, ...rest }) => ({
    ...withoutUndefined(rest),
    ...(at === undefined ? {} : { atMs: at }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(settle === undefined ? {} : { settleMs: settle }),
    ...(delay === undefined ? {} : { delayMs: delay }),
  }));

export const faultsSchema = z.strictObject({
  phase: text('the name of a phase')
    .optional()
    .describe('Phase beside which the faults run. Default: the last one.'),
  order: choice(['sequence', 'times', 'random'])
    .default('sequence')
    .describe(
      '`sequence`: one after the other; `times`: each `at` its instant; `random`: one after the other, order and pauses drawn by seed.',
    ),
  pause: duration()
    .prefault('5s')
    .describe('Undisturbed time before each fault, which is also its "before".'),
  probes: probesSchema.prefault({}).describe('The canaries, on a clock of their own.'),
  schedule: z
    .array(faultSchema, { error: 'expected a list of faults' })
    .min(1, { error: 'expected at least one fault; `fault: control` breaks nothing' })
    .describe('The faults.'),
});

/** The section as written, quantities parsed. */
export type FaultsInput = z.output<typeof faultsSchema>;

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

// exactOptionalPropertyTypes: a key that was not written is absent, not undefined.
function withoutUndefined<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Present<T>;
}
