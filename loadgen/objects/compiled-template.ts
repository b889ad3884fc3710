/**
 * An object template made ready for one action of one phase: marked with the run's labels and placement, turned to
 * JSON once and cut into segments, so that an object costs a few concatenations.
 *
 * The name is generated unless the manifest has a `metadata.name` of its own, which then may use the variables.
 */
import type { ObjectTemplate } from '../../src/config/index.ts';
import { HarnessError, hash32 } from '../../src/core/index.ts';
import { resourcePath } from '../../src/kube/index.ts';
import { indexHash } from '../pacer/index-random.ts';
import type { LiveObject } from './live-objects.ts';
import { objectNames } from './object-names.ts';
import { markManifest, type RunMarks } from './run-marks.ts';
import { compileSegments, type ObjectVariables, placeholder } from './segments.ts';

export interface TemplateContext {
  runId: string;
  phase: string;
  actionKey: string;
  seed: string;
  namespaces: readonly string[];
  marks: RunMarks;
}

export interface CompiledTemplate {
  /** Where object `index` lives and what it is called. */
  objectAt(index: number): LiveObject;
  /** Path that creates it. */
  collectionPath(object: LiveObject): string;
  /** Path that deletes it; of anything but a pod with Background propagation, which Jobs need to take their pods along. */
  deletePath(object: LiveObject): string;
  /** JSON of object `index`, which is at `object`. */
  render(index: number, object: LiveObject): string;
}

/**
 * @throws HM_CONFIG_INVALID for a name that would need an escape in JSON
 * @throws HM_INTERNAL where a namespaced kind meets no namespace
 */
export function compileTemplate(template: ObjectTemplate, context: TemplateContext): CompiledTemplate {
  const { resource } = template;
  const { namespaces, runId, phase, actionKey } = context;
  if (resource.namespaced && namespaces.length === 0)
    throw new HarnessError('HM_INTERNAL', `${resource.plural} need a namespace and the load has none`);
  const generatedName = objectNames(runId, phase, actionKey);
  const randomSeed = hash32(`${context.seed}/random`);
  const { schedulerNames } = template;
  const variablesOf = (index: number, name: string, namespace: string): ObjectVariables => ({
    name,
    namespace,
    index,
    random: randomText(randomSeed, index),
    scheduler: schedulerNames?.[index % schedulerNames.length] ?? '',
  });
  const namespaceAt = (index: number) =>
    resource.namespaced ? (namespaces[index % namespaces.length] ?? '') : '';

  const ownName = asRecord(template.manifest['metadata'])['name'];
  const ownNameOf =
    typeof ownName === 'string' && ownName !== ''
      ? compileSegments(plainName(ownName), { run: runId, phase }, { json: false })
      : undefined;
  const body = compileSegments(
    JSON.stringify(finishManifest(template, marksOf(template, context.marks))),
    { run: runId, phase },
    { json: true },
  );
  const propagationPolicy = template.kind === 'Pod' ? undefined : 'Background';
  return {
    objectAt(index) {
      const namespace = namespaceAt(index);
      const generated = generatedName(index);
      return { namespace, name: ownNameOf?.(variablesOf(index, generated, namespace)) ?? generated };
    },
    collectionPath: (object) => resourcePath(resource, { namespace: object.namespace }),
    deletePath: (object) => resourcePath(resource, object, { propagationPolicy }),
    render: (index, object) => body(variablesOf(index, object.name, object.namespace)),
  };
}

/** The JSON of patch `index` for an object, made from a patch with variables. */
export function compilePatch(
  patch: Readonly<Record<string, unknown>>,
  context: Pick<TemplateContext, 'runId' | 'phase' | 'seed'>,
): (index: number, object: LiveObject) => string {
  const { runId, phase } = context;
  const randomSeed = hash32(`${context.seed}/random`);
  const body = compileSegments(JSON.stringify(patch), { run: runId, phase }, { json: true });
  return (index, { name, namespace }) =>
    body({ name, namespace, index, random: randomText(randomSeed, index), scheduler: '' });
}

function marksOf({ schedulerNames }: ObjectTemplate, marks: RunMarks): RunMarks {
  if (schedulerNames === undefined) return marks;
  return { ...marks, podPlacement: { ...marks.podPlacement, schedulerName: placeholder('scheduler') } };
}

function finishManifest(template: ObjectTemplate, marks: RunMarks): Record<string, unknown> {
  const {
    apiVersion: _version,
    kind: _kind,
    ...marked
  } = markManifest(template.manifest, template.kind, marks);
  const { generateName: _generateName, ...metadata } = asRecord(marked['metadata']);
  return {
    apiVersion: template.apiVersion,
    kind: template.kind,
    ...marked,
    metadata: {
      ...metadata,
      name: placeholder('name'),
      ...(template.resource.namespaced ? { namespace: placeholder('namespace') } : {}),
    },
  };
}

// Names go into paths and JSON as they are.
function plainName(name: string): string {
  const literal = name.replaceAll(/\$\{\w+\}/g, '');
  if (!/^[A-Za-z0-9.:-]*$/.test(literal))
    throw new HarnessError(
      'HM_CONFIG_INVALID',
      `metadata.name: expected a Kubernetes name, got ${JSON.stringify(name)}`,
    );
  return name;
}

function randomText(seed: number, index: number): string {
  const high = indexHash(seed, index).toString(36).padStart(7, '0');
  const low = indexHash(seed ^ 0x5bd1e995, index)
    .toString(36)
    .padStart(7, '0');
  return high.slice(-5) + low.slice(-5);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
