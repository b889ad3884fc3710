/**
 * When a proxy rewrites its rules: upstream's bounded-frequency runner on the fleet's timers, with a sync that takes a
 * modelled time instead of writing anything.
 *
 *   state    | request()       | timer
 *   ---------+-----------------+------------------------------------------------------------
 *   idle     | begins a sync   | the longest interval is over: begins a sync
 *   running  | one more follows| the sync ends; at least the shortest interval passes
 *   cooling  | one more follows| begins the sync that was asked for, or is idle
 *
 * At least the shortest interval lies between the end of one sync and the start of the next; requests in between come to
 * one sync. Upstream also repeats a sync that failed after `syncPeriod`; this one cannot fail.
 * Source: pkg/proxy/runner/bounded_frequency_runner.go v1.36.3.
 */
import type { Clock } from '../../src/core/index.ts';
import { Timer, type Timers, type TimerTarget } from '../timers.ts';

/** kube-proxy's `minSyncPeriod`. Source: pkg/proxy/apis/config/v1alpha1/defaults.go v1.36.3 */
export const MIN_SYNC_INTERVAL_US = 1_000_000;
/** A sync comes at least this often. Source: FullSyncPeriod, pkg/proxy/util/utils.go v1.36.3 */
export const MAX_SYNC_INTERVAL_US = 3_600_000_000;

/** What is synced. */
export interface SyncWork {
  /** Takes what is pending; returns how long writing it takes, in µs. */
  beginSync(): number;
  /** The rules are in place. */
  endSync(): void;
}

export class SyncRunner implements TimerTarget {
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #work: SyncWork;
  readonly #timer = new Timer(this, 0);
  #state: 'idle' | 'running' | 'cooling' = 'idle';
  #requested = false;

  constructor(timers: Timers, clock: Clock, work: SyncWork) {
    this.#timers = timers;
    this.#clock = clock;
    this.#work = work;
  }

  /** Asks for a sync as soon as the intervals let it. */
  request(): void {
    if (this.#state === 'idle') this.#begin();
    else this.#requested = true;
  }

  stop(): void {
    this.#timers.cancel(this.#timer);
    this.#requested = false;
  }

  onTimer(): void {
    if (this.#state === 'running') this.#end();
    else if (this.#state === 'idle' || this.#requested) this.#begin();
    else this.#rest('idle', MAX_SYNC_INTERVAL_US - MIN_SYNC_INTERVAL_US);
  }

  #begin(): void {
    this.#requested = false;
    const durationUs = this.#work.beginSync();
    if (durationUs <= 0) this.#end();
    else this.#rest('running', durationUs);
  }

  #end(): void {
    this.#work.endSync();
    this.#rest('cooling', MIN_SYNC_INTERVAL_US);
  }

  #rest(state: 'idle' | 'running' | 'cooling', forUs: number): void {
    this.#state = state;
    this.#timers.arm(this.#timer, this.#clock.nowUs() + forUs);
  }
}
