/** Watches recorded and failures caught, for tests of connections over real sockets. */
import { type ApiReply, TransportError, type WatchHandlers } from '../../src/kube/index.ts';

/** What a watch was told. */
export interface Recorded {
  handlers: WatchHandlers;
  frames: string[];
  statuses: number[];
  ended: Promise<Error | undefined>;
}

/** Handlers for a watch that keep what they are told. */
export function recordWatch(): Recorded {
  const frames: string[] = [];
  const statuses: number[] = [];
  let settle: (error: Error | undefined) => void = () => {};
  const ended = new Promise<Error | undefined>((resolve) => {
    settle = resolve;
  });
  return {
    frames,
    statuses,
    ended,
    handlers: {
      onOpen: (status) => statuses.push(status),
      onFrame: (frame) => frames.push(frame.toString('utf8')),
      onEnd: settle,
    },
  };
}

/** Waits on real time, five seconds at most. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never came: ${what}`);
}

/** The transport's failure of a call that must fail. */
export async function failureOf(work: Promise<ApiReply>): Promise<TransportError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TransportError)) throw new Error(`expected a TransportError, got ${String(error)}`);
  return error;
}
