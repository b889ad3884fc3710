/**
 * Creates and deletes objects of one template: the calls, the series they are recorded in, the instants of pods and
 * the registry of what exists.
 *
 * Pods that are created directly are followed from here: intended, sent, created, delete-sent, deleted. The names of
 * pods that a workload makes are not known here; such pods begin with their first event at the watcher.
 */
import { type ObjectTemplate, resourceLabel } from '../../src/config/index.ts';
import type { CallSeriesRecorder } from '../../src/measure/index.ts';
import type { CallEnd } from '../calls/load-caller.ts';
import { type CompiledTemplate, compileTemplate } from '../objects/compiled-template.ts';
import type { LiveObject, LiveObjectSet } from '../objects/live-objects.ts';
import type { ActionContext } from './action.ts';

export class ObjectWriter {
  readonly #context: ActionContext;
  readonly #template: CompiledTemplate;
  readonly #live: LiveObjectSet;
  readonly #creates: CallSeriesRecorder;
  readonly #deletes: CallSeriesRecorder;
  readonly #isPod: boolean;
  readonly #podCount: number;

  constructor(object: ObjectTemplate, context: ActionContext) {
    const { phase, recorder } = context;
    const resource = resourceLabel(object.resource);
    const key = { source: 'load', resource, subresource: '', scope: 'resource', variant: '', phase } as const;
    this.#context = context;
    this.#template = compileTemplate(object, context);
    this.#live = context.live.of(resource);
    this.#creates = recorder.series({ ...key, verb: 'create' });
    this.#deletes = recorder.series({ ...key, verb: 'delete' });
    this.#podCount = object.podCount;
    this.#isPod = object.kind === 'Pod' && object.resource.group === '';
  }

  objectAt(index: number): LiveObject {
    return this.#template.objectAt(index);
  }

  /** Offers the creation of object `index` and starts it; false where it was dropped. */
  create(index: number, intendedUs: number, onEnd?: (end: CallEnd) => void): boolean {
    const { caller, tally, podInstants, phase, requestTimeoutMs } = this.#context;
    caller.offer(this.#creates, tally);
    const object = this.objectAt(index);
    const { namespace, name } = object;
    const started = caller.start({
      request: {
        method: 'POST',
        path: this.#template.collectionPath(object),
        body: this.#template.render(index, object),
        timeoutMs: requestTimeoutMs,
        discardBody: true,
      },
      series: this.#creates,
      tally,
      intendedUs,
      onSent: (sentUs) => {
        if (!this.#isPod) return;
        podInstants.note('intended', namespace, name, intendedUs, { phase });
        podInstants.note('sent', namespace, name, sentUs);
      },
      onEnd: (end) => {
        if (end.outcome === 'ok') {
          tally.createdCount++;
          tally.createdPodCount += this.#podCount;
          this.#live.add(object, end.doneUs);
        }
        if (this.#isPod)
          podInstants.note(end.outcome === 'ok' ? 'created' : 'create-failed', namespace, name, end.doneUs);
        onEnd?.(end);
      },
    });
    return started;
  }

  dropCreate(): void {
    this.#context.caller.offer(this.#creates, this.#context.tally);
    this.#context.caller.drop(this.#creates, this.#context.tally, 'stopped');
  }

  offerDelete(): void {
    this.#context.caller.offer(this.#deletes, this.#context.tally);
  }

  /** Counts an offered delete as one that cannot be. */
  dropDelete(reason: 'no-object' | 'stopped'): void {
    this.#context.caller.drop(this.#deletes, this.#context.tally, reason);
  }

  /** Starts an offered delete of object `index`; false where it was dropped. */
  delete(index: number, intendedUs: number): boolean {
    const { caller, tally, podInstants, requestTimeoutMs } = this.#context;
    const object = this.objectAt(index);
    const { namespace, name } = object;
    // Out of the registry before it is sent: a GET must not race with the deletion of what it asks for.
    const wasLive = this.#live.remove(object);
    const started = caller.start({
      request: {
        method: 'DELETE',
        path: this.#template.deletePath(object),
        timeoutMs: requestTimeoutMs,
        discardBody: true,
      },
      series: this.#deletes,
      tally,
      intendedUs,
      onSent: (sentUs) => {
        if (this.#isPod) podInstants.note('delete-sent', namespace, name, sentUs);
      },
      onEnd: (end) => {
        if (this.#isPod && end.outcome === 'ok') podInstants.note('deleted', namespace, name, end.doneUs);
      },
    });
    if (!started && wasLive) this.#live.add(object, Number.NEGATIVE_INFINITY);
    return started;
  }
}
