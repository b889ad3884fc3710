/**
 * What every object of a run carries: the run's labels, on it and on whatever it makes, so that clean-up finds all of
 * it; and on pods the selector and tolerations that keep them on hollow nodes.
 */

/** A toleration as the API has it. */
export type Toleration = Readonly<Record<string, unknown>>;

export interface PodPlacement {
  nodeSelector: Readonly<Record<string, string>>;
  tolerations: readonly Toleration[];
  /** Wins over the manifest's. */
  schedulerName?: string;
}

export interface RunMarks {
  labels: Readonly<Record<string, string>>;
  podPlacement: PodPlacement;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * A copy of `manifest` with the marks on the object, on every pod template in it wherever it stands (Deployment, Job,
 * CronJob, custom kinds), on the job template of a CronJob and on volume claim templates. The run's own values win
 * over the manifest's.
 */
export function markManifest(manifest: Json, kind: string, marks: RunMarks): Json {
  const marked = markNested(withLabels(manifest, marks.labels), marks);
  return kind === 'Pod'
    ? { ...marked, spec: withPlacement(asObject(marked.spec), marks.podPlacement) }
    : marked;
}

function markNested(value: Json, marks: RunMarks): Json {
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, markChild(key, child, marks)]));
}

function markChild(key: string, child: unknown, marks: RunMarks): unknown {
  if (Array.isArray(child)) {
    return child.map((item: unknown) => {
      if (!isObject(item)) return item;
      const nested = markNested(item, marks);
      return key === 'volumeClaimTemplates' ? withLabels(nested, marks.labels) : nested;
    });
  }
  if (!isObject(child)) return child;
  const nested = markNested(child, marks);
  if (key === 'template' && isPodSpec(child.spec)) {
    return {
      ...withLabels(nested, marks.labels),
      spec: withPlacement(asObject(nested.spec), marks.podPlacement),
    };
  }
  return key === 'jobTemplate' ? withLabels(nested, marks.labels) : nested;
}

function withLabels(value: Json, labels: Readonly<Record<string, string>>): Json {
  const metadata = asObject(value.metadata);
  return { ...value, metadata: { ...metadata, labels: { ...asObject(metadata.labels), ...labels } } };
}

function withPlacement(podSpec: Json, placement: PodPlacement): Json {
  const nodeSelector = { ...asObject(podSpec.nodeSelector), ...placement.nodeSelector };
  const own: unknown[] = Array.isArray(podSpec.tolerations) ? podSpec.tolerations : [];
  const known = new Set(own.map((toleration) => JSON.stringify(toleration)));
  const tolerations = [...own, ...placement.tolerations.filter((item) => !known.has(JSON.stringify(item)))];
  return {
    ...podSpec,
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
    ...(placement.schedulerName === undefined ? {} : { schedulerName: placement.schedulerName }),
  };
}

// Custom kinds embed pod templates too: a pod spec is known by its containers.
function isPodSpec(value: unknown): boolean {
  return isObject(value) && Array.isArray(value.containers);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
