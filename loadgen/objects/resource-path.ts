/** Paths of resources: `/api/v1/namespaces/ns/pods/name`, `/apis/apps/v1/deployments`. */
import type { ResourceRef } from '../../src/config/index.ts';

/** What the path names; the whole cluster's collection if empty. */
export interface ResourceLocation {
  namespace?: string;
  name?: string;
}

/** Path of a collection or, with a name, of an object. Names of Kubernetes need no escape. */
export function resourcePath(resource: ResourceRef, location: ResourceLocation = {}): string {
  const { group, version, plural } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = location.namespace === undefined ? root : `${root}/namespaces/${location.namespace}`;
  return location.name === undefined ? `${place}/${plural}` : `${place}/${plural}/${location.name}`;
}
