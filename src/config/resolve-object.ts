/**
 * An action's `object` as the template that the load generator fills in: built-in, inline or from a file.
 */
import { BUILT_IN_TEMPLATES } from './built-in-templates.ts';
import { readYaml } from './document.ts';
import { quote } from './issues.ts';
import type { ReportProblem } from './parameters.ts';
import { isRecord, type Path } from './paths.ts';
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
import type { ObjectTemplate, ResourceRef } from './suite.ts';

export interface ObjectContext {
  nodeCount: number;
  /** Text of a file by its path relative to the suite. @throws whatever reading throws. */
  readTemplate(path: string): string;
  report: ReportProblem;
}

type Manifest = Record<string, unknown>;

// etcd refuses requests over 1.5 MiB by default.
const MAX_MANIFEST_BYTES = 1.5 * 1024 * 1024;

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
  if (input.replicas !== undefined) {
    context.report([...path, 'replicas'], 'is for template: deployment; a manifest says its own replicas');
    return undefined;
  }
  const manifest = input.manifest ?? manifestFromFile(input.file ?? '', [...path, 'file'], context);
  if (manifest === undefined) return undefined;
  const where = [...path, input.manifest === undefined ? 'file' : 'manifest'];
  return fromManifest(manifest, input, path, where, context);
}

function builtIn(
  input: ObjectInput,
  name: keyof typeof BUILT_IN_TEMPLATES,
  path: Path,
  context: ObjectContext,
): ObjectTemplate | undefined {
  const template = BUILT_IN_TEMPLATES[name];
  for (const key of ['resource', 'namespaced', 'pods'] as const) {
    if (input[key] !== undefined)
      context.report([...path, key], 'is for manifests; a built-in template knows it');
  }
  if (input.replicas !== undefined && !template.replicated)
    context.report([...path, 'replicas'], `is for template: deployment, not for ${name}`);
  const manifest: Manifest = template.manifest({ replicas: input.replicas ?? 1 });
  return fromManifest(manifest, { ...input, pods: undefined }, path, path, context);
}

function manifestFromFile(file: string, path: Path, context: ObjectContext): Manifest | undefined {
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
  const source = readYaml(text, file);
  for (const problem of source.problems) context.report(path, `${problem.place}: ${problem.message}`);
  if (source.problems.length > 0) return undefined;
  if (isRecord(source.value)) return source.value;
  context.report(path, `expected a Kubernetes manifest in ${file}, got ${quote(source.value)}`);
  return undefined;
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
  const named = withMetadata(manifest, resource, where, context);
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
  };
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
