/**
 * The shape of a request's body: the paths in it and the types at their ends, without the values. Lists that Kubernetes
 * merges by a key keep that key, so that a condition does not lend its fields to another.
 */

/** Merge keys of the lists whose elements differ in shape. Source: patchMergeKey tags in k8s.io/api core/v1 v0.36.3 */
const LIST_KEYS: readonly { list: RegExp; key: string }[] = [
  { list: /(^|\.|\/)conditions$/, key: 'type' },
  { list: /^status\.addresses$/, key: 'type' },
  { list: /(^|\.)taints$/, key: 'key' },
];

/** What is below these is one leaf: its keys are names of objects or of fields of other objects. */
const OPAQUE = /(^|\.)(fieldsV1|capacity|allocatable)$/;

/** `status.conditions[type=Ready].reason: string`, sorted, each once. */
export function bodyShape(body: unknown): string[] {
  const paths = new Set<string>();
  collect(body, '', paths);
  return [...paths].sort();
}

function collect(value: unknown, path: string, into: Set<string>): void {
  if (Array.isArray(value)) {
    if (value.length === 0) into.add(`${path}: []`);
    const key = LIST_KEYS.find(({ list }) => list.test(path))?.key;
    for (const element of value) {
      const id = key === undefined ? undefined : (element as Record<string, unknown> | null)?.[key];
      collect(element, `${path}[${typeof id === 'string' ? `${key}=${id}` : ''}]`, into);
    }
    return;
  }
  if (typeof value === 'object' && value !== null && !OPAQUE.test(path)) {
    const entries = Object.entries(value);
    if (entries.length === 0) into.add(`${path}: {}`);
    for (const [key, child] of entries) collect(child, path === '' ? key : `${path}.${key}`, into);
    return;
  }
  into.add(`${path}: ${value === null ? 'null' : typeof value}`);
}
