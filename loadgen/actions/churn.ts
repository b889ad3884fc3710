/**
 * Creates objects at a rate for a duration and deletes each after its lifetime. Both halves stand on the absolute
 * schedule: the delete of object i is due at due(i) + lifetime, whatever became of its creation.
 *
 *   creation                     delete at its due instant
 *   acknowledged                 sent
 *   no answer (timeout, 5xx, …)  sent: the object may exist
 *   still in flight              waits for the creation's end, intended instant unchanged (counted as deferred); if
 *                                the creation is then refused, dropped as no-object
 *   refused, or dropped          never offered (counted as voided): there is nothing to delete
 */
import { type ChurnAction, type ObjectTemplate, objectsOfUnit } from '../../src/config/index.ts';
import { formatMs } from '../../src/core/index.ts';
import type { Outcome } from '../../src/measure/index.ts';
import { arrivalPlan } from '../pacer/arrival-plan.ts';
import { ArrivalStream } from '../pacer/arrival-stream.ts';
import { pacingText } from '../pacer/pacing-text.ts';
import { type ActionContext, type BegunAction, unitText } from './action.ts';
import { ObjectWriter } from './object-writer.ts';

/** One object between the arrivals of its creation and of its delete. */
type Lifecycle = { state: 'creating'; deleteDueUs?: number } | { state: 'deletable' } | { state: 'absent' };

export function beginChurn(action: ChurnAction, context: ActionContext): BegunAction {
  const churns = objectsOfUnit(action.object).map((object) => new Churn(object, context));
  // Two cursors over one plan for each object: the deletes follow the creations by the lifetime.
  const plan = () =>
    arrivalPlan({
      ...action,
      limit: { durationMs: action.durationMs },
      seed: `${context.seed}/arrivals`,
    });
  const { shard, zeroUs, tally } = context;
  const creates = churns.map(
    (churn) =>
      new ArrivalStream({
        plan: plan(),
        shard,
        zeroUs,
        onArrival: (index, dueUs) => churn.create(index, dueUs),
        onAbandoned: (index) => churn.abandonCreate(index),
        tally,
      }),
  );
  const deletes = churns.map(
    (churn) =>
      new ArrivalStream({
        plan: plan(),
        shard,
        zeroUs: zeroUs + action.lifetimeMs * 1_000,
        followsByUs: action.lifetimeMs * 1_000,
        onArrival: (index, dueUs) => churn.delete(index, dueUs),
        onAbandoned: (index) => churn.abandonDelete(index),
        tally,
      }),
  );
  return {
    // Creations first: with no lifetime at all, both are due at one instant. A unit goes in the opposite order.
    streams: [...creates, ...deletes.reverse()],
    expectedPodCount: 0,
    description: `churn ${unitText(action.object)} at ${pacingText(action)}, each living ${formatMs(action.lifetimeMs)}`,
  };
}

class Churn {
  readonly #writer: ObjectWriter;
  readonly #context: ActionContext;
  /** Map<index, Lifecycle>: as many as live at once. */
  readonly #lifecycles = new Map<number, Lifecycle>();

  constructor(object: ObjectTemplate, context: ActionContext) {
    this.#writer = new ObjectWriter(object, context);
    this.#context = context;
  }

  create(index: number, dueUs: number): void {
    const lifecycle: Lifecycle = { state: 'creating' };
    this.#lifecycles.set(index, lifecycle);
    const started = this.#writer.create(index, dueUs, (end) =>
      this.#created(index, lifecycle, mayExist(end.outcome)),
    );
    if (!started) this.#lifecycles.set(index, { state: 'absent' });
  }

  delete(index: number, dueUs: number): void {
    const lifecycle = this.#lifecycles.get(index);
    if (lifecycle === undefined || lifecycle.state === 'absent') {
      this.#lifecycles.delete(index);
      this.#context.tally.voidedCount++;
      return;
    }
    this.#writer.offerDelete();
    if (lifecycle.state === 'creating') {
      lifecycle.deleteDueUs = dueUs;
      this.#context.tally.deferredCount++;
      return;
    }
    this.#lifecycles.delete(index);
    this.#writer.delete(index, dueUs);
  }

  abandonCreate(index: number): void {
    this.#lifecycles.set(index, { state: 'absent' });
    this.#writer.dropCreate();
  }

  abandonDelete(index: number): void {
    const lifecycle = this.#lifecycles.get(index);
    if (lifecycle === undefined || lifecycle.state === 'absent') {
      this.#context.tally.voidedCount++;
      return;
    }
    this.#writer.offerDelete();
    this.#writer.dropDelete('stopped');
  }

  #created(index: number, lifecycle: { state: 'creating'; deleteDueUs?: number }, exists: boolean): void {
    const { deleteDueUs } = lifecycle;
    if (deleteDueUs === undefined) {
      this.#lifecycles.set(index, exists ? { state: 'deletable' } : { state: 'absent' });
      return;
    }
    this.#lifecycles.delete(index);
    if (exists) this.#writer.delete(index, deleteDueUs);
    else this.#writer.dropDelete('no-object');
  }
}

// A refusal is certain; a timeout, a reset or a server error leaves open whether the object was stored.
function mayExist(outcome: Outcome): boolean {
  return outcome !== 'http-4xx' && outcome !== 'http-429';
}
