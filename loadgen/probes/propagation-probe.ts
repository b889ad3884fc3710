/**
 * Write-to-watch propagation: one writer changes one object at a fixed rate, N watchers of it say when they were told.
 * Writer and watchers are in one process and read one clock, so that no skew is in the figures.
 */
import type { Random } from '../../src/core/index.ts';
import { type Connection, frameMember, Reflector, resourcePath } from '../../src/kube/index.ts';
import { EndlessStream } from '../pacer/endless-stream.ts';
import {
  CONFIG_MAPS,
  type OpenPath,
  type ProbeContext,
  probeSeries,
  sequencePatch,
} from './probe-context.ts';
import type { PropagationWindow } from './probe-window.ts';
import { PropagationMeter } from './propagation-meter.ts';

export interface PropagationSettings {
  ratePerSecond: number;
  watcherCount: number;
}

/** The object that is written and watched. */
export const PROPAGATION_OBJECT = 'propagation';
const SEQUENCE_PATH = ['object', 'data', 'sequence'];

/** Parts that differ between a real cluster and a test. */
export interface PropagationParts {
  random: Random;
  /** The connection that the next watcher goes on. */
  nextConnection: () => Connection;
  /** Of the first write: tells writes of this phase from those of phases before. */
  firstSequence: number;
}

export class PropagationProbe {
  readonly #meter: PropagationMeter;
  readonly #watchers: readonly Reflector[];
  readonly #settings: PropagationSettings;
  readonly #context: ProbeContext;
  readonly #writePath: OpenPath;
  #nextSequence: number;
  #reconnectCount = 0;

  constructor(
    writePath: OpenPath,
    settings: PropagationSettings,
    context: ProbeContext,
    parts: PropagationParts,
  ) {
    this.#settings = settings;
    this.#context = context;
    this.#writePath = writePath;
    this.#nextSequence = parts.firstSequence;
    this.#meter = new PropagationMeter(settings.watcherCount);
    this.#watchers = Array.from({ length: settings.watcherCount }, (_, index) => this.#watcher(index, parts));
  }

  /** Opens the watches. */
  watch(): void {
    for (const watcher of this.#watchers) watcher.start();
  }

  /** Every watcher has had its initial state. */
  get isWatching(): boolean {
    return this.#watchers.every((watcher) => watcher.isSynced);
  }

  /** Writes that some watcher has not seen yet. */
  get pendingCount(): number {
    return this.#meter.pendingCount;
  }

  /** Number that the next write will carry. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** The writes, from `zeroUs` on. */
  stream(zeroUs: number): EndlessStream {
    const { clock, tally, namespace, timeoutMs } = this.#context;
    const series = probeSeries(this.#context, {
      verb: 'patch',
      resource: CONFIG_MAPS.plural,
      scope: 'resource',
      variant: 'propagation',
    });
    const { caller } = this.#writePath;
    const path = resourcePath(CONFIG_MAPS, { namespace, name: PROPAGATION_OBJECT });
    return new EndlessStream({
      zeroUs,
      ratePerSecond: this.#settings.ratePerSecond,
      onArrival: (dueUs) => {
        const sequence = this.#nextSequence++;
        this.#meter.sweep(clock.nowUs());
        caller.offer(series, tally);
        caller.start({
          request: {
            method: 'PATCH',
            path,
            body: sequencePatch(sequence),
            contentType: 'application/merge-patch+json',
            timeoutMs,
            discardBody: true,
          },
          series,
          tally,
          intendedUs: dueUs,
          onSent: (sentUs) => this.#meter.sent(sequence, sentUs),
          onEnd: ({ outcome }) => {
            // A refusal is certain; after a deadline, a reset or a server error the write may stand.
            if (outcome === 'ok') return;
            const refused = outcome === 'http-4xx' || outcome === 'http-409' || outcome === 'http-429';
            this.#meter.failed(sequence, refused ? 'no' : 'maybe');
          },
        });
      },
    });
  }

  /** Ends the watches: what they have not seen by now they never will. */
  stop(): void {
    for (const watcher of this.#watchers) watcher.stop();
    this.#meter.finish();
  }

  /** Since the last call. */
  drain(): PropagationWindow {
    const meter = this.#meter;
    const window: PropagationWindow = {
      watcherCount: meter.watcherCount,
      writeCount: meter.writeCount,
      failedCount: meter.failedCount,
      completeCount: meter.completeCount,
      incompleteCount: meter.incompleteCount,
      unseenCount: meter.unseenCount,
      reconnectCount: this.#reconnectCount,
      first: meter.first.toWire(),
      last: meter.last.toWire(),
      spread: meter.spread.toWire(),
    };
    meter.reset();
    this.#reconnectCount = 0;
    return window;
  }

  #watcher(index: number, { random, nextConnection }: PropagationParts): Reflector {
    const { clock, namespace } = this.#context;
    return new Reflector(
      nextConnection(),
      {
        path: resourcePath(CONFIG_MAPS, { namespace }),
        fieldSelector: `metadata.name=${PROPAGATION_OBJECT}`,
      },
      {
        onEvent: (_type, frame) => {
          const nowUs = clock.nowUs();
          // A list after a break shows the newest write: that one is seen then, those between are missed.
          const sequence = Number((frameMember(frame, SEQUENCE_PATH) ?? '').replaceAll('"', ''));
          if (Number.isInteger(sequence)) this.#meter.received(index, sequence, nowUs);
        },
        onResume: () => {
          this.#reconnectCount++;
        },
        onFailure: () => {
          this.#reconnectCount++;
        },
      },
      { mode: 'watch-list', clock, random },
    );
  }
}
