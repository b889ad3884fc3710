/**
 * Posts the kubelet's events: one at a time and in order, as a recorder's sink does, through a client limit of their
 * own.
 * Source: client-go tools/record/event.go v0.36.3
 */
import { delay } from '../../src/core/index.ts';
import { type TokenBucket, TransportError } from '../../src/kube/index.ts';
import type { NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import type { EventLedger, EventRecord, EventRequest } from './event-ledger.ts';
import { eventName } from './event-name.ts';
import { rfc3339Seconds } from './timestamps.ts';

/** Whom an event is about. Node events have no namespace and go to `default`. */
export interface EventSubject {
  readonly kind: 'Node' | 'Pod';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

interface QueuedEvent {
  readonly subject: EventSubject;
  readonly request: EventRequest;
  readonly ledger: EventLedger;
  readonly wallMs: number;
}

/** Source: maxQueuedEvents, maxTriesPerEvent and defaultSleepDuration of client-go's recorder. */
const MAX_QUEUED_COUNT = 1_000;
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

export class EventPoster {
  readonly #context: FleetContext;
  readonly #client: NodeClient;
  readonly #throttle: TokenBucket;
  readonly #nodeName: string;
  readonly #signal: AbortSignal;
  #queue: QueuedEvent[] = [];
  #busy = false;

  constructor(
    context: FleetContext,
    client: NodeClient,
    throttle: TokenBucket,
    nodeName: string,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#client = client;
    this.#throttle = throttle;
    this.#nodeName = nodeName;
    this.#signal = signal;
  }

  /** Queues an event about `subject`; dropped when the queue is full, or where the fleet posts no events. */
  post(subject: EventSubject, ledger: EventLedger, request: EventRequest): void {
    if (!this.#context.form.events || !this.#context.settings.events) return;
    if (this.#queue.length >= MAX_QUEUED_COUNT || this.#signal.aborted) return;
    this.#queue.push({ subject, ledger, request, wallMs: this.#context.clock.wallMs() });
    if (this.#busy) return;
    this.#busy = true;
    this.#drain()
      .catch((error: unknown) => {
        if (!this.#signal.aborted)
          this.#context.log.error({ err: error, node: this.#nodeName }, 'event not posted');
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#signal.aborted) {
      const batch = this.#queue;
      this.#queue = [];
      for (const event of batch) await this.#send(event);
    }
  }

  async #send(event: QueuedEvent): Promise<void> {
    const decision = event.ledger.decide(event.request, event.wallMs);
    if (decision.action === 'drop') return;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      try {
        if (decision.action === 'patch') {
          const reply = await this.#patch(event, decision.record, decision.message);
          // A first event that has expired meanwhile is created anew.
          if (reply.status !== 404) return;
        }
        await this.#create(event, decision.record, decision.message);
        return;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        await delay(RETRY_MS, { signal: this.#signal, clock: this.#context.clock });
      }
    }
  }

  #create({ subject, request, wallMs }: QueuedEvent, record: EventRecord, message: string) {
    const time = rfc3339Seconds(wallMs);
    record.name = eventName(subject.name, wallMs);
    const namespace = subject.namespace === '' ? 'default' : subject.namespace;
    const involvedObject =
      subject.kind === 'Node'
        ? { kind: 'Node', name: subject.name, apiVersion: 'v1' }
        : {
            kind: 'Pod',
            namespace,
            name: subject.name,
            uid: subject.uid,
            apiVersion: 'v1',
            resourceVersion: subject.resourceVersion,
            ...(request.fieldPath === '' ? {} : { fieldPath: request.fieldPath }),
          };
    const body = {
      kind: 'Event',
      apiVersion: 'v1',
      metadata: { name: record.name, namespace },
      involvedObject,
      reason: request.reason,
      message,
      source: { component: 'kubelet', host: this.#nodeName },
      firstTimestamp: rfc3339Seconds(record.firstAtMs),
      lastTimestamp: time,
      count: record.count,
      type: request.type,
      eventTime: null,
      reportingComponent: 'kubelet',
      reportingInstance: this.#nodeName,
    };
    return this.#client.send(
      'createEvent',
      {
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/events`,
        body: JSON.stringify(body),
        discardBody: true,
      },
      this.#throttle,
    );
  }

  #patch({ subject, wallMs }: QueuedEvent, record: EventRecord, message: string) {
    const namespace = subject.namespace === '' ? 'default' : subject.namespace;
    return this.#client.send(
      'patchEvent',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${namespace}/events/${record.name}`,
        contentType: 'application/strategic-merge-patch+json',
        body: JSON.stringify({ count: record.count, lastTimestamp: rfc3339Seconds(wallMs), message }),
        discardBody: true,
      },
      this.#throttle,
    );
  }
}
