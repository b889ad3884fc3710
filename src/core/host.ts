/**
 * The process as a value: arguments, environment, streams, exit and clock come in through here and nowhere else, so
 * that commands can be run in a test as they run for a user. `main.ts` makes the real one.
 */
import type { Clock } from './clock.ts';

export interface TextSink {
  write(text: string): unknown;
  /** True where a person looks at it: live display and colours are for these only. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Host {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly clock: Clock;
  /** Calls `listener` on each SIGINT or SIGTERM until the returned function is called. */
  onInterrupt(listener: (signalName: 'SIGINT' | 'SIGTERM') => void): () => void;
}
