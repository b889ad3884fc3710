/**
 * Patches objects that the load has made, each in its turn: who is next is decided when the arrival fires, because what
 * exists then depends on the server.
 */
import { type ResourceRef, resourceLabel } from '../../src/config/index.ts';
import { resourcePath } from '../../src/kube/index.ts';
import type { CallSeriesRecorder } from '../../src/measure/index.ts';
import type { DropReason } from '../calls/action-tally.ts';
import type { LiveObject } from '../objects/live-objects.ts';
import type { ActionContext } from './action.ts';

const MERGE_PATCH = 'application/merge-patch+json';

export class ObjectPatcher {
  readonly #resource: ResourceRef;
  readonly #subresource: string;
  readonly #context: ActionContext;
  readonly #series: CallSeriesRecorder;
  readonly #label: string;
  // Of this action alone: two that change the same objects side by side must not share out the turns.
  #turn = 0;

  /** `subresource` is empty for the object itself. */
  constructor(resource: ResourceRef, subresource: string, context: ActionContext) {
    this.#resource = resource;
    this.#subresource = subresource;
    this.#context = context;
    this.#label = resourceLabel(resource);
    this.#series = context.recorder.series({
      source: 'load',
      verb: 'patch',
      resource: this.#label,
      subresource,
      scope: 'resource',
      variant: '',
      phase: context.phase,
    });
  }

  /** Offers one patch, due at `dueUs`, and starts it with the body for the object whose turn it is, or drops it. */
  patch(dueUs: number, bodyOf: (object: LiveObject) => string): void {
    const { caller, tally, requestTimeoutMs, live } = this.#context;
    caller.offer(this.#series, tally);
    const objects = live.of(this.#label);
    const object = objects.ownAt(this.#turn++);
    if (object === undefined) {
      caller.drop(this.#series, tally, 'no-object');
      this.#context.discover(this.#resource);
      return;
    }
    caller.start({
      request: {
        method: 'PATCH',
        path: resourcePath(this.#resource, { ...object, subresource: this.#subresource }),
        body: bodyOf(object),
        contentType: MERGE_PATCH,
        timeoutMs: requestTimeoutMs,
        discardBody: true,
      },
      series: this.#series,
      tally,
      intendedUs: dueUs,
      onEnd: (end) => {
        if (end.reply?.status === 404) objects.remove(object);
      },
    });
  }

  drop(reason: DropReason): void {
    this.#context.caller.offer(this.#series, this.#context.tally);
    this.#context.caller.drop(this.#series, this.#context.tally, reason);
  }
}
