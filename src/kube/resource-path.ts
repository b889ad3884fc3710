/**
 * Paths of the Kubernetes API, written as Go's clients write them: query keys in alphabetical order, values escaped as
 * url.QueryEscape does. An audit log of a hollow node then reads like a real one's.
 */
import type { ResourceRef } from '../config/index.ts';

/** Query parameters; those that are undefined, empty or false are left out. */
export type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ResourceTarget {
  namespace?: string;
  name?: string;
  /** `status`, `token`, `binding`, … */
  subresource?: string;
}

/** `/apis/apps/v1/namespaces/ns/deployments/web/scale?limit=500`. */
export function resourcePath(
  resource: ResourceRef,
  target: ResourceTarget = {},
  query: QueryParameters = {},
): string {
  const root =
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const namespace =
    resource.namespaced && target.namespace !== undefined && target.namespace !== ''
      ? `/namespaces/${encodeURIComponent(target.namespace)}`
      : '';
  const name = target.name === undefined ? '' : `/${encodeURIComponent(target.name)}`;
  const subresource =
    target.subresource === undefined || target.subresource === '' ? '' : `/${target.subresource}`;
  return withQuery(`${root}${namespace}/${resource.plural}${name}${subresource}`, query);
}

/** `path` with a query, if there is anything in it. */
export function withQuery(path: string, query: QueryParameters): string {
  const encoded = encodeQuery(query);
  return encoded === '' ? path : `${path}?${encoded}`;
}

/** `fieldSelector=spec.nodeName%3Dn1&limit=500`: sorted by key. */
export function encodeQuery(query: QueryParameters): string {
  const parts: string[] = [];
  for (const key of Object.keys(query).sort()) {
    const value = query[key];
    if (value === undefined || value === '' || value === false) continue;
    parts.push(`${queryEscape(key)}=${queryEscape(String(value))}`);
  }
  return parts.join('&');
}

/** A whole number of seconds as Go prints a duration: `8m53s`, `36m13s`, `1h0m0s`, `10s`. */
export function goDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3_600);
  const minutes = Math.floor((whole % 3_600) / 60);
  const rest = whole % 60;
  if (hours > 0) return `${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`;
}

// encodeURIComponent leaves !'()* alone and writes a space as %20; Go escapes the former and writes a plus.
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+');
}
