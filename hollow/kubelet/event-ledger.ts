/**
 * Which events a client-go recorder would really send about one object: the first of its kind is created, a repeat
 * patches the count of the first, similar ones are merged after ten in ten minutes, and a source that goes on about
 * one object is cut off. Pure; kept beside the object it is about and dropped with it.
 * Source: client-go tools/record/events_cache.go v0.36.3
 */

export interface EventRequest {
  reason: string;
  message: string;
  type: 'Normal' | 'Warning';
  /** `spec.containers{c}`; empty for none. */
  fieldPath: string;
}

/** What to do about an event: POST it under `name`, PATCH the count of `name`, or nothing. */
export type EventDecision =
  | { action: 'create'; message: string; record: EventRecord }
  | { action: 'patch'; message: string; record: EventRecord }
  | { action: 'drop' };

export interface EventRecord {
  key: string;
  /** Given by whoever creates it; empty until then. */
  name: string;
  count: number;
  firstAtMs: number;
}

const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 600_000;
/** Events remembered about one object; a recorder's own cache holds 4,096 about all. */
const MAX_RECORD_COUNT = 64;

interface SimilarGroup {
  key: string;
  messages: Set<string>;
  lastAtMs: number;
}

export class EventLedger {
  #tokens = SPAM_BURST;
  #refilledAtMs = 0;
  readonly #records: EventRecord[] = [];
  readonly #groups: SimilarGroup[] = [];

  /** Decides about one event at wall time `nowMs`, and remembers it. */
  decide(request: EventRequest, nowMs: number): EventDecision {
    const group = this.#group(request, nowMs);
    const merged = group.messages.size > SIMILAR_LIMIT;
    const message = merged ? `(combined from similar events): ${request.message}` : request.message;
    const key = merged ? `similar ${group.key}` : `${group.key} ${request.message} ${request.fieldPath}`;
    let record = this.#records.find((other) => other.key === key);
    const repeated = record !== undefined;
    if (record === undefined) {
      record = { key, name: '', count: 0, firstAtMs: nowMs };
      if (this.#records.length >= MAX_RECORD_COUNT) this.#records.shift();
      this.#records.push(record);
    }
    record.count++;
    if (!this.#takeToken(nowMs)) return { action: 'drop' };
    return { action: repeated && record.name !== '' ? 'patch' : 'create', message, record };
  }

  #group(request: EventRequest, nowMs: number): SimilarGroup {
    const key = `${request.type} ${request.reason}`;
    let group = this.#groups.find((other) => other.key === key);
    if (group === undefined) {
      group = { key, messages: new Set(), lastAtMs: nowMs };
      this.#groups.push(group);
    }
    if (nowMs - group.lastAtMs > SIMILAR_WINDOW_MS) group.messages.clear();
    group.lastAtMs = nowMs;
    if (group.messages.size <= SIMILAR_LIMIT) group.messages.add(request.message);
    return group;
  }

  #takeToken(nowMs: number): boolean {
    if (this.#refilledAtMs === 0) this.#refilledAtMs = nowMs;
    const earned = (nowMs - this.#refilledAtMs) / SPAM_REFILL_MS;
    this.#tokens = Math.min(SPAM_BURST, this.#tokens + earned);
    this.#refilledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
