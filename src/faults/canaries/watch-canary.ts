/**
 * A watch on the probe objects through one path, kept as client-go keeps its own: resumed by resourceVersion, listed
 * again after a 410. It records what the invariant about watches needs: every version in order of arrival.
 */
import { type Clock, describeError, type Random } from '../../core/index.ts';
import { type Connection, frameResourceVersion, Reflector } from '../../kube/index.ts';
import { PROBE_LABEL } from './call-canary.ts';
import type { WatchIncident, WatchProgress } from './records.ts';

export interface WatchCanaryOptions {
  path: string;
  namespace: string;
  connection: Connection;
  clock: Clock;
  random: Random;
}

export class WatchCanary {
  readonly #options: WatchCanaryOptions;
  readonly #reflector: Reflector;
  #stretch = -1;
  /** From the first item of a list to its last: the reflector already stands at the list's version. */
  #listing = false;
  #listedVersion = 0;
  #listedBytes = 0;
  #highWaterVersion = 0;
  #events: [number, number][] = [];
  #incidents: WatchIncident[] = [];
  /** Progress of stretches that ended since the last drain. */
  #finished: WatchProgress[] = [];

  constructor(options: WatchCanaryOptions) {
    const { connection, clock, random, namespace } = options;
    this.#options = options;
    this.#reflector = new Reflector(
      connection,
      { path: `/api/v1/namespaces/${namespace}/configmaps`, labelSelector: PROBE_LABEL },
      {
        onReplace: () => {
          this.#listing = true;
          this.#listedBytes = 0;
        },
        onEvent: (_type, frame, initial) => {
          if (initial) {
            this.#listedBytes += frame.length + 1;
            return;
          }
          const version = Number(frameResourceVersion(frame));
          this.#events.push([version, clock.nowUs()]);
          this.#highWaterVersion = Math.max(this.#highWaterVersion, version);
        },
        onSynced: () => this.#onListed(),
        onResume: () => this.#note('resumed', 'the stream ended and goes on'),
        onFailure: (error) => this.#note('ended', describeError(error)),
      },
      { mode: 'list-watch', clock, random },
    );
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): void {
    this.#reflector.stop();
  }

  get isSynced(): boolean {
    return this.#reflector.isSynced;
  }

  /** What came since the last call. */
  drain(): { progress: WatchProgress[]; incidents: WatchIncident[] } {
    const progress = this.#finished.splice(0);
    if (this.#stretch >= 0) progress.push(this.#current());
    this.#events = [];
    return { progress, incidents: this.#incidents.splice(0) };
  }

  #onListed(): void {
    if (this.#stretch >= 0) {
      this.#finished.push(this.#current());
      this.#events = [];
    }
    this.#stretch++;
    this.#listing = false;
    this.#listedVersion = Number(this.#reflector.resourceVersion);
    this.#highWaterVersion = this.#listedVersion;
    if (this.#stretch > 0) {
      this.#note('relisted', `listed again at version ${this.#listedVersion}`);
      const incident = this.#incidents.at(-1);
      if (incident !== undefined) incident.receivedBytes = this.#listedBytes;
    }
  }

  #current(): WatchProgress {
    // A bookmark moves the reflector's version without an event.
    const told = this.#listing ? 0 : Number(this.#reflector.resourceVersion);
    return {
      watch: this.#options.path,
      stretch: this.#stretch,
      listedVersion: this.#listedVersion,
      events: this.#events,
      highWaterVersion: Math.max(this.#highWaterVersion, Number.isNaN(told) ? 0 : told),
    };
  }

  #note(what: WatchIncident['what'], text: string): void {
    const { path, clock } = this.#options;
    this.#incidents.push({ watch: path, atUs: clock.nowUs(), what, text });
  }
}
