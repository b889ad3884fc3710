/**
 * What a call to the API server fails with. ApiError: the server answered, and said no. TransportError: there was no
 * whole answer. Load and fleet count both by class; set-up code throws them.
 */
import { HarnessError, type HarnessErrorOptions } from '../core/index.ts';
import type { ErrorClass } from '../result/index.ts';
import type { ApiReply } from './connection.ts';

/** What was asked, for messages: `watch` on `pods rv=812`. */
export interface CallSubject {
  verb: string;
  /** What it was about: a path, or words such as `pods rv=812`. */
  subject: string;
}

/** The parts of a Kubernetes Status object that decisions rest on. */
export interface StatusFacts {
  /** HTTP code; the frame's own for errors inside a watch. */
  status: number;
  /** `Expired`, `NotFound`, `AlreadyExists`; empty when the reply was no Status object. */
  reason: string;
  message: string;
  retryAfterMs: number | undefined;
  /** Reasons of details.causes, such as `ResourceVersionTooLarge`. */
  causes: readonly string[];
}

/** An HTTP status of 400 or more, or an ERROR event inside a watch. Message: `watch pods rv=812 failed: 410 Expired`. */
export class ApiError extends HarnessError {
  override readonly name = 'ApiError';
  readonly verb: string;
  readonly subject: string;
  readonly status: number;
  readonly reason: string;
  readonly statusMessage: string;
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly string[];

  constructor(call: CallSubject, facts: StatusFacts, options: HarnessErrorOptions = {}) {
    super('HM_API_ERROR', describeStatus(call, facts), options);
    this.verb = call.verb;
    this.subject = call.subject;
    this.status = facts.status;
    this.reason = facts.reason;
    this.statusMessage = facts.message;
    this.retryAfterMs = facts.retryAfterMs;
    this.causes = facts.causes;
  }
}

export type TransportErrorClass = 'timeout' | 'connection' | 'protocol' | 'cancelled';

/** No whole reply: the message says what was asked and what happened to the connection. */
export class TransportError extends HarnessError {
  override readonly name = 'TransportError';
  readonly class: TransportErrorClass;
  /** True where the server said that it did not begin with the request: repeating it is always safe. */
  readonly refused: boolean;

  constructor(
    errorClass: TransportErrorClass,
    message: string,
    options: HarnessErrorOptions & { refused?: boolean } = {},
  ) {
    super('HM_CLUSTER_UNREACHABLE', message, options);
    this.class = errorClass;
    this.refused = options.refused === true;
  }
}

/** `ok`, or the class that a failed call is counted under. Any reply below 400 is ok. */
export function classifyOutcome(outcome: ApiReply | Error): 'ok' | ErrorClass {
  if (!(outcome instanceof Error)) return classifyStatus(outcome.status);
  if (outcome instanceof TransportError) return outcome.class;
  if (outcome instanceof ApiError) {
    const statusClass = classifyStatus(outcome.status);
    return statusClass === 'ok' ? 'protocol' : statusClass;
  }
  return outcome.name === 'AbortError' ? 'cancelled' : 'protocol';
}

/** As classifyOutcome, of an HTTP status alone. */
export function classifyStatus(status: number): 'ok' | ErrorClass {
  if (status < 400) return 'ok';
  if (status === 409) return 'http-409';
  if (status === 429) return 'http-429';
  return status < 500 ? 'http-4xx' : 'http-5xx';
}

/** The facts of a reply that is not a success; a body that is no Status object becomes the message. */
export function statusFacts(reply: Pick<ApiReply, 'status' | 'body' | 'retryAfterMs'>): StatusFacts {
  const parsed = parseStatus(reply.body);
  return {
    status: reply.status,
    reason: parsed?.reason ?? '',
    message: parsed?.message ?? reply.body.trim().slice(0, 500),
    retryAfterMs: reply.retryAfterMs ?? parsed?.retryAfterMs,
    causes: parsed?.causes ?? [],
  };
}

/** The facts of the object of an ERROR event in a watch (already parsed JSON); code 500 where it has none. */
export function eventStatusFacts(object: unknown): StatusFacts {
  const parsed = readStatus(object);
  return {
    status: parsed?.code ?? 500,
    reason: parsed?.reason ?? '',
    message: parsed?.message ?? 'error event without a status',
    retryAfterMs: parsed?.retryAfterMs,
    causes: parsed?.causes ?? [],
  };
}

/** ApiError of a reply. */
export function replyError(call: CallSubject, reply: ApiReply): ApiError {
  return new ApiError(call, statusFacts(reply));
}

/** Anything thrown by a socket or by node:http2, as a TransportError about `what`. */
export function asTransportError(what: string, error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const code = errorCodeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const isParser = error instanceof Error && error.name === 'Http1SyntaxError';
  return new TransportError(isParser ? 'protocol' : transportClassOf(code, text), `${what} failed: ${text}`, {
    cause: error,
    refused: code === 'ECONNREFUSED' || text.includes('NGHTTP2_REFUSED_STREAM'),
  });
}

function transportClassOf(code: string, text: string): TransportErrorClass {
  if (code === 'ETIMEDOUT') return 'timeout';
  if (code === 'ERR_HTTP2_ERROR') return 'protocol';
  if (code === 'ERR_HTTP2_STREAM_ERROR' || code === 'ERR_HTTP2_SESSION_ERROR') {
    return text.includes('PROTOCOL_ERROR') || text.includes('COMPRESSION_ERROR') ? 'protocol' : 'connection';
  }
  return 'connection';
}

function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

interface ParsedStatus {
  code: number | undefined;
  reason: string;
  message: string;
  retryAfterMs: number | undefined;
  causes: string[];
}

function parseStatus(body: string): ParsedStatus | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    return readStatus(JSON.parse(body));
  } catch {
    // A proxy's error page or a cut-off body: the raw text serves as the message.
    return undefined;
  }
}

function readStatus(value: unknown): ParsedStatus | undefined {
  if (!isRecord(value) || value['kind'] !== 'Status') return undefined;
  const details = isRecord(value['details']) ? value['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  const retryAfterSeconds = details['retryAfterSeconds'];
  return {
    code: typeof value['code'] === 'number' ? value['code'] : undefined,
    reason: typeof value['reason'] === 'string' ? value['reason'] : '',
    message: typeof value['message'] === 'string' ? value['message'] : '',
    retryAfterMs:
      typeof retryAfterSeconds === 'number' && retryAfterSeconds > 0 ? retryAfterSeconds * 1_000 : undefined,
    causes: causes.flatMap((cause) =>
      isRecord(cause) && typeof cause['reason'] === 'string' ? [cause['reason']] : [],
    ),
  };
}

function describeStatus(call: CallSubject, facts: StatusFacts): string {
  const reason = facts.reason === '' ? '' : ` ${facts.reason}`;
  const message = facts.message === '' || facts.message === facts.reason ? '' : ` (${facts.message})`;
  return `${call.verb} ${call.subject} failed: ${facts.status}${reason}${message}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
