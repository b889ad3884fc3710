/**
 * The suite's `fleet.behaviours`: what pods do that ask for it by `hollowmark.dev/behaviour`. What the settings mean
 * stands in behaviours.ts.
 */
import { z } from 'zod';
import {
  BEHAVIOUR_KEY,
  type ContainerBehaviour,
  MAX_EXIT_CODE,
  type NamedBehaviour,
  PRESSURES,
} from './behaviours.ts';
import { choice, durationRange, flag, integer } from './quantities.ts';

const MAX_EXITS = 1_000_000;
const BEHAVIOUR_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const CONTAINER_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const exitCode = () => integer(0, MAX_EXIT_CODE);

const CONTAINER_SHAPE = {
  run: durationRange()
    .optional()
    .describe('From running until it exits by itself. Default: never, except for init containers.'),
  exitCode: z
    .union([exitCode(), z.array(exitCode()).min(1, { error: 'expected at least one exit code' }).max(100)], {
      error: `expected an exit code from 0 to ${MAX_EXIT_CODE}, or a list of them`,
    })
    .optional()
    .describe('Exit code of an exit by itself, or a list that one is drawn from. Default 0.'),
  exits: integer(0, MAX_EXITS)
    .optional()
    .describe('Only so many runs end by themselves; the ones after them stay. Default: all.'),
  oomKilled: flag()
    .optional()
    .describe('Exits by itself are kills for want of memory: code 137, reason OOMKilled.'),
  started: durationRange()
    .optional()
    .describe('From running until a startup probe succeeds. Default: at once.'),
  ready: durationRange()
    .optional()
    .describe('From running until a readiness probe succeeds. Default: at once.'),
  unready: z
    .strictObject({
      every: durationRange().describe('How long readiness probes succeed between two such times.'),
      for: durationRange().describe('How long they fail.'),
    })
    .optional()
    .describe('Readiness probes fail for a time, again and again, once they have succeeded.'),
  hang: durationRange().optional().describe('From running until every probe fails. Default: never.'),
  preStop: durationRange()
    .optional()
    .describe(
      'How long an exec or HTTP preStop hook takes, within the grace period. Default: no time. A sleep hook takes what the pod says.',
    ),
  stop: durationRange()
    .optional()
    .describe(
      "From the termination signal to its end; killed with 137 where the pod's grace period is shorter. Default: `pods.stop`.",
    ),
  stopExitCode: exitCode().optional().describe('Exit code after a termination signal. Default 0.'),
  pressure: z
    .strictObject({
      on: choice(PRESSURES).describe('What the node gets short of.'),
      after: durationRange().describe('From running until it is.'),
    })
    .optional()
    .describe("It exhausts its node, which shows in the node's conditions and gets it evicted."),
};

type ContainerInput = z.output<z.ZodObject<typeof CONTAINER_SHAPE>>;

const behaviourSchema = z
  .strictObject({
    sandbox: durationRange().optional().describe('Instead of `pods.sandbox`.'),
    start: durationRange().optional().describe('Instead of `pods.start`.'),
    ...CONTAINER_SHAPE,
    containers: z
      .record(
        z.string().regex(CONTAINER_NAME, { error: 'expected the name of a container' }),
        z.strictObject(CONTAINER_SHAPE),
      )
      .default({})
      .describe(
        'What single containers do, by name, init containers among them; what stands above is for the other main containers.',
      ),
  })
  .transform((input): NamedBehaviour => {
    const { containers, sandbox, start, ...main } = input;
    return {
      ...(sandbox === undefined ? {} : { sandboxMs: sandbox }),
      ...(start === undefined ? {} : { startMs: start }),
      main: containerBehaviour(main),
      containers: Object.fromEntries(
        Object.entries(containers).map(([name, container]) => [name, containerBehaviour(container)]),
      ),
    };
  });

export const behavioursSchema = z
  .record(
    z.string().regex(BEHAVIOUR_NAME, { error: 'expected a name of lower-case letters, digits and dashes' }),
    behaviourSchema,
  )
  .default({})
  .describe(
    `What pods do whose label or annotation \`${BEHAVIOUR_KEY}\` names the entry: exits, crashes, probes, slow stops. See docs/pod-behaviour.md.`,
  );

function containerBehaviour(input: ContainerInput): ContainerBehaviour {
  const { exitCode: codes, pressure, unready } = input;
  const behaviour: ContainerBehaviour = {
    runMs: input.run,
    exitCodes: typeof codes === 'number' ? [codes] : codes,
    exitCount: input.exits,
    oomKilled: input.oomKilled,
    startedMs: input.started,
    readyMs: input.ready,
    unready: unready === undefined ? undefined : { everyMs: unready.every, forMs: unready.for },
    hangMs: input.hang,
    preStopMs: input.preStop,
    stopMs: input.stop,
    stopExitCode: input.stopExitCode,
    pressure: pressure === undefined ? undefined : { resource: pressure.on, afterMs: pressure.after },
  };
  // Absent, not undefined: settings are hashed and travel as JSON.
  return Object.fromEntries(Object.entries(behaviour).filter(([, value]) => value !== undefined));
}
