/** No pod is bound twice, and nothing that was deleted comes back: from what the prober's watch of pods showed. */
import type { InvariantCheck } from '../../result/index.ts';
import type { PodSighting } from '../canaries/records.ts';
import { invariantCheck } from './check.ts';

/** A pod's node never changes once it has one. Sightings in the order of the watch. */
export function checkBindings(sightings: readonly PodSighting[]): InvariantCheck {
  const bound = new Map<string, PodSighting>();
  const violations: string[] = [];
  for (const sighting of sightings) {
    if (sighting.node === '') continue;
    const before = bound.get(sighting.uid);
    if (before === undefined) bound.set(sighting.uid, sighting);
    else if (before.node !== sighting.node)
      violations.push(`pod ${sighting.name} was bound to ${before.node} and then to ${sighting.node}`);
  }
  return invariantCheck('bound-once', bound.size, violations, 'bound pods');
}

/** A uid that the watch showed DELETED never shows again, at any later resourceVersion. */
export function checkPodDeletions(sightings: readonly PodSighting[]): InvariantCheck {
  const deleted = new Map<string, number>();
  const violations: string[] = [];
  for (const { uid, name, gone, version } of sightings) {
    const at = deleted.get(uid);
    if (gone) deleted.set(uid, version);
    else if (at !== undefined && version > at)
      violations.push(`pod ${name} shows again at version ${version}, it was deleted at ${at}`);
  }
  return invariantCheck('pods-stay-deleted', deleted.size, violations, 'deleted pods');
}
