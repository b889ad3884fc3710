/** Ctrl-C for commands that only have to stop in order: the first one aborts the work's signal. */
import { HarnessError, type Host } from '../core/index.ts';

/** Runs `work` with a signal that aborts on SIGINT and SIGTERM. @throws HM_INTERRUPTED then. */
export async function withInterrupt<T>(host: Host, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stopListening = host.onInterrupt((signalName) =>
    controller.abort(new HarnessError('HM_INTERRUPTED', `interrupted by ${signalName}`)),
  );
  try {
    return await work(controller.signal);
  } finally {
    stopListening();
  }
}
