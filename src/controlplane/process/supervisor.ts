/**
 * The supervisor's decision: how long an ended process stays ended. A kubelet or systemd restarts the members of a
 * real plane; here it is hollowmark, because several of them end by design when something they need fails:
 *
 *   kube-controller-manager, kube-scheduler   when they lose their lease (10 s without a renewal)
 *   kube-apiserver                            when it finds no etcd while it starts
 *   etcd                                      when its log cannot be saved
 *
 *   exit no. in a row   1        2        3       ...   n
 *   delay               first    first·f  first·f²      min(first·f^(n-1), max)
 *
 * A row ends when a process has lived for `resetAfterMs`.
 */
import type { Clock } from '../../core/index.ts';
import type { RestartPolicy } from '../levers/levers.ts';

/**
 * Quicker than a kubelet (which waits 10 s after the second exit and up to 5 min), so that a run of minutes sees the
 * member return: what is measured is the recovery of the plane and not the patience of what restarts it.
 */
export const RESTART_POLICY: RestartPolicy = {
  firstDelayMs: 1_000,
  factor: 2,
  maxDelayMs: 8_000,
  resetAfterMs: 15_000,
};

/** Remembers the exits of one process. */
export class RestartBackoff {
  readonly #policy: RestartPolicy;
  readonly #clock: Clock;
  #startedUs = 0;
  #inARowCount = 0;

  constructor(policy: RestartPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** The process was started just now. */
  started(): void {
    this.#startedUs = this.#clock.nowUs();
  }

  /** The process has ended just now: milliseconds until it is to be started again. */
  exited(): number {
    const { firstDelayMs, factor, maxDelayMs, resetAfterMs } = this.#policy;
    const livedMs = (this.#clock.nowUs() - this.#startedUs) / 1_000;
    if (livedMs >= resetAfterMs) this.#inARowCount = 0;
    this.#inARowCount++;
    return Math.min(firstDelayMs * factor ** (this.#inARowCount - 1), maxDelayMs);
  }
}
