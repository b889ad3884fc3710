/**
 * An action's `object` as the template that the load generator fills in: built-in, inline or from a file.
 */
import {
  BUILT_IN_TEMPLATES,
  DEFAULT_DATA_BYTES,
  DEFAULT_REPLICAS,
  type TemplateName,
} from './built-in-templates.ts';
import { readYaml } from './document.ts';
import { quote } from './issues.ts';
import { checkBehaviour, podPlace, withBehaviour } from './object-behaviour.ts';
import type { ReportProblem } from './parameters.ts';
import { isRecord, type Path } from './paths.ts';
import { amountOf } from './quantities.ts';
import {
  BUILT_IN_RESOURCE_NAMES,
  parseResource,
  pluralOf,
  resourceOfKind,
  resourceWithPlural,
  splitApiVersion,
} from './resources.ts';
import type { ObjectInput } from './schema-load.ts';
import { didYouMean } from './suggest.ts';
import type { FleetSettings, ObjectTemplate, ResourceRef } from './suite.ts';

export interface ObjectContext {
  nodeCount: number;
  behaviours: FleetSettings['behaviours'];
  /** Text of a file by its path relative to the suite. @throws whatever reading throws. */
  readTemplate(path: string): string;
  report: ReportProblem;
}

type Manifest = Record<string, unknown>;

// etcd refuses requests over 1.5 MiB by default.
const MAX_MANIFEST_BYTES = 1.5 * 1024 * 1024;

/** Every object of one unit, in the order in which they are made. */
export function objectsOfUnit(object: ObjectTemplate): readonly ObjectTemplate[] {
  return [object, ...(object.companions ?? [])];
}

/** Pods that one unit stands for. */
export function podsOfUnit(object: ObjectTemplate): number {
  return objectsOfUnit(object).reduce((sum, { podCount }) => sum + podCount, 0);
}

/** The template, or undefined after reporting why there is none. */
export function resolveObject(
  input: ObjectInput,
  path: Path,
  context: ObjectContext,
): ObjectTemplate | undefined {
  const sources = (['template', 'manifest', 'file'] as const).filter((key) => input[key] !== undefined);
  if (sources.length !== 1) {
    const found = sources.length === 0 ? 'none of them' : sources.join(' and ');
    context.report(path, `expected exactly one of template, manifest and file, got ${found}`);
    return undefined;
  }
  if (input.template !== undefined) return builtIn(input, input.template, path, context);
  for (const key of ['replicas', 'size'] as const) {
    if (input[key] === undefined) continue;
    context.report([...path, key], 'is for built-in templates; a manifest says its own');
    return undefined;
  }
  const manifests = manifestsOf(input, path, context);
  if (manifests === undefined) return undefined;
  if (manifests.length > 1) {
    for (const key of ['resource', 'namespaced', 'pods'] as const) {
      if (input[key] !== undefined)
        context.report([...path, key], 'is for one manifest: it cannot tell which of several it is of');
    }
  }
  const objects = manifests.map(({ manifest, where }) => fromManifest(manifest, input, path, where, context));
  const [first, ...companions] = objects.flatMap((object) => object ?? []);
  if (first === undefined || companions.length + 1 < objects.length) return undefined;
  return companions.length === 0 ? first : { ...first, companions };
}

interface PlacedManifest {
  manifest: Manifest;
  /** Where problems of it are reported. */
  where: Path;
}

function manifestsOf(
  input: ObjectInput,
  path: Path,
  context: ObjectContext,
): readonly PlacedManifest[] | undefined {
  const { manifest } = input;
  if (manifest === undefined) return manifestsFromFile(input.file ?? '', [...path, 'file'], context);
  if (!Array.isArray(manifest)) return [{ manifest, where: [...path, 'manifest'] }];
  return manifest.map((one, index) => ({ manifest: one, where: [...path, 'manifest', index] }));
}

function builtIn(
  input: ObjectInput,
  name: TemplateName,
  path: Path,
  context: ObjectContext,
): ObjectTemplate | undefined {
  const template = BUILT_IN_TEMPLATES[name];
  for (const key of ['resource', 'namespaced', 'pods'] as const) {
    if (input[key] !== undefined)
      context.report([...path, key], 'is for manifests; a built-in template knows it');
  }
  for (const key of ['replicas', 'size'] as const) {
    if (input[key] !== undefined && template.setting !== key) {
      const takers = Object.entries(BUILT_IN_TEMPLATES).filter(([, { setting }]) => setting === key);
      context.report(
        [...path, key],
        `is for template: ${takers.map(([taker]) => taker).join(' or ')}, not for ${name}`,
      );
    }
  }
  const manifest: Manifest = template.manifest({
    replicas:
      input.replicas === undefined
        ? DEFAULT_REPLICAS
        : Math.max(1, amountOf(input.replicas, context.nodeCount)),
    dataBytes: input.size ?? DEFAULT_DATA_BYTES,
  });
  return fromManifest(manifest, { ...input, pods: undefined }, path, path, context);
}

function manifestsFromFile(
  file: string,
  path: Path,
  context: ObjectContext,
): readonly PlacedManifest[] | undefined {
  let text: string;
  try {
    text = context.readTemplate(file);
  } catch (error) {
    context.report(
      path,
      `cannot read ${quote(file)}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
  const manifests: PlacedManifest[] = [];
  let sound = true;
  for (const document of documentsOf(text)) {
    const source = readYaml(document, file);
    for (const problem of source.problems) context.report(path, `${problem.place}: ${problem.message}`);
    if (source.problems.length === 0 && isRecord(source.value))
      manifests.push({ manifest: source.value, where: path });
    else {
      sound = false;
      if (source.problems.length === 0)
        context.report(path, `expected a Kubernetes manifest in ${file}, got ${quote(source.value)}`);
    }
  }
  return sound ? manifests : undefined;
}

/** The documents of a YAML text, each after as many empty lines as stand before it, so that places stay true. */
function documentsOf(text: string): string[] {
  const documents: string[] = [];
  let lines: string[] = [];
  let lineCount = 0;
  const close = () => {
    const isEmpty = lines.every((line) => /^\s*(#.*)?$/.test(line));
    if (!isEmpty) documents.push('\n'.repeat(lineCount - lines.length) + lines.join('\n'));
    lines = [];
  };
  for (const line of text.split('\n')) {
    lineCount++;
    if (/^---(\s|$)/.test(line)) {
      lineCount--;
      close();
      lineCount++;
    } else lines.push(line);
  }
  close();
  return documents.length === 0 ? [text] : documents;
}

function fromManifest(
  manifest: Manifest,
  input: ObjectInput,
  path: Path,
  where: Path,
  context: ObjectContext,
): ObjectTemplate | undefined {
  const { apiVersion, kind } = manifest;
  if (typeof apiVersion !== 'string' || !/^([a-z0-9.-]+\/)?v\d[a-z0-9]*$/.test(apiVersion)) {
    context.report(
      [...where, 'apiVersion'],
      `expected an API version such as v1 or apps/v1, got ${quote(apiVersion)}`,
    );
    return undefined;
  }
  if (typeof kind !== 'string' || !/^[A-Z][A-Za-z0-9]*$/.test(kind)) {
    context.report([...where, 'kind'], `expected a kind such as ConfigMap, got ${quote(kind)}`);
    return undefined;
  }
  const resource = resourceOf(apiVersion, kind, input, path, context);
  if (resource === undefined) return undefined;
  const unnamed = behaving(manifest, kind, input, path, where, context);
  const named = withMetadata(unnamed, resource, where, context);
  if (named === undefined) return undefined;
  const length = Buffer.byteLength(JSON.stringify(named));
  if (length > MAX_MANIFEST_BYTES)
    context.report(where, `is ${length} bytes; etcd refuses requests over ${MAX_MANIFEST_BYTES}`);
  return {
    resource,
    apiVersion,
    kind,
    manifest: named,
    podCount: input.pods ?? podsOf(kind, named, context.nodeCount),
    ...(input.schedulerName === undefined ? {} : { schedulerNames: [input.schedulerName].flat() }),
  };
}

function behaving(
  manifest: Manifest,
  kind: string,
  input: ObjectInput,
  path: Path,
  where: Path,
  context: ObjectContext,
): Manifest {
  const { behaviours, report } = context;
  if (input.behaviour === undefined) {
    checkBehaviour(manifest, where, behaviours, report);
    return manifest;
  }
  const place = [...path, 'behaviour'];
  const isOne =
    input.template !== undefined || (input.manifest !== undefined && !Array.isArray(input.manifest));
  if (isOne && podPlace(manifest) === undefined) report(place, `a ${kind} makes no pods`);
  const changed = withBehaviour(manifest, input.behaviour);
  checkBehaviour(changed, where, behaviours, (_, message) => report(place, message));
  return changed;
}

function resourceOf(
  apiVersion: string,
  kind: string,
  input: ObjectInput,
  path: Path,
  context: ObjectContext,
): ResourceRef | undefined {
  const known = resourceOfKind(apiVersion, kind);
  if (input.resource === undefined) {
    if (known !== undefined) {
      if (input.namespaced !== undefined && input.namespaced !== known.namespaced)
        context.report(
          [...path, 'namespaced'],
          `${kind} is ${known.namespaced ? 'namespaced' : 'not namespaced'}`,
        );
      return known;
    }
    return { ...splitApiVersion(apiVersion), plural: pluralOf(kind), namespaced: input.namespaced ?? true };
  }
  const named = resourceByName(input.resource, input.namespaced, [...path, 'resource'], context.report);
  if (named === undefined) return undefined;
  const { group, version } = splitApiVersion(apiVersion);
  if (named.group !== group) {
    context.report(
      [...path, 'resource'],
      `expected a resource of the manifest's group ${quote(group)}, got ${quote(input.resource)}`,
    );
    return undefined;
  }
  return { ...named, version };
}

/** The resource that a suite names, or undefined after reporting what is wrong with the name or `namespaced`. */
export function resourceByName(
  name: string,
  namespaced: boolean | undefined,
  path: Path,
  report: ReportProblem,
): ResourceRef | undefined {
  const resource = parseResource(name, namespaced);
  if (resource === undefined) {
    report(
      path,
      `expected a resource such as pods or deployments.apps, or PLURAL.VERSION.GROUP for one that is not built in, got ${quote(name)}${suggestResource(name)}`,
    );
    return undefined;
  }
  if (namespaced !== undefined && namespaced !== resource.namespaced)
    report(
      path,
      `${name} is ${resource.namespaced ? 'namespaced' : 'not namespaced'}, whatever namespaced says`,
    );
  return resource;
}

function suggestResource(name: string): string {
  const exact = resourceWithPlural(name);
  return exact === undefined ? didYouMean(name, BUILT_IN_RESOURCE_NAMES) : ` (did you mean "${exact}"?)`;
}

function withMetadata(
  manifest: Manifest,
  resource: ResourceRef,
  where: Path,
  context: ObjectContext,
): Manifest | undefined {
  const given = manifest['metadata'] ?? {};
  if (!isRecord(given)) {
    context.report([...where, 'metadata'], `expected a mapping, got ${quote(given)}`);
    return undefined;
  }
  const name = given['name'] ?? '${name}';
  if (typeof name !== 'string' || !/\$\{(name|index|random)\}/.test(name)) {
    context.report(
      [...where, 'metadata', 'name'],
      `expected a name with \${name}, \${index} or \${random} in it, or none, since every object needs its own; got ${quote(name)}`,
    );
    return undefined;
  }
  if (given['generateName'] !== undefined) {
    context.report(
      [...where, 'metadata', 'generateName'],
      'names are given by the load, so that the same seed makes the same ones',
    );
    return undefined;
  }
  const { namespace, ...rest } = given;
  if (!resource.namespaced) {
    if (namespace !== undefined)
      context.report([...where, 'metadata', 'namespace'], `${resource.plural} are not namespaced`);
    return { ...manifest, metadata: { ...rest, name } };
  }
  if (namespace !== undefined && namespace !== '${namespace}')
    context.report(
      [...where, 'metadata', 'namespace'],
      `expected \${namespace} or none, since objects go to the load's own namespaces; got ${quote(namespace)}`,
    );
  return { ...manifest, metadata: { ...rest, name, namespace: '${namespace}' } };
}

function podsOf(kind: string, manifest: Manifest, nodeCount: number): number {
  const spec = isRecord(manifest['spec']) ? manifest['spec'] : {};
  const count = (value: unknown) => (typeof value === 'number' && value >= 0 ? Math.floor(value) : 1);
  switch (kind) {
    case 'Pod':
      return 1;
    case 'Deployment':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'StatefulSet':
      return count(spec['replicas']);
    case 'Job':
      return count(spec['parallelism']);
    case 'DaemonSet':
      return nodeCount;
    default:
      return 0;
  }
}
