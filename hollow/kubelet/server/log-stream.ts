/**
 * A log on its way to a caller: the lines that are there, and with `follow` each further one as it is written, until the
 * container ends, the caller goes, or the bytes asked for are sent.
 */
import { type Clock, delay } from '../../../src/core/index.ts';
import { type ContainerLog, type LogOptions, lineRange, lineTimeMs, logLine } from './container-log.ts';

/** Lines are handed on in pieces of about this size. */
const PIECE_BYTES = 32_768;

export interface LogSource {
  readonly log: ContainerLog;
  /** When the run that the log belongs to ended, in ms; Infinity while it goes on; looked at before each new line. */
  readonly endMs: () => number;
}

/** The text of the log, in pieces. Ends quietly when `signal` aborts. */
export async function* streamLog(
  source: LogSource,
  options: LogOptions,
  context: { clock: Clock; signal: AbortSignal },
): AsyncGenerator<string> {
  const { log } = source;
  const { clock, signal } = context;
  const budget = new ByteBudget(options.limitBytes);
  const { first, end } = lineRange(log, options, clock.wallMs());
  let piece = '';
  for (let number = first; number < end && !budget.spent; number++) {
    piece += budget.take(logLine(log, number, options.timestamps));
    if (piece.length < PIECE_BYTES) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
  if (!options.follow) return;
  for (let number = end; !budget.spent && !signal.aborted; number++) {
    const dueMs = lineTimeMs(log, number);
    // In steps, so that the end of the container ends the stream before its next line would have been due.
    while (clock.wallMs() < dueMs) {
      if (source.endMs() <= clock.wallMs()) break;
      try {
        await delay(Math.min(FOLLOW_STEP_MS, dueMs - clock.wallMs()), { signal, clock });
      } catch {
        // The caller is gone, or the fleet stops.
        return;
      }
    }
    if (source.endMs() < dueMs) return;
    yield budget.take(logLine(log, number, options.timestamps));
  }
}

/** Source: the kubelet notices within a second that a followed container has ended (pkg/kubelet/logs). */
const FOLLOW_STEP_MS = 500;

/** Cuts the last line where the limit of bytes is reached. */
class ByteBudget {
  #leftBytes: number;

  constructor(limitBytes: number | undefined) {
    this.#leftBytes = limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get spent(): boolean {
    return this.#leftBytes <= 0;
  }

  // Lines are ASCII: characters are bytes.
  take(line: string): string {
    const part = line.length <= this.#leftBytes ? line : line.slice(0, this.#leftBytes);
    this.#leftBytes -= part.length;
    return part;
  }
}
