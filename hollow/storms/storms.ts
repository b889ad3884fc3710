/**
 * The storms of one fleet shard while they last: disturbs the chosen nodes, keeps flapping ones flapping, and takes
 * everything back at the end, by its own timer or when told to.
 */
import type { SecureContext } from 'node:tls';
import { INSTANT_STORMS } from '../../src/config/index.ts';
import {
  type CancelTimer,
  type Clock,
  delay,
  HarnessError,
  type Logger,
  type Random,
  seededRandom,
} from '../../src/core/index.ts';
import type { FleetCommand, StormEnded, StormStarted } from './fleet-command.ts';
import type { NodeCertificate } from './node-certificate.ts';
import type { NodeDisturbance } from './node-disturbance.ts';

/** A node that runs, as storms see it. */
export interface StormNode {
  /** With client certificates. */
  readonly certificate: NodeCertificate | undefined;
  cutConnections(): void;
}

/** What storms do to their fleet. Numbers are over the whole fleet. */
export interface StormFleet {
  nameOf(index: number): string;
  /** Of every node of this shard, also of one that has not begun to register. */
  disturbance(index: number): NodeDisturbance;
  node(index: number): StormNode | undefined;
  /** Drops all state of the node and begins its registration. */
  restart(index: number): void;
}

export interface StormsOptions {
  clock: Clock;
  log: Logger;
  fleet: StormFleet;
  /** A TLS context that the API server refuses. */
  expiredContext: () => Promise<SecureContext | undefined>;
  /** Told of each storm's end, once. */
  onEnded: (ended: StormEnded) => void;
}

type StormCommand = Extract<FleetCommand, { type: 'storm' }>;

interface Storm {
  readonly command: StormCommand;
  readonly indexes: readonly number[];
  /** Aborts when the storm is over. */
  readonly over: AbortController;
  cancelEnd: CancelTimer;
  /** Takes back what was done to node `index`. */
  undo: (index: number) => void;
}

export class Storms {
  readonly #options: StormsOptions;
  readonly #storms = new Map<string, Storm>();
  #stopped = false;

  constructor(options: StormsOptions) {
    this.#options = options;
  }

  /** Storms that last. */
  get count(): number {
    return this.#storms.size;
  }

  /**
   * Begins a storm on the nodes numbered `indexes`, which belong to this shard.
   * @throws HM_USAGE for an id in use, or certificates that nodes do not have
   */
  async begin(command: StormCommand, indexes: readonly number[]): Promise<StormStarted> {
    const { clock, fleet, log } = this.#options;
    const { disturbance, id } = command;
    if (this.#storms.has(id)) throw new HarnessError('HM_USAGE', `a storm ${id} is under way`);
    const expired =
      disturbance.kind === 'expire-certificates' ? await this.#options.expiredContext() : undefined;
    const storm: Storm = {
      command,
      indexes,
      over: new AbortController(),
      cancelEnd: () => {},
      undo: () => {},
    };
    const atUs = clock.nowUs();
    if (!this.#stopped) {
      this.#storms.set(id, storm);
      for (const index of indexes) {
        const state = fleet.disturbance(index);
        state.stormCount++;
        state.recoveringSinceUs = Number.NaN;
      }
      this.#disturb(storm, expired);
      if (command.durationMs !== undefined)
        storm.cancelEnd = clock.setTimer(() => this.#end(storm), command.durationMs);
      log.info({ storm: id, kind: disturbance.kind, nodes: indexes.length }, 'storm begins');
    }
    return {
      id,
      kind: disturbance.kind,
      atUs,
      nodeNames: indexes.map((index) => fleet.nameOf(index)),
    };
  }

  /** Ends a storm before its time. */
  heal(id: string): void {
    const storm = this.#storms.get(id);
    if (storm !== undefined) this.#end(storm);
  }

  /** Ends all; nothing begins any more. */
  stop(): void {
    this.#stopped = true;
    for (const storm of [...this.#storms.values()]) this.#end(storm);
  }

  #disturb(storm: Storm, expired: SecureContext | undefined): void {
    const { fleet, log } = this.#options;
    const { disturbance } = storm.command;
    switch (disturbance.kind) {
      case 'silence':
        for (const index of storm.indexes) fleet.disturbance(index).silenceCount++;
        storm.undo = (index) => fleet.disturbance(index).silenceCount--;
        return;
      case 'slow':
        for (const index of storm.indexes) fleet.disturbance(index).delayMs += disturbance.delayMs;
        storm.undo = (index) => {
          fleet.disturbance(index).delayMs -= disturbance.delayMs;
        };
        return;
      case 'expire-certificates':
        for (const index of storm.indexes) fleet.node(index)?.certificate?.expire(expired);
        storm.undo = (index) => fleet.node(index)?.certificate?.restore();
        return;
      case 'flap':
        storm.undo = this.#flap(storm, disturbance);
        return;
      case 'restart':
      case 'drop-connections':
        this.#hitEach(storm, disturbance).catch((error: unknown) => {
          if (!storm.over.signal.aborted) log.error({ err: error }, 'storm failed');
        });
    }
  }

  /** Hits node after node, evenly over the time; then the storm is over. */
  async #hitEach(
    storm: Storm,
    { kind, overMs }: { kind: 'restart' | 'drop-connections'; overMs: number },
  ): Promise<void> {
    const { clock, fleet } = this.#options;
    const startUs = clock.nowUs();
    for (const [place, index] of storm.indexes.entries()) {
      const waitMs = (overMs * place) / storm.indexes.length - (clock.nowUs() - startUs) / 1_000;
      if (waitMs > 0) await delay(waitMs, { signal: storm.over.signal, clock });
      if (storm.over.signal.aborted) return;
      fleet.disturbance(index).recoveringSinceUs = clock.nowUs();
      if (kind === 'restart') fleet.restart(index);
      else fleet.node(index)?.cutConnections();
    }
    this.#end(storm);
  }

  /** Every chosen node goes silent after a part of a period of its own, and then in turn. Returns how to stop one. */
  #flap(storm: Storm, { silentMs, aliveMs }: { silentMs: number; aliveMs: number }): (index: number) => void {
    const { clock, fleet } = this.#options;
    const { id, selection } = storm.command;
    const stops = new Map<number, () => void>();
    for (const index of storm.indexes) {
      const state = fleet.disturbance(index);
      const random: Random = seededRandom(`${selection.seed}/flap/${id}/${index}`);
      let silent = false;
      let cancel: CancelTimer = () => {};
      const turn = () => {
        silent = !silent;
        state.silenceCount += silent ? 1 : -1;
        cancel = clock.setTimer(turn, silent ? silentMs : aliveMs);
      };
      cancel = clock.setTimer(turn, random.uniform(0, aliveMs));
      stops.set(index, () => {
        cancel();
        if (silent) state.silenceCount--;
      });
    }
    return (index) => stops.get(index)?.();
  }

  #end(storm: Storm): void {
    const { clock, fleet, log, onEnded } = this.#options;
    const { id, disturbance } = storm.command;
    if (!this.#storms.delete(id)) return;
    storm.cancelEnd();
    storm.over.abort(new HarnessError('HM_INTERRUPTED', `storm ${id} is over`));
    const atUs = clock.nowUs();
    const instant = INSTANT_STORMS.has(disturbance.kind);
    for (const index of storm.indexes) {
      storm.undo(index);
      const state = fleet.disturbance(index);
      state.stormCount--;
      state.stormEndedUs = atUs;
      // Nodes hit at an instant are on their way back since then.
      if (state.stormCount === 0 && !instant) state.recoveringSinceUs = atUs;
    }
    log.info({ storm: id }, 'storm ends');
    onEnded({ id, atUs });
  }
}
