/**
 * The suite language, as one zod schema: the source of what is accepted, of the published JSON Schema and of the
 * reference page. Objects are strict: an unknown key is a problem.
 */
import { z } from 'zod';
import { DEFAULT_SEED, DEFAULT_SLO } from './defaults.ts';
import { choice, duration, flag, integer, label, text } from './quantities.ts';
import { controlPlaneSchema } from './schema-control-plane.ts';
import { faultsSchema } from './schema-faults.ts';
import { fleetSchema } from './schema-fleet.ts';
import { loadSchema } from './schema-load.ts';
import type { SloSettings } from './suite.ts';

export const SUITE_API_VERSION = 'hollowmark.dev/v1';

export const sloSchema = z
  .strictObject({
    judge: z
      .array(choice(['client-slo', 'official-sli']))
      .min(1, { error: 'expected at least one verdict' })
      .default(['client-slo', 'official-sli'])
      .describe(
        "Which verdicts decide the exit code: as clients see it, as the server's own metrics say, or both.",
      ),
    mutatingLimit: duration()
      .prefault(DEFAULT_SLO.mutating)
      .describe('Limit for creates, updates, patches and deletes of one object.'),
    readResourceLimit: duration()
      .prefault(DEFAULT_SLO.readResource)
      .describe('Limit for reads of one object.'),
    readNamespaceLimit: duration()
      .prefault(DEFAULT_SLO.readNamespace)
      .describe('Limit for lists of one namespace.'),
    readClusterLimit: duration()
      .prefault(DEFAULT_SLO.readCluster)
      .describe('Limit for lists of the whole cluster.'),
    podStartupLimit: duration()
      .prefault(DEFAULT_SLO.podStartup)
      .describe('Limit for the startup of stateless pods.'),
    quantile: z
      .number({ error: 'expected a number above 0 and below 1' })
      .gt(0, { error: 'expected a number above 0 and below 1' })
      .lt(1, { error: 'expected a number above 0 and below 1' })
      .default(DEFAULT_SLO.quantile)
      .describe('Share of calls that must be within the limit.'),
  })
  .transform(
    (section): SloSettings => ({
      judge: section.judge,
      mutatingLimitMs: section.mutatingLimit,
      readResourceLimitMs: section.readResourceLimit,
      readNamespaceLimitMs: section.readNamespaceLimit,
      readClusterLimitMs: section.readClusterLimit,
      podStartupLimitMs: section.podStartupLimit,
      quantile: section.quantile,
    }),
  );

const thresholdExpression = () => text('a threshold such as pod_startup{kind:stateless}.p99 < 5s');

export const thresholdSchema = z
  .union(
    [
      thresholdExpression(),
      z.strictObject({
        expr: thresholdExpression().describe('The threshold: see Thresholds below.'),
        abortOnFail: flag()
          .default(false)
          .describe(
            'End the run as soon as the threshold is missed; exit code 1, what was recorded is kept.',
          ),
        grace: duration({ zero: true })
          .prefault('0s')
          .describe(
            'With `abortOnFail`: how long from the start of the first phase that counts it may be missed.',
          ),
      }),
    ],
    {
      error:
        'expected a threshold such as "pod_startup{kind:stateless}.p99 < 5s", or a mapping of expr, abortOnFail and grace',
    },
  )
  .meta({ title: 'threshold' });

const parameterValue = z.union([z.string(), z.number(), z.boolean()], {
  error: 'expected text, a number, true or false',
});

export const suiteSchema = z.strictObject({
  apiVersion: z
    .literal(SUITE_API_VERSION, { error: `expected ${SUITE_API_VERSION}` })
    .describe('Version of this language.'),
  kind: z.literal('Suite', { error: 'expected Suite' }).describe('The only kind there is.'),
  name: label('a name').describe('Name of the suite; part of the name of its results.'),
  description: text('text').default('').describe('What the suite asks, in a sentence.'),
  seed: integer(0, Number.MAX_SAFE_INTEGER)
    .default(DEFAULT_SEED)
    .describe('Same seed, same schedule, same names, same pod behaviour.'),
  parameters: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, { error: 'expected a name' }), parameterValue)
    .default({})
    .describe(
      'Values that the rest of the suite refers to as `${parameters.NAME}`, with their defaults; `--set parameters.NAME=value` changes one.',
    ),
  controlPlane: controlPlaneSchema.prefault({}).describe('The control plane under test.'),
  fleet: fleetSchema.describe('The hollow nodes.'),
  load: loadSchema.describe('What is done to the cluster.'),
  faults: faultsSchema
    .optional()
    .describe('What is broken on purpose beside the load, and the probes that see it.'),
  slo: sloSchema.prefault({}).describe('What is promised; the official limits by default.'),
  thresholds: z
    .array(thresholdSchema, { error: 'expected a list of thresholds' })
    .prefault([])
    .describe(
      'Limits of your own, judged beside the SLOs: texts such as `pod_startup{kind:stateless}.p99 < 5s`, or mappings.',
    ),
});

/** A suite as written: quantities parsed, defaults filled in, sizes and templates not yet resolved. */
export type SuiteInput = z.output<typeof suiteSchema>;
