/**
 * Write and read probes on one way to the cluster. No retries: a probe's answer is its answer. Connections are made as
 * calls need them and are never waited for, because a probe that queues behind a hung one would tell of the queue.
 */
import type { Clock } from '../../core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallDispatcher,
  classifyStatus,
  type TransportError,
} from '../../kube/index.ts';
import type { LedgerWrite } from '../ledger/ledger.ts';
import { type CallEnd, writeOutcome } from '../ledger/outcome.ts';
import type { ProbeCall } from './records.ts';
import { type PlannedWrite, WritePlan } from './write-plan.ts';

/** Label with the nonce of the create, on every probe object. */
export const PROBE_LABEL = 'hollowmark.dev/probe';
/** Object that read probes get. */
export const ANCHOR_NAME = 'anchor';

export interface CallCanaryOptions {
  path: string;
  /** Short and unique: part of the names of its objects. */
  prefix: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  timeoutMs: number;
  clock: Clock;
  dispatcher: CallDispatcher;
  onCall: (call: ProbeCall) => void;
}

/** As CallEnd, with the whole reply. */
type CanaryEnd = { reply: ApiReply } | Extract<CallEnd, { error: Error }>;

export class CallCanary {
  readonly #options: CallCanaryOptions;
  readonly #plan: WritePlan;

  constructor(options: CallCanaryOptions) {
    this.#options = options;
    this.#plan = new WritePlan(options.prefix);
  }

  read(dueUs: number): void {
    const { path, timeoutMs } = this.#options;
    const request: ApiRequest = { method: 'GET', path: `${this.#collection()}/${ANCHOR_NAME}`, timeoutMs };
    this.#send(request, (sentUs, endUs, end) => {
      const error = errorOf(end);
      this.#options.onCall({
        path,
        kind: 'read',
        dueUs,
        ...(sentUs === undefined ? {} : { sentUs }),
        endUs,
        ok: error === '',
        error,
      });
    });
  }

  write(dueUs: number): void {
    const planned = this.#plan.next();
    this.#send(this.#request(planned), (sentUs, endUs, end) => {
      const outcome = writeOutcome(planned.operation, end);
      const written = 'reply' in end && outcome === 'acknowledged' ? metadataOf(end.reply.body) : {};
      const write: LedgerWrite = {
        ...planned,
        outcome,
        ...(planned.operation === 'delete' ? {} : written),
        sentUs: sentUs ?? dueUs,
        endedUs: endUs,
      };
      this.#plan.ended(write);
      this.#options.onCall({
        path: this.#options.path,
        kind: 'write',
        dueUs,
        ...(sentUs === undefined ? {} : { sentUs }),
        endUs,
        ok: outcome === 'acknowledged',
        error: errorOf(end),
        write,
      });
    });
  }

  #request(planned: PlannedWrite): ApiRequest {
    const { labels, timeoutMs } = this.#options;
    const collection = this.#collection();
    const data = { nonce: planned.nonce };
    switch (planned.operation) {
      case 'create': {
        const name = planned.name === '' ? { generateName: 'probe-' } : { name: planned.name };
        const metadata = { ...name, labels: { ...labels, [PROBE_LABEL]: planned.object } };
        const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
        return { method: 'POST', path: collection, body, timeoutMs };
      }
      case 'update':
        return {
          method: 'PATCH',
          path: `${collection}/${planned.name}`,
          body: JSON.stringify({ data }),
          contentType: 'application/merge-patch+json',
          timeoutMs,
        };
      case 'delete':
        return { method: 'DELETE', path: `${collection}/${planned.name}`, timeoutMs };
    }
  }

  #collection(): string {
    return `/api/v1/namespaces/${this.#options.namespace}/configmaps`;
  }

  #send(
    request: ApiRequest,
    onEnd: (sentUs: number | undefined, endUs: number, end: CanaryEnd) => void,
  ): void {
    const { clock, dispatcher } = this.#options;
    let sentUs: number | undefined;
    dispatcher.dispatch(request, {
      onSent: () => {
        sentUs = clock.nowUs();
      },
      onReply: (reply) => onEnd(sentUs, reply.doneUs ?? clock.nowUs(), { reply }),
      onFailure: (error: TransportError) =>
        onEnd(sentUs, clock.nowUs(), { error, sent: sentUs !== undefined }),
    });
  }
}

function errorOf(end: { reply: Pick<ApiReply, 'status'> } | { error: Error }): string {
  if ('reply' in end) return classifyStatus(end.reply.status) === 'ok' ? '' : `http-${end.reply.status}`;
  return 'class' in end.error && typeof end.error.class === 'string' ? end.error.class : 'connection';
}

function metadataOf(body: string): { name?: string; uid?: string; resourceVersion?: string } {
  try {
    const { metadata } = JSON.parse(body) as {
      metadata?: { name?: string; uid?: string; resourceVersion?: string };
    };
    return {
      ...(metadata?.name === undefined ? {} : { name: metadata.name }),
      ...(metadata?.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata?.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
    };
  } catch {
    // A success that is no object: the checks will find the object by its nonce.
    return {};
  }
}
