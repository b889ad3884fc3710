/**
 * The strategic-merge patch from the status that the server has to the one that the kubelet wants: only what differs,
 * in the form that apimachinery produces. Conditions merge by type and go with an order list, container statuses are
 * replaced whole, removed values become null.
 * Source: pkg/util/pod/pod.go, apimachinery pkg/util/strategicpatch v0.36.3; reference captures.
 */
import { type ApiCondition, isTerminalPhase, type PodPhase } from './pod-object.ts';

type Json = { [key: string]: unknown };

/**
 * Body of the patch that turns `current` into `wanted`, or undefined where nothing differs. A terminal phase of the
 * server is never patched back: then only what else differs goes.
 */
export function statusPatch(uid: string, current: Json, wanted: Json): string | undefined {
  const patch: Json = {};
  for (const [field, value] of Object.entries(wanted)) {
    if (field === 'conditions')
      patchConditions(patch, readConditions(current), value as ApiCondition[] | undefined);
    else if (field === 'phase' && isTerminalPhase((current['phase'] ?? 'Pending') as PodPhase)) continue;
    else if (!sameJson(current[field], value)) patch[field] = value;
  }
  if (Object.keys(patch).length === 0) return undefined;
  return JSON.stringify({ metadata: { uid }, status: sorted(patch) });
}

function patchConditions(
  patch: Json,
  current: readonly ApiCondition[],
  wanted: readonly ApiCondition[] | undefined,
): void {
  if (wanted === undefined) {
    if (current.length > 0) patch['conditions'] = null;
    return;
  }
  const changes: Json[] = [];
  for (const condition of wanted) {
    const before = current.find((other) => other.type === condition.type);
    const change = before === undefined ? { ...condition } : conditionChange(before, condition);
    if (change !== undefined) changes.push(sorted(change as Json));
  }
  if (changes.length === 0) return;
  if (current.length > 0) patch['$setElementOrder/conditions'] = wanted.map(({ type }) => ({ type }));
  patch['conditions'] = changes;
}

function conditionChange(before: ApiCondition, after: ApiCondition): Json | undefined {
  const change: Json = {};
  if (before.status !== after.status) change['status'] = after.status;
  // A stamp moves only with the status, and only if the second differs.
  if (before.status !== after.status && before.lastTransitionTime !== after.lastTransitionTime) {
    change['lastTransitionTime'] = after.lastTransitionTime;
  }
  if (before.observedGeneration !== after.observedGeneration && after.observedGeneration !== undefined) {
    change['observedGeneration'] = after.observedGeneration;
  }
  for (const field of ['reason', 'message'] as const) {
    if (before[field] === after[field]) continue;
    change[field] = after[field] ?? null;
  }
  if (Object.keys(change).length === 0) return undefined;
  change['type'] = after.type;
  return change;
}

function readConditions(current: Json): ApiCondition[] {
  const conditions = current['conditions'];
  return Array.isArray(conditions) ? (conditions as ApiCondition[]) : [];
}

/** Equality of JSON values; null counts as absent, order of keys does not matter. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b || ((a ?? undefined) === undefined && (b ?? undefined) === undefined)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Json;
  const right = b as Json;
  for (const key in left) if (!sameJson(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !sameJson(undefined, right[key])) return false;
  return true;
}

/** Strategic-merge bodies are JSON maps: their keys are in alphabetical order. */
function sorted(value: Json): Json {
  const result: Json = {};
  for (const key of Object.keys(value).sort()) result[key] = value[key];
  return result;
}
