/**
 * Healing: what ends a fault, whatever way the run ends. It has a time of its own and not the run's signal, because it
 * is what an interrupt must not interrupt. The second interrupt ends it all the same where the control plane or the
 * fleet is torn down next; what a command of the user's broke stays, so the command that heals it is run to its end.
 */
import { FAULT_KINDS, type FaultSettings } from '../../config/index.ts';
import { describeError, HarnessError, onAbort } from '../../core/index.ts';
import type { FaultCard } from '../../result/index.ts';
import type { Fault, FaultWorld, InducedFault } from '../library/fault.ts';

/** Going back to another version takes a minute where nothing else runs, and is to end also where something does. */
const HEAL_TIMEOUT_MS = 300_000;

export class Healer {
  readonly #world: FaultWorld;
  readonly #hard: AbortSignal;

  /** `hard`: stop at once. */
  constructor(world: FaultWorld, hard: AbortSignal) {
    this.#world = world;
    this.#hard = hard;
  }

  /** Heals a fault that was induced, and writes down on its card how that went. Never throws. */
  async heal(induced: InducedFault, fault: Fault, settings: FaultSettings, card: FaultCard): Promise<void> {
    try {
      await this.#within(settings, (signal) => induced.heal(signal));
      card.state = 'completed';
    } catch (error) {
      this.#failed(error, settings, card);
      await this.#healAll(fault, settings);
    }
  }

  /** After an inducing that failed or was interrupted: mends what it had broken by then. Never throws. */
  async undo(fault: Fault, settings: FaultSettings, card: FaultCard): Promise<void> {
    try {
      await this.#within(settings, async (signal) => fault.undo?.(this.#world, settings, signal));
    } catch (error) {
      this.#failed(error, settings, card);
    }
    await this.#healAll(fault, settings);
  }

  #failed(error: unknown, settings: FaultSettings, card: FaultCard): void {
    const reason = describeError(error);
    card.reason = card.reason === undefined ? reason : `${card.reason}; ${reason}`;
    if (this.#hard.aborted && !outlivesRun(settings)) return;
    card.state = 'not-healed';
    this.#world.log.error({ fault: card.id, error: card.reason }, 'fault not healed');
  }

  /** The last resort: everything that the levers know to be broken. */
  async #healAll(fault: Fault, settings: FaultSettings): Promise<void> {
    const needs: readonly string[] = FAULT_KINDS[fault.name].needs;
    if (!needs.includes('local-plane') || this.#hard.aborted) return;
    await this.#within(settings, (signal) => this.#world.levers.healAll(signal)).catch((error: unknown) =>
      this.#world.log.error({ error: describeError(error) }, 'levers could not heal all'),
    );
  }

  async #within(settings: FaultSettings, heal: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const limit = new AbortController();
    const seconds = HEAL_TIMEOUT_MS / 1_000;
    const cancel = this.#world.clock.setTimer(
      () => limit.abort(new HarnessError('HM_CLUSTER_STATE', `not healed within ${seconds} s`)),
      HEAL_TIMEOUT_MS,
    );
    const stopListening = outlivesRun(settings)
      ? () => {}
      : onAbort(this.#hard, () => limit.abort(tornDown()));
    try {
      limit.signal.throwIfAborted();
      await heal(limit.signal);
    } finally {
      stopListening();
      cancel();
    }
  }
}

/** True for what nothing of hollowmark's takes with it when it ends. */
function outlivesRun(settings: FaultSettings): boolean {
  return [settings.fault, ...settings.with].includes('command');
}

function tornDown(): HarnessError {
  return new HarnessError(
    'HM_INTERRUPTED',
    'not healed: stopped at once, with the control plane or the nodes that it had hit',
  );
}
