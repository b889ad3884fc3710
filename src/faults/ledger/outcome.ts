/**
 * What a write's answer says about the write. Three classes, not two: a deadline, a reset or a 5xx leaves open whether
 * the server applied it, and such writes are looked up afterwards instead of being counted as lost.
 */
import { type ApiReply, TransportError } from '../../kube/index.ts';

/** `acknowledged`: it must be there. `refused`: it was not applied. `unknown`: either is right. */
export type WriteOutcome = 'acknowledged' | 'refused' | 'unknown';

/** What the client knows of one call that ended. */
export type CallEnd =
  | { reply: Pick<ApiReply, 'status'> }
  | {
      error: Error;
      /** True once the request went to an open connection. */
      sent: boolean;
    };

/**
 * The outcome of a write. A status below 300 acknowledges. 4xx refuses, except 409 to a create: the transport may have
 * written the request twice, and the object that is in the way may be its own. Any 5xx is open: `etcdserver: request
 * timed out` (500) is often applied. Without an answer it is open unless the request never left.
 */
export function writeOutcome(operation: 'create' | 'update' | 'delete', end: CallEnd): WriteOutcome {
  if ('error' in end) {
    const refused = !end.sent || (end.error instanceof TransportError && end.error.refused);
    return refused ? 'refused' : 'unknown';
  }
  const { status } = end.reply;
  if (status < 300) return 'acknowledged';
  if (status >= 500 || status < 400) return 'unknown';
  return operation === 'create' && status === 409 ? 'unknown' : 'refused';
}
