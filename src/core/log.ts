/**
 * Logs: NDJSON through pino, a constant message plus fields, lower case. The run's log goes to a file in the result
 * folder; the terminal shows the display, not the log.
 */
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** A logger that writes NDJSON to `path` (created, appended), at `level`. Times are ISO 8601 in UTC. */
export function fileLogger(path: string, level: 'debug' | 'info' | 'warn' = 'info'): Logger {
  const file = destination({ dest: path, mkdir: true, sync: true });
  // A full disk costs the log its lines; the run itself fails by what it must keep, with a message that says so.
  file.on('error', () => {});
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, file);
}

/** A logger over any stream, such as standard error. */
export function streamLogger(stream: DestinationStream, level: 'debug' | 'info' | 'warn' = 'info'): Logger {
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** A logger that drops everything: for tests and for library use without a log. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
