/**
 * What one component said of itself between its first and its last scrape. Counters are added up from scrape to
 * scrape, so that a restart in between (their return to zero) costs only what the process had not told before it
 * ended; it is recognised by the process's start time, or by a counter that went down, and counted.
 */
import { rankOf, type ServerComponent, type ServerSli } from '../result/index.ts';
import { parseLabels, parsePrometheusText } from './prometheus-text.ts';
import { flowControl } from './server-flow-control.ts';
import {
  CPU_LIMIT,
  CPU_SECONDS,
  GAUGE_SAMPLES,
  GOROUTINES,
  HEADLINES,
  type Headline,
  RATE_LIMITER,
  RSS_BYTES,
  SLI_METRIC,
  START_TIME,
  WANTED_SAMPLES,
} from './server-headlines.ts';
import { MeasuredSums } from './server-measured.ts';
import { type Samples, samplesOf, total } from './server-samples.ts';

/** Figures that are judged, and only count in intervals that are measured. */
const JUDGED_SAMPLES: ReadonlySet<string> = new Set([
  `${SLI_METRIC}_bucket`,
  `${SLI_METRIC}_sum`,
  `${SLI_METRIC}_count`,
]);

export class ServerSums {
  readonly #growth: Samples = new Map();
  readonly #maxima: Samples = new Map();
  readonly #measured = new MeasuredSums();
  #last: Samples | undefined;
  #restartCount = 0;
  #malformedCount = 0;
  #scrapeCount = 0;

  get scrapeCount(): number {
    return this.#scrapeCount;
  }

  /**
   * Takes a page, `sinceLastMs` after the one before. `measured`: whether the time between was part of a measured
   * phase, which alone the SLI histograms and the evidence for limiters count.
   */
  add(page: string, measured: boolean, sinceLastMs: number): void {
    const samples: Samples = new Map();
    const { malformedCount } = parsePrometheusText(
      page,
      (name) => WANTED_SAMPLES.has(name),
      (name, labels, value) => samplesOf(samples, name).set(labels, value),
    );
    this.#malformedCount += malformedCount;
    this.#scrapeCount++;
    const last = this.#last;
    this.#last = samples;
    for (const [name, values] of samples) {
      if (!GAUGE_SAMPLES.has(name)) continue;
      const maxima = samplesOf(this.#maxima, name);
      for (const [labels, value] of values) maxima.set(labels, Math.max(value, maxima.get(labels) ?? value));
    }
    if (last === undefined) return;
    const restarted = hasRestarted(last, samples);
    if (restarted) this.#restartCount++;
    if (measured) this.#measured.addSpan(sinceLastMs);
    for (const [name, values] of samples) {
      if (GAUGE_SAMPLES.has(name) || name === START_TIME) continue;
      if (!measured && JUDGED_SAMPLES.has(name)) continue;
      const former = restarted ? undefined : last.get(name);
      const growth = samplesOf(this.#growth, name);
      for (const [labels, value] of values) {
        const before = former?.get(labels) ?? 0;
        // A single counter that went down began anew as well.
        const grown = value < before ? value : value - before;
        growth.set(labels, (growth.get(labels) ?? 0) + grown);
        if (measured) this.#measured.addGrowth(name, labels, grown);
      }
    }
  }

  /** Everything that is known; figures of growth need two scrapes. */
  figures(): Omit<ServerComponent, 'component' | 'name' | 'scrapeGapCount'> {
    const cpuSeconds = total(this.#growth.get(CPU_SECONDS));
    const maxRssBytes = total(this.#maxima.get(RSS_BYTES));
    const maxGoroutineCount = total(this.#maxima.get(GOROUTINES));
    const rateLimiterWaitCount = total(this.#growth.get(`${RATE_LIMITER}_count`));
    const rateLimiterWaitSeconds = total(this.#growth.get(`${RATE_LIMITER}_sum`));
    const sli = this.#sli();
    const measured = this.#measured.figures(total(this.#maxima.get(CPU_LIMIT)));
    return {
      scrapeCount: this.#scrapeCount,
      ...(this.#restartCount > 0 ? { restartCount: this.#restartCount } : {}),
      ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
      ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
      ...(maxGoroutineCount === undefined ? {} : { maxGoroutineCount }),
      ...(sli === undefined ? {} : { sli }),
      ...flowControl(this.#growth),
      ...(measured === undefined ? {} : { measured }),
      ...(rateLimiterWaitCount === undefined ? {} : { rateLimiterWaitCount }),
      ...(rateLimiterWaitSeconds === undefined ? {} : { rateLimiterWaitSeconds }),
      metrics: Object.assign({}, ...HEADLINES.map((headline) => this.#headline(headline))),
    };
  }

  #sli(): ServerSli[] | undefined {
    const counts = this.#growth.get(`${SLI_METRIC}_count`);
    if (counts === undefined) return undefined;
    const byKey = new Map<string, ServerSli>();
    const seriesOf = (labels: Record<string, string>) => {
      const { verb = '', resource = '', group = '', subresource = '', scope = '' } = labels;
      const id = [verb, resource, group, subresource, scope].join('|');
      let sli = byKey.get(id);
      if (sli === undefined) {
        sli = { verb, resource, group, subresource, scope, count: 0, sumSeconds: 0, buckets: [] };
        byKey.set(id, sli);
      }
      return sli;
    };
    // One key stands for several series: versions of a group, and requests for themselves of the server's parts.
    for (const [labels, count] of counts) if (count > 0) seriesOf(parseLabels(labels)).count += count;
    for (const [labels, sum] of this.#growth.get(`${SLI_METRIC}_sum`) ?? []) {
      if (sum > 0) seriesOf(parseLabels(labels)).sumSeconds += sum;
    }
    for (const [text, count] of this.#growth.get(`${SLI_METRIC}_bucket`) ?? []) {
      if (count <= 0) continue;
      const labels = parseLabels(text);
      addBucket(seriesOf(labels).buckets, edgeOf(labels['le']), count);
    }
    const series = [...byKey.values()].filter(({ count }) => count > 0);
    // Buckets without growth are left out above, but a cumulative histogram shows every edge from its first sample.
    for (const { buckets } of series)
      buckets.sort((a, b) => (a.leSeconds ?? Infinity) - (b.leSeconds ?? Infinity));
    fillEdges(series);
    return series;
  }

  #headline({ metric, kind, by }: Headline): Record<string, number> {
    if (kind === 'histogram') return this.#histogramHeadline(metric, by);
    const samples = kind === 'gauge' ? this.#maxima : this.#growth;
    return figuresBy(samples.get(metric), metric, by);
  }

  #histogramHeadline(metric: string, by: string | undefined): Record<string, number> {
    const figures: Record<string, number> = {};
    const groups = new Map<string, { count: number; sum: number; buckets: ServerSli['buckets'] }>();
    const groupOf = (labels: Record<string, string>) => {
      const id = by === undefined ? '' : `{${by}="${labels[by] ?? ''}"}`;
      const group = groups.get(id) ?? { count: 0, sum: 0, buckets: [] };
      groups.set(id, group);
      return group;
    };
    const each = (suffix: string, use: (labels: Record<string, string>, value: number) => void) => {
      for (const [text, value] of this.#growth.get(`${metric}${suffix}`) ?? []) use(parseLabels(text), value);
    };
    each('_count', (labels, value) => {
      groupOf(labels).count += value;
    });
    each('_sum', (labels, value) => {
      groupOf(labels).sum += value;
    });
    each('_bucket', (labels, value) => {
      addBucket(groupOf(labels).buckets, edgeOf(labels['le']), value);
    });
    for (const [id, { count, sum, buckets }] of groups) {
      if (count <= 0) continue;
      buckets.sort((a, b) => (a.leSeconds ?? Infinity) - (b.leSeconds ?? Infinity));
      const rank = rankOf(0.99, count);
      const edge = buckets.find((bucket) => bucket.count >= rank)?.leSeconds;
      figures[`${metric}_count${id}`] = count;
      figures[`${metric}_mean${id}`] = sum / count;
      if (edge != null) figures[`${metric}_p99_le${id}`] = edge;
    }
    return figures;
  }
}

/** True if the page comes from another process than the one before it. */
function hasRestarted(before: Samples, after: Samples): boolean {
  const startedBefore = before.get(START_TIME)?.get('');
  const startedAfter = after.get(START_TIME)?.get('');
  if (startedBefore !== undefined && startedAfter !== undefined) return startedAfter > startedBefore;
  const cpuBefore = before.get(CPU_SECONDS)?.get('') ?? 0;
  return (after.get(CPU_SECONDS)?.get('') ?? cpuBefore) < cpuBefore;
}

function figuresBy(
  values: ReadonlyMap<string, number> | undefined,
  metric: string,
  by: string | undefined,
): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const [labels, value] of values ?? []) {
    const id = by === undefined ? metric : `${metric}{${by}="${parseLabels(labels)[by] ?? ''}"}`;
    figures[id] = (figures[id] ?? 0) + value;
  }
  // Of the values of a label only those that say something: idle work queues alone would be a hundred lines.
  if (by !== undefined) for (const id of Object.keys(figures)) if (figures[id] === 0) delete figures[id];
  return figures;
}

function edgeOf(le: string | undefined): number | null {
  const edge = Number(le);
  return le === '+Inf' || !Number.isFinite(edge) ? null : edge;
}

function addBucket(buckets: ServerSli['buckets'], leSeconds: number | null, count: number): void {
  const bucket = buckets.find((one) => one.leSeconds === leSeconds);
  if (bucket === undefined) buckets.push({ leSeconds, count });
  else bucket.count += count;
}

/** Gives every series the edges that any of them has: a count not yet reached at an edge is 0 there. */
function fillEdges(series: readonly ServerSli[]): void {
  const edges = [...new Set(series.flatMap(({ buckets }) => buckets.map(({ leSeconds }) => leSeconds)))].sort(
    (a, b) => (a ?? Infinity) - (b ?? Infinity),
  );
  for (const one of series) {
    const counts = new Map(one.buckets.map(({ leSeconds, count }) => [leSeconds, count]));
    let reached = 0;
    one.buckets = edges.map((leSeconds) => {
      reached = counts.get(leSeconds) ?? reached;
      return { leSeconds, count: reached };
    });
  }
}
