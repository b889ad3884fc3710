/**
 * The storms of one phase, on its clock: told to the fleet when they are due, marked in the result with the nodes that
 * were hit, and healed at the end of the phase, whatever way it ends.
 */
import { INSTANT_STORMS, type StormAction } from '../config/index.ts';
import { type Clock, delay, HarnessError, onAbort } from '../core/index.ts';
import type { Agents } from './agents.ts';
import type { MarkLedger } from './mark-ledger.ts';

/** Fleets answer within a report; one that does not is about to be given up by the watchdog. */
const HEAL_GRACE_MS = 5_000;

export interface PhaseStormsParts {
  agents: Pick<Agents, 'beginStorm' | 'stormEnded' | 'healStorm'>;
  clock: Clock;
  marks: MarkLedger;
}

export class PhaseStorms {
  readonly #phase: { name: string };
  readonly #storms: readonly StormAction[];
  readonly #parts: PhaseStormsParts;
  /** Aborts when the phase is over. */
  readonly #end = new AbortController();
  #stopListening = () => {};
  #running: { storm: StormAction; done: Promise<void> }[] = [];

  constructor(phase: { name: string; actions: readonly { action: string }[] }, parts: PhaseStormsParts) {
    this.#phase = phase;
    this.#storms = phase.actions.filter((action): action is StormAction => action.action === 'storm');
    this.#parts = parts;
  }

  /** Every storm waits for its instant after `startUs`; an abort of `signal` ends them as heal() does. */
  begin(startUs: number, signal: AbortSignal): void {
    if (this.#storms.length === 0) return;
    this.#stopListening = onAbort(signal, () => this.#end.abort(signal.reason));
    this.#running = this.#storms.map((storm) => {
      const done = this.#run(storm, startUs);
      // Looked at by over() or heal(), which may come later.
      done.catch(() => {});
      return { storm, done };
    });
  }

  /** Resolves when every storm that ends by itself is over. @throws HM_AGENT_LOST, or the signal's reason */
  async over(signal: AbortSignal): Promise<void> {
    const lasting = this.#running.filter(({ storm }) => storm.durationMs !== undefined);
    if (lasting.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const stopListening = onAbort(signal, () => reject(signal.reason));
      Promise.all(lasting.map(({ done }) => done))
        .then(() => resolve(), reject)
        .finally(stopListening);
    });
  }

  /** Ends what still lasts, and waits until the fleet says so. Never throws. */
  async heal(): Promise<void> {
    this.#stopListening();
    this.#end.abort(new HarnessError('HM_INTERRUPTED', 'the phase is over'));
    await Promise.allSettled(this.#running.map(({ done }) => done));
  }

  async #run(storm: StormAction, startUs: number): Promise<void> {
    const { agents, clock, marks } = this.#parts;
    const { signal } = this.#end;
    const waitMs = (startUs - clock.nowUs()) / 1_000 + storm.afterMs;
    if (waitMs > 0) await delay(waitMs, { signal, clock });
    signal.throwIfAborted();
    const id = `${this.#phase.name}/${storm.name}`;
    const { disturbance, durationMs, selection } = storm;
    const started = await this.#answered((wait) =>
      agents.beginStorm(
        {
          type: 'storm',
          id,
          disturbance,
          selection,
          ...(durationMs === undefined || INSTANT_STORMS.has(disturbance.kind) ? {} : { durationMs }),
        },
        wait,
      ),
    );
    const nodeCount = started.nodeNames.length;
    const where = selection.zone === undefined ? '' : ` of ${selection.zone}`;
    const mark = marks.begin(
      {
        kind: 'storm',
        text: `${disturbance.kind} ${nodeCount.toLocaleString('en-US')} nodes${where}`,
        phase: this.#phase.name,
        nodeCount,
      },
      started.atUs,
    );
    const stopListening = onAbort(signal, () => agents.healStorm(id));
    try {
      mark.end(await this.#answered((wait) => agents.stormEnded(id, wait)));
    } finally {
      stopListening();
    }
  }

  /** Waits for the fleet, also beyond the end of the phase, though not for ever then. */
  async #answered<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#parts;
    const limit = new AbortController();
    let cancel = () => {};
    const stopListening = onAbort(this.#end.signal, () => {
      cancel = clock.setTimer(() => limit.abort(this.#end.signal.reason), HEAL_GRACE_MS);
    });
    try {
      return await ask(limit.signal);
    } finally {
      stopListening();
      cancel();
    }
  }
}
