/**
 * The result as far as it is known, written while the run goes on: what a run leaves that is killed. Once for each
 * closed window, as long as that is cheap: what the last one took is kept below a hundredth of the time, so that a long
 * run with many figures is not slowed down by writing them.
 */
import type { ControlPlane } from '../controlplane/index.ts';
import { type Clock, describeError, formatMs, type Logger } from '../core/index.ts';
import type { RunFacts } from './assemble.ts';

/** Time between two checkpoints, at least, in lengths of the last one. */
const SPACING = 100;

export class Checkpoint {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #write: () => Promise<void>;
  #notBeforeUs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #ended = false;

  /** `write` puts the result together and on disk. */
  constructor(write: () => Promise<void>, { clock, log }: { clock: Clock; log: Logger }) {
    this.#write = write;
    this.#clock = clock;
    this.#log = log;
  }

  /** A window has closed: writes unless that is too early, still being done, or over. Failures are logged only. */
  due(): void {
    const startUs = this.#clock.nowUs();
    if (this.#ended || this.#writing !== undefined || startUs < this.#notBeforeUs) return;
    this.#writing = this.#write()
      .catch((error: unknown) => this.#log.warn({ error: describeError(error) }, 'checkpoint not written'))
      .finally(() => {
        this.#notBeforeUs = startUs + (this.#clock.nowUs() - startUs) * SPACING;
        this.#writing = undefined;
      });
  }

  /** Writes no more; resolves when the last one is on disk, so that the final result is not overtaken. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#writing;
  }
}

/** How a run ended of which nothing is left but its last checkpoint, `afterMs` after its start. */
export function brokenOff(
  plane: ControlPlane,
  runId: string,
  afterMs: number,
): Pick<RunFacts, 'state' | 'reason' | 'error' | 'cleanUp'> {
  const isLocal = plane.provider === 'local';
  const text = isLocal
    ? 'not done: the control plane ended with hollowmark'
    : `not done: \`hollowmark clean --run ${runId}\` removes what is left`;
  return {
    state: 'failed',
    reason: `hollowmark ended before the run did: this is what it had after ${formatMs(afterMs)}`,
    error: undefined,
    cleanUp: { state: isLocal ? 'skipped' : 'left', leftCount: 0, durationMs: 0, text },
  };
}
