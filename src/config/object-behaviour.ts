/**
 * Behaviours that the pods of an object ask for: written into its manifest where the suite names one, and held against
 * `fleet.behaviours` in any case, because a kubelet could only shrug at a name that means nothing.
 */
import { BEHAVIOUR_KEY, type NamedBehaviour, requestedBehaviour } from './behaviours.ts';
import type { ReportProblem } from './parameters.ts';
import { isRecord, type Path, valueAt } from './paths.ts';

type Manifest = Record<string, unknown>;

/** Where pods stand in manifests of the kinds that make them. */
const POD_PLACES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
const TEMPLATE: readonly string[] = ['spec', 'template'];

/** Path of the pod, or of the pod template, in `manifest`; undefined where it makes no pods. */
export function podPlace(manifest: Manifest): readonly string[] | undefined {
  const place = POD_PLACES[String(manifest['kind'])] ?? TEMPLATE;
  return isRecord(valueAt(manifest, [...place, 'spec'])) ? place : undefined;
}

/** `manifest` with the annotation that has its pods behave as `behaviour`; itself where it makes no pods. */
export function withBehaviour(manifest: Manifest, behaviour: string): Manifest {
  const place = podPlace(manifest);
  if (place === undefined) return manifest;
  const copy = structuredClone(manifest);
  const pod = valueAt(copy, place);
  if (!isRecord(pod)) return manifest;
  const metadata = isRecord(pod['metadata']) ? pod['metadata'] : {};
  const annotations = isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  pod['metadata'] = { ...metadata, annotations: { ...annotations, [BEHAVIOUR_KEY]: behaviour } };
  return copy;
}

/** Reports what the pods of `manifest` (at `where` in the suite) ask for that there is not. */
export function checkBehaviour(
  manifest: Manifest,
  where: Path,
  behaviours: Readonly<Record<string, NamedBehaviour>>,
  report: ReportProblem,
): void {
  const place = podPlace(manifest);
  if (place === undefined) return;
  const metadata = valueAt(manifest, [...place, 'metadata']);
  requestedBehaviour(
    behaviours,
    textsOf(metadata, 'labels'),
    textsOf(metadata, 'annotations'),
    (from, key, message) => report([...where, ...place, 'metadata', from, key], message),
  );
}

function textsOf(metadata: unknown, field: 'labels' | 'annotations'): Record<string, string> {
  const given = isRecord(metadata) ? metadata[field] : undefined;
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(isRecord(given) ? given : {})) {
    // What holds a variable is known only when the object is made.
    if (typeof value === 'string' && !value.includes('${')) texts[key] = value;
  }
  return texts;
}
