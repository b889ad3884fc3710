/**
 * The suite's `load` section: phases one after the other, the actions of a phase side by side on one clock. A new
 * kind of action is a new entry of ACTION_SCHEMAS and a case of resolve-load.ts.
 */
import { z } from 'zod';
import { BUILT_IN_TEMPLATES, type TemplateName } from './built-in-templates.ts';
import {
  DEFAULT_LOAD_CONNECTIONS,
  DEFAULT_LOAD_GROUPS,
  DEFAULT_LOAD_USER,
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_NAMESPACES,
  DEFAULT_PAGE_LIMIT,
  DEFAULT_REQUEST_TIMEOUT,
  DEFAULT_SETTLE_TIMEOUT,
} from './defaults.ts';
import { bytes, choice, duration, flag, integer, label, size, text } from './quantities.ts';
import { probesSchema } from './schema-probes.ts';
import { pacing } from './schema-shape.ts';
import { stormSchema } from './schema-storm.ts';
import { warmUpSchema } from './schema-warm-up.ts';

const resource = () =>
  text('a resource such as pods, deployments.apps or widgets.v1.example.com').meta({
    title: 'resource',
    inputExamples: ['pods', 'deployments.apps', 'widgets.v1.example.com'],
  });

const namespaced = () =>
  flag()
    .optional()
    .describe(
      'Whether the resource is namespaced; needed only where it is not built in (and assumed true there).',
    );

export const objectSchema = z
  .strictObject({
    template: choice(Object.keys(BUILT_IN_TEMPLATES) as [TemplateName])
      .optional()
      .describe(
        `A built-in template: ${Object.entries(BUILT_IN_TEMPLATES)
          .map(([name, template]) => `\`${name}\` (${template.description})`)
          .join(', ')}.`,
      ),
    replicas: size('pods')
      .optional()
      .describe('Pods of one `deployment`, `statefulset` or `job`, as such or for each node. Default 1.'),
    size: bytes(1024 * 1024)
      .optional()
      .describe('Data of one `configmap` or `secret`. Default 1KiB.'),
    schedulerName: z
      .union([label('a name'), z.array(label('a name')).min(1)], {
        error: 'expected the name of a scheduler, or a list of them',
      })
      .meta({ title: 'name, or list of names' })
      .optional()
      .describe(
        '`schedulerName` of the pods; of a list each object takes the next. Default: what the manifest says.',
      ),
    behaviour: label('a name')
      .optional()
      .describe('Entry of `fleet.behaviours` that the pods follow. Default: what the manifest says.'),
    manifest: z
      .union([z.record(z.string(), z.unknown()), z.array(z.record(z.string(), z.unknown())).min(1)], {
        error: 'expected a Kubernetes manifest, or a list of them',
      })
      .meta({ title: 'mapping, or list of mappings' })
      .optional()
      .describe(
        'A manifest of any kind (or a list of them, made and removed together under one name), with the variables `${name}`, `${namespace}`, `${index}`, `${run}`, `${phase}`, `${random}`; anything else in `${}` stays as it is.',
      ),
    file: text('the path of a manifest, relative to the suite')
      .optional()
      .describe(
        'A file with a manifest, or with several YAML documents, relative to the suite; as in `manifest`.',
      ),
    resource: resource()
      .optional()
      .describe(
        'Resource of a manifest whose kind is not built in. Default: the kind in lower case and plural.',
      ),
    namespaced: namespaced(),
    pods: integer(0, 100_000)
      .optional()
      .describe(
        'Pods that one object of the manifest stands for. Default: 1 for a Pod, the replicas of a Deployment, ReplicaSet or StatefulSet, the parallelism of a Job, one for each node for a DaemonSet, else 0.',
      ),
  })
  .describe('What is created: exactly one of `template`, `manifest` and `file`.')
  .meta({
    oneOf: [{ required: ['template'] }, { required: ['manifest'] }, { required: ['file'] }],
  });

const actionName = () =>
  label('a name').optional().describe("Name in results; unique in the phase. Default: the action's kind.");
const actionDuration = () =>
  duration()
    .optional()
    .describe(
      "How long arrivals go on. Default: the phase's `duration`, else the length of its ramp or steps.",
    );
const labelSelector = () =>
  text('a label selector').default('').describe('Label selector, such as `app=web`.');
const fieldSelector = () =>
  text('a field selector')
    .default('')
    .describe('Field selector, such as `spec.nodeName=hollow-0` or `status.phase=Running`.');

const waitForRollout = () =>
  choice(['nothing', 'rollout'])
    .default('nothing')
    .describe(
      '`rollout`: the phase ends when every Deployment, StatefulSet or DaemonSet of the run has reached what was asked of it, as `kubectl rollout status` decides, or after `settleTimeout`.',
    );

const scope = () =>
  choice(['namespace', 'cluster'])
    .optional()
    .describe(
      "One of the load's namespaces (taken in turn), or the whole cluster. Default: namespace for a namespaced resource.",
    );

const readSchema = z.strictObject({
  verb: choice(['get', 'list']).describe('`get` reads one object by name, `list` many.'),
  resource: resource().describe('What is read: `pods`, `deployments.apps`, or `widgets.v1.example.com`.'),
  namespaced: namespaced(),
  scope: scope(),
  consistency: choice(['cached', 'consistent', 'paged', 'exact', 'streaming'])
    .default('consistent')
    .describe(
      "`cached`: resourceVersion=0, answered from the API server's cache. `consistent`: no resourceVersion. For lists only: `paged`, a page a call with `limit` and continue; `exact`, as of a resourceVersion of the last seconds (resourceVersionMatch=Exact); `streaming`, a watch that begins with the list (sendInitialEvents), up to the end of its initial events. The API server counts the last as a WATCH, and so do results: it has no SLO.",
    ),
  limit: integer(1, 1_000_000)
    .optional()
    .describe(
      `Page size of \`paged\` lists. Default ${DEFAULT_PAGE_LIMIT}. (The API server ignores a limit on cached lists.)`,
    ),
  labelSelector: labelSelector(),
  fieldSelector: fieldSelector(),
  weight: z
    .number({ error: 'expected a weight above 0' })
    .gt(0, { error: 'expected a weight above 0' })
    .max(1e9, { error: 'expected a weight of at most 1e9' })
    .default(1)
    .describe('Share of the mix, relative to the other weights.'),
});

export const ACTION_SCHEMAS = {
  create: z
    .strictObject({
      action: z.literal('create'),
      name: actionName(),
      object: objectSchema,
      count: size('objects').describe('Objects to create, as such or for each node: `1000`, `10/node`.'),
      ...pacing('Objects'),
      waitFor: choice(['nothing', 'running'])
        .default('nothing')
        .describe("`running`: the phase ends when every object's pods are Running."),
    })
    .describe('Creates a number of objects at a rate; they stay until clean-up.'),
  churn: z
    .strictObject({
      action: z.literal('churn'),
      name: actionName(),
      object: objectSchema,
      ...pacing('Objects created, and as many deleted,'),
      duration: actionDuration(),
      lifetime: duration().describe(
        'Each object is deleted this long after it was due; at most the duration.',
      ),
    })
    .describe(
      'Creates objects at a rate for a duration and deletes each after its lifetime, both on the absolute schedule.',
    ),
  update: z
    .strictObject({
      action: z.literal('update'),
      name: actionName(),
      resource: resource().describe(
        'What is updated: objects of this resource that the load has made, each in its turn.',
      ),
      namespaced: namespaced(),
      ...pacing('Updates'),
      duration: actionDuration(),
      patch: z
        .record(z.string(), z.unknown(), { error: 'expected a patch such as { data: { key: "${index}" } }' })
        .optional()
        .describe(
          'JSON merge patch, with variables as in manifests; `${index}` makes each a change. Default: an annotation, on the pod template where there is one, which is a rolling update.',
        ),
      waitFor: waitForRollout(),
    })
    .describe(
      'Updates objects of the load at a rate: rolling updates of workloads, changes of anything else.',
    ),
  scale: z
    .strictObject({
      action: z.literal('scale'),
      name: actionName(),
      resource: resource().describe(
        'What is scaled: `deployments.apps`, `statefulsets.apps`, or anything with a `scale` subresource.',
      ),
      namespaced: namespaced(),
      ...pacing('Changes of scale'),
      duration: actionDuration(),
      replicas: z
        .array(integer(0, 100_000))
        .min(1, { error: 'expected at least one number of replicas' })
        .describe('Replicas that each object gets in turn: `[2, 6]` scales up and down.'),
      waitFor: waitForRollout(),
    })
    .describe('Scales workloads of the load up and down at a rate.'),
  reads: z
    .strictObject({
      action: z.literal('reads'),
      name: actionName(),
      ...pacing('Requests, over the whole mix,'),
      duration: actionDuration(),
      mix: z
        .array(readSchema)
        .min(1, { error: 'expected at least one read' })
        .describe('What is read, by weight.'),
    })
    .describe('A weighted mix of GETs and LISTs.'),
  watches: z
    .strictObject({
      action: z.literal('watches'),
      name: actionName(),
      resource: resource().describe(
        'What is watched: `pods`, `deployments.apps`, or `widgets.v1.example.com`.',
      ),
      namespaced: namespaced(),
      count: size('watches').describe('Watches, as such or for each node.'),
      scope: scope(),
      labelSelector: labelSelector(),
      fieldSelector: fieldSelector(),
    })
    .describe('Long watches, held for the whole phase.'),
  probes: probesSchema,
  storm: stormSchema,
} as const;

const actionSchema = z.discriminatedUnion('action', [
  ACTION_SCHEMAS.create,
  ACTION_SCHEMAS.churn,
  ACTION_SCHEMAS.update,
  ACTION_SCHEMAS.scale,
  ACTION_SCHEMAS.reads,
  ACTION_SCHEMAS.watches,
  ACTION_SCHEMAS.probes,
  ACTION_SCHEMAS.storm,
]);

const phaseSchema = z.strictObject({
  name: label('a name').describe('Name in results; unique in the suite.'),
  measured: flag()
    .optional()
    .describe('false: shown, and left out of verdicts and percentiles. Default: true, false with `warmUp`.'),
  warmUp: warmUpSchema
    .optional()
    .describe(
      'Makes the phase a warm-up: it lasts for this duration, or until p50 is steady (`{}` is the rule with its defaults). Its actions last as long.',
    ),
  duration: duration()
    .optional()
    .describe(
      'The phase ends no earlier, and actions without a duration go on for this long. Default: as long as its actions.',
    ),
  settleTimeout: duration({ zero: true })
    .prefault(DEFAULT_SETTLE_TIMEOUT)
    .describe('Longest wait after the last arrival for calls in flight and for `waitFor`.'),
  actions: z
    .array(actionSchema)
    .min(1, { error: 'expected at least one action' })
    .describe('What happens, side by side.'),
});

export const loadSchema = z.strictObject({
  agents: integer(1, 64).default(1).describe('Processes that the load is spread over.'),
  namespaces: size('namespaces')
    .prefault(DEFAULT_NAMESPACES)
    .describe(
      'Namespaces made for the load, as such or for each node (`0.01/node`); objects take them in turn.',
    ),
  identity: z
    .strictObject({
      user: text('a user name')
        .min(1, { error: 'expected a user name' })
        .default(DEFAULT_LOAD_USER)
        .describe('User name.'),
      groups: z
        .array(text('a group name'))
        .default([...DEFAULT_LOAD_GROUPS])
        .describe('Groups, beside `system:authenticated`.'),
    })
    .prefault({})
    .describe(
      'Who the load is to the API server. Anyone in `system:masters` is exempt from Priority & Fairness.',
    ),
  priorityLevel: z
    .string({ error: 'expected the name of a priority level such as workload-low' })
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, {
      error: 'expected the name of a priority level such as workload-low',
    })
    .optional()
    .describe(
      "Level of Priority & Fairness that the load is put into, by a FlowSchema of the run's own that goes with the run; `exempt` puts it into `system:masters` instead. Default: wherever user and groups belong (`global-default`).",
    )
    .meta({ inputExamples: ['workload-low', 'exempt'] }),
  connections: integer(1, 10_000)
    .default(DEFAULT_LOAD_CONNECTIONS)
    .describe('Connections to the API server, over all agents; watches have their own.'),
  maxInFlight: integer(1, 1_000_000)
    .default(DEFAULT_MAX_IN_FLIGHT)
    .describe('Calls in flight, over all agents; what cannot start then is counted as dropped.'),
  requestTimeout: duration()
    .prefault(DEFAULT_REQUEST_TIMEOUT)
    .describe('A call that takes longer has failed.'),
  honourRetryAfter: flag()
    .default(true)
    .describe(
      "Send a call that got a 429 once more after the server's Retry-After, as clients of Kubernetes do; the wait counts in its response time. false: the 429 is its outcome.",
    ),
  phases: z
    .array(phaseSchema)
    .min(1, { error: 'expected at least one phase' })
    .describe('One after the other.'),
});

/** The load as written, quantities parsed, sizes and templates not yet resolved. */
export type LoadInput = z.output<typeof loadSchema>;
export type PhaseInput = LoadInput['phases'][number];
export type ActionInput = PhaseInput['actions'][number];
export type ObjectInput = z.output<typeof objectSchema>;
export type ReadInput = z.output<typeof readSchema>;
