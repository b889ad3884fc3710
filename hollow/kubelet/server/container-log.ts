/**
 * What a hollow container writes: one line about every second of its run, each made from the fleet's seed, the container,
 * its run and the line's number. Nothing is stored, so any part of a log can be had at any time, the same every time.
 * Options and errors are those of a kubelet.
 * Source: pkg/kubelet/kubelet_pods.go (validateContainerLogStatus), v1.36.3; PodLogOptions of k8s.io/api/core/v1.
 */
import { hash32 } from '../../../src/core/index.ts';
import type { PodMachine } from '../pods/pod-state.ts';

/** Time from one line to the next, in the mean. */
export const LOG_LINE_INTERVAL_MS = 1_000;
/** Lines that a log keeps: about the 10 MiB at which a kubelet rotates it. */
export const LOG_LINES_KEPT = 100_000;

const ACTIVITIES = [
  'request handled',
  'cache refreshed',
  'connection opened',
  'connection closed',
  'job scheduled',
  'queue drained',
] as const;

/** One run of one container, as far as its log goes. */
export interface ContainerLog {
  /** What every line is made from. */
  readonly seed: string;
  readonly container: string;
  /** Wall times in ms since the epoch; `endMs` is Infinity while it runs. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface LogOptions {
  follow: boolean;
  timestamps: boolean;
  previous: boolean;
  tailLines?: number;
  limitBytes?: number;
  /** Wall time in ms: lines before it are left out. */
  sinceMs?: number;
}

/** A refusal as a kubelet words it. */
export interface LogRefusal {
  status: number;
  message: string;
}

/** The options in a query; a refusal for what a kubelet refuses. */
export function readLogOptions(
  query: Readonly<Record<string, unknown>>,
  nowMs: number,
): LogOptions | LogRefusal {
  const invalid = { status: 422, message: '{"message": "Invalid request."}' };
  const undecodable = { status: 400, message: '{"message": "Unable to decode query."}' };
  const options: LogOptions = { follow: false, timestamps: false, previous: false };
  for (const name of ['follow', 'timestamps', 'previous'] as const) {
    const value = query[name];
    if (value === undefined) continue;
    // As Go's own conversion of query parameters: empty is true, "false" and "0" are not.
    options[name] = value !== 'false' && value !== '0';
  }
  const tail = query['tail'] === 'all' ? undefined : (query['tail'] ?? query['tailLines']);
  const numbers = { tailLines: tail, limitBytes: query['limitBytes'], sinceSeconds: query['sinceSeconds'] };
  const read: Partial<Record<keyof typeof numbers, number>> = {};
  for (const [name, text] of Object.entries(numbers)) {
    if (text === undefined) continue;
    const value = /^-?\d+$/.test(String(text)) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) return undecodable;
    const least = name === 'tailLines' ? 0 : 1;
    if (value < least) return invalid;
    read[name as keyof typeof numbers] = value;
  }
  if (read.tailLines !== undefined) options.tailLines = read.tailLines;
  if (read.limitBytes !== undefined) options.limitBytes = read.limitBytes;
  if (read.sinceSeconds !== undefined) options.sinceMs = nowMs - read.sinceSeconds * 1_000;
  const sinceTime = query['sinceTime'];
  if (sinceTime === undefined) return options;
  if (read.sinceSeconds !== undefined) return invalid;
  const sinceMs = Date.parse(String(sinceTime));
  return Number.isNaN(sinceMs) ? undecodable : { ...options, sinceMs };
}

/** The log of a container of `pod`, or why there is none. */
export function findLog(
  seed: string,
  pod: PodMachine,
  container: string,
  previous: boolean,
): ContainerLog | LogRefusal {
  const { name, uid, containers } = pod.spec;
  const index = containers.findIndex((one) => one.name === container);
  const run = pod.runs[index];
  if (index === -1 || run === undefined)
    return { status: 404, message: `container "${container}" not found in pod "${name}"` };
  const of = (restartCount: number, startMs: number, endMs: number): ContainerLog => ({
    seed: `${seed}/${uid}/${container}/${restartCount}`,
    container,
    startMs,
    endMs,
  });
  // While it waits for its restart the end of its newest run is the one before, as in its status.
  const waiting = run.state === 'waiting';
  const before = waiting ? run.termination : run.lastTermination;
  const beforeLog =
    before === undefined || before.startedAtMs === 0
      ? undefined
      : of(waiting ? run.restartCount : run.restartCount - 1, before.startedAtMs, before.finishedAtMs);
  if (previous) {
    return (
      beforeLog ?? {
        status: 400,
        message: `previous terminated container "${container}" in pod "${name}" not found`,
      }
    );
  }
  if (run.state === 'running') return of(run.restartCount, run.startedAtMs, Number.POSITIVE_INFINITY);
  const ended = run.termination;
  if (run.state === 'terminated' && ended !== undefined && ended.startedAtMs > 0)
    return of(run.restartCount, ended.startedAtMs, ended.finishedAtMs);
  if (beforeLog !== undefined) return beforeLog;
  if (run.state === 'terminated')
    return { status: 400, message: `container "${container}" in pod "${name}" is terminated` };
  const hasInit = containers.some(({ kind }) => kind !== 'main');
  const reason = hasInit ? 'PodInitializing' : 'ContainerCreating';
  return {
    status: 400,
    message: `container "${container}" in pod "${name}" is waiting to start: ${reason}`,
  };
}

/** Wall time of line `number` (from 0) in ms; rises with the number. */
export function lineTimeMs(log: ContainerLog, number: number): number {
  if (number === 0) return log.startMs;
  return (
    log.startMs + number * LOG_LINE_INTERVAL_MS + (hash32(`${log.seed}/${number}`) % LOG_LINE_INTERVAL_MS)
  );
}

/** Line `number` with its line break. */
export function logLine(log: ContainerLog, number: number, timestamps: boolean): string {
  const stamp = timestamps ? `${new Date(lineTimeMs(log, number)).toISOString().slice(0, -1)}000000Z ` : '';
  if (number === 0) return `${stamp}container ${log.container} started\n`;
  const value = hash32(`${log.seed}/text/${number}`);
  const activity = ACTIVITIES[value % ACTIVITIES.length] ?? ACTIVITIES[0];
  return `${stamp}level=info msg="${activity}" line=${number} id=${value.toString(16).padStart(8, '0')} took=${value % 250}ms\n`;
}

/** Numbers of the lines that exist at `nowMs` and that `options` ask for: from `first` up to, not with, `end`. */
export function lineRange(
  log: ContainerLog,
  options: Pick<LogOptions, 'tailLines' | 'sinceMs'>,
  nowMs: number,
): { first: number; end: number } {
  const end = linesBefore(log, Math.min(nowMs, log.endMs) + 1);
  let first = Math.max(0, end - LOG_LINES_KEPT);
  if (options.sinceMs !== undefined) first = Math.max(first, linesBefore(log, options.sinceMs));
  if (options.tailLines !== undefined) first = Math.max(first, end - options.tailLines);
  return { first: Math.min(first, end), end };
}

/** How many lines were written before the instant. */
function linesBefore(log: ContainerLog, untilMs: number): number {
  if (untilMs <= log.startMs) return 0;
  // Line n lies within the second after n seconds: only the last one can be on either side.
  let count = Math.max(1, Math.floor((untilMs - log.startMs) / LOG_LINE_INTERVAL_MS));
  while (lineTimeMs(log, count) < untilMs) count++;
  return count;
}
