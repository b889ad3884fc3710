/**
 * Interval histograms on disk in the HistogramLog format (version 1.3, V2 histograms), as HdrHistogram's own tools
 * read it: one window after the other as it closes, one line per series and kind of latency, told apart by tags.
 *
 *     #[StartTime: 1795348800.000 (seconds since epoch), 2026-11-22T12:00:00.000Z]
 *     #[BaseTime: 1795348800.000 (seconds since epoch)]
 *     "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
 *     Tag=churn/load/get/pods//resource//response,0.000,10.000,12.345,HISTFAAAA...
 *     #[WindowEnd: 0.000 + 10.000, 1 intervals]
 *
 * Timestamps are seconds since BaseTime, values microseconds, Interval_Max milliseconds. Each window ends with a
 * comment that says how many lines it has: a window without it was torn by the writer's end and is left out.
 */
import { readFile } from 'node:fs/promises';
import { HarnessError } from '../core/index.ts';
import { DurableFile, gunzipWhatIsLeft } from './durable-file.ts';
import { type EncodedHistogram, LatencyHistogram } from './histogram.ts';

export const HLOG_VERSION = '1.3';

/** One line: a series' latencies of one kind in one window. */
export interface HlogInterval {
  /** Free of commas, spaces and line breaks. */
  tag: string;
  histogram: EncodedHistogram;
}

export interface HlogWindow {
  /** Since the start of the run. */
  startMs: number;
  endMs: number;
  intervals: readonly HlogInterval[];
}

export interface HlogContents {
  /** Wall time of the run's start, ms since the epoch. */
  startedAtMs: number;
  windows: HlogWindow[];
  /** True if the file ends in the middle of a window, which was left out. */
  torn: boolean;
}

/** Writes windows as they close; compressed if the path ends in `.gz`, then one gzip member per window. */
export class HlogWriter implements AsyncDisposable {
  readonly #file: DurableFile;

  private constructor(file: DurableFile) {
    this.#file = file;
  }

  /** @throws HM_DISK_FULL */
  static async create(path: string, options: { startedAtMs: number; comment: string }): Promise<HlogWriter> {
    const writer = new HlogWriter(await DurableFile.create(path));
    await writer.#file.append(header(options));
    return writer;
  }

  /** Windows that are safely on disk. */
  get windowCount(): number {
    return this.#file.pieceCount - 1;
  }

  /**
   * Appends a window and waits until it is on disk. A window without intervals is written too: it says that
   * nothing happened.
   * @throws HM_DISK_FULL; windows before it are kept
   */
  append(window: HlogWindow): Promise<void> {
    return this.#file.append(formatWindow(window));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Reads every whole window.
 * @throws HM_RESULT_UNREADABLE if it is no histogram log
 */
export async function readHlog(path: string): Promise<HlogContents> {
  try {
    const bytes = await readFile(path);
    const { text, torn } = path.endsWith('.gz')
      ? gunzipWhatIsLeft(bytes)
      : { text: bytes.toString('utf8'), torn: false };
    return parseHlog(text, torn);
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    throw new HarnessError('HM_RESULT_UNREADABLE', `read ${path} failed`, { cause: error });
  }
}

/** The windows of a log's text; `torn` where the text is known to lack its end. */
export function parseHlog(text: string, torn = false): HlogContents {
  if (!text.startsWith('#')) {
    throw new HarnessError('HM_RESULT_UNREADABLE', 'no histogram log: it does not begin with a comment');
  }
  const startedAtMs = Math.round(Number(/^#\[StartTime: ([\d.]+)/m.exec(text)?.[1] ?? 0) * 1_000);
  const windows: HlogWindow[] = [];
  let open: { startMs: number; endMs: number; intervals: HlogInterval[] } | undefined;
  const lines = text.split('\n');
  const lastLine = lines.pop() ?? '';
  for (const line of lines) {
    const end = /^#\[WindowEnd: ([\d.]+) \+ ([\d.]+), (\d+) intervals\]$/.exec(line);
    if (end !== null) {
      const intervals = open?.intervals ?? [];
      const startMs = toMs(end[1]);
      if (intervals.length === Number(end[3])) {
        windows.push({ startMs, endMs: startMs + toMs(end[2]), intervals });
      }
      open = undefined;
    } else if (line !== '' && !line.startsWith('#') && !line.startsWith('"')) {
      open ??= { startMs: 0, endMs: 0, intervals: [] };
      open.intervals.push(parseInterval(line));
    }
  }
  return { startedAtMs, windows, torn: torn || open !== undefined || lastLine !== '' };
}

function header({ startedAtMs, comment }: { startedAtMs: number; comment: string }): string {
  const seconds = (startedAtMs / 1_000).toFixed(3);
  return [
    `#[${comment.replaceAll(/[\r\n]/g, ' ')}]`,
    `#[Histogram log format version ${HLOG_VERSION}]`,
    `#[StartTime: ${seconds} (seconds since epoch), ${new Date(startedAtMs).toISOString()}]`,
    `#[BaseTime: ${seconds} (seconds since epoch)]`,
    '#[values in microseconds, Interval_Max in milliseconds]',
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    '',
  ].join('\n');
}

function formatWindow({ startMs, endMs, intervals }: HlogWindow): string {
  const start = (startMs / 1_000).toFixed(3);
  const length = ((endMs - startMs) / 1_000).toFixed(3);
  const lines = intervals.map(({ tag, histogram }) => {
    if (/[,\s]/.test(tag))
      throw new HarnessError('HM_INTERNAL', `tag "${tag}" of a histogram log has a blank`);
    return `Tag=${tag},${start},${length},${(histogram.maxUs / 1_000).toFixed(3)},${histogram.encoded}`;
  });
  return [...lines, `#[WindowEnd: ${start} + ${length}, ${intervals.length} intervals]`, ''].join('\n');
}

function parseInterval(line: string): HlogInterval {
  const fields = line.split(',');
  const tag = fields[0]?.startsWith('Tag=') === true ? (fields.shift() ?? '').slice('Tag='.length) : '';
  const [, , maxMs, encoded] = fields;
  if (encoded === undefined) return { tag, histogram: new LatencyHistogram().toWire() };
  // The line keeps the exact maximum; the rest is as exact as the buckets.
  const histogram = { ...LatencyHistogram.decode(encoded).toWire(), encoded, maxUs: toMs(maxMs, 1) };
  return { tag, histogram };
}

function toMs(text: string | undefined, decimals = 0): number {
  const scale = 10 ** decimals;
  return Math.round(Number(text ?? Number.NaN) * 1_000 * scale) / scale;
}
