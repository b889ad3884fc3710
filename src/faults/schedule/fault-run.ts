/**
 * Plays a schedule of faults: quiet time, induce, wait, heal, settle, look, judge; one card each. Whatever happens, what
 * was broken is healed: when the fault's own time is over, when the phase ends early, on an interrupt and on a failure.
 */
import type { FaultSettings, FaultsSettings } from '../../config/index.ts';
import { FAULT_KINDS } from '../../config/index.ts';
import { delay, describeError } from '../../core/index.ts';
import type { FaultCard, FaultFinding, InvariantCheck } from '../../result/index.ts';
import type { ProbeLog } from '../canaries/probe-log.ts';
import { type ConvergenceView, checkConvergence } from '../invariants/convergence.ts';
import { checkLeaders } from '../invariants/leaders.ts';
import { checkBindings, checkPodDeletions } from '../invariants/pods.ts';
import { checkWatches } from '../invariants/watches.ts';
import { checkWrites, type Listing, resolveUnknown } from '../invariants/writes.ts';
import type { Fault, FaultWorld, InducedFault } from '../library/fault.ts';
import { judgeFault } from '../observation/judge.ts';
import { type FleetCounts, observe } from '../observation/observe.ts';
import type { SystemWatch } from '../observation/system-watch.ts';
import type { FaultWindow, ProbeLimits } from '../observation/window.ts';
import { Healer } from './healing.ts';
import { type ScheduledFault, scheduleOf } from './order.ts';
import { faultOf } from './together.ts';

/** What a schedule needs of the run. */
export interface FaultRunParts {
  settings: FaultsSettings;
  seed: number;
  world: FaultWorld;
  log: ProbeLog;
  /** Absent on clusters that hollowmark did not start. */
  system: SystemWatch | undefined;
  limits: ProbeLimits;
  fleetCounts: () => FleetCounts;
  /** Consistent lists of the probe objects through every path that answers. */
  listings: (signal: AbortSignal) => Promise<Listing[]>;
  convergence: (signal: AbortSignal) => Promise<ConvergenceView>;
  /** What is known to be wrong with the cluster for faults of this component, a sentence each. */
  weaknesses: (component: string) => readonly string[];
  /** Stop at once: what goes with the control plane and the fleet need not be healed any more. */
  hard: AbortSignal;
  /** Instants in the run's own time. */
  sinceStartMs: (atUs: number) => number;
  /** A fault begins; the returned function marks its end. */
  onInduced: (text: string, atUs: number) => (atUs: number) => void;
  onStep: (text: string) => void;
}

/** The prober reports once a second; what it saw is here after this. */
const REPORT_DELAY_MS = 2_500;
/** Patience with a cluster that has not recovered, before nothing is said of its writes. */
const LIST_PATIENCE_MS = 30_000;
const LIST_AGAIN_MS = 1_000;
/** Patience with nodes and pods that have not converged. */
const CONVERGENCE_MS = 60_000;
const CONVERGENCE_POLL_MS = 1_000;
/** Leases are looked at from this long before a fault: a leader may have been lost just before. */
const LEASE_SPAN_US = 30e6;

export class FaultRun {
  readonly #parts: FaultRunParts;
  readonly #healer: Healer;
  readonly #cards: FaultCard[] = [];

  constructor(parts: FaultRunParts) {
    this.#parts = parts;
    this.#healer = new Healer(parts.world, parts.hard);
  }

  get cards(): readonly FaultCard[] {
    return this.#cards;
  }

  /** Plays all of it from `startUs` on. An abort heals what is broken and rejects with the signal's reason. */
  async play(startUs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts.world;
    for (const scheduled of scheduleOf(this.#parts.settings, this.#parts.seed)) {
      const waitMs = (startUs - clock.nowUs()) / 1_000 + scheduled.notBeforeMs - scheduled.pauseMs;
      if (waitMs > 0) await delay(waitMs, { signal, clock });
      await this.#playOne(scheduled, signal);
    }
  }

  /** The invariants at the end of the run, when nothing is in motion any more. */
  async finalInvariants(signal: AbortSignal): Promise<InvariantCheck[]> {
    const { log } = this.#parts;
    const listings = await this.#parts.listings(signal);
    return [
      ...checkWrites(log.ledger, listings),
      checkWatches(log.stretches, log.ledger.writes, true),
      checkLeaders(log.leases, log.masters),
      checkBindings(log.pods),
      checkPodDeletions(log.pods),
    ];
  }

  async #playOne({ number, settings, pauseMs }: ScheduledFault, signal: AbortSignal): Promise<void> {
    const { world, sinceStartMs, onStep, onInduced } = this.#parts;
    const { clock, log } = world;
    const fault = faultOf(settings);
    const label = [settings.fault, ...settings.with].join(' + ');
    const card: FaultCard = {
      id: `${number}-${settings.fault}`,
      fault: label,
      component: FAULT_KINDS[settings.fault].component,
      target: settings.target ?? '',
      fails: fault.fails,
      induced: fault.induced,
      expected: fault.expected,
      observed: fault.observed,
      state: 'not-induced',
      invariants: [],
      expectedVerdict: settings.expect,
      verdict: { state: 'no-data', checks: [], text: 'was not induced' },
    };
    const weaknesses = this.#parts.weaknesses(card.component);
    if (weaknesses.length > 0) card.weaknesses = [...weaknesses];
    this.#cards.push(card);
    onStep(`before ${label}`);
    const beforeUs = clock.nowUs();
    await delay(pauseMs, { signal, clock });
    const inducedUs = clock.nowUs();
    card.inducedMs = sinceStartMs(inducedUs);
    const fleetBefore = this.#parts.fleetCounts();
    onStep(label);
    let induced: InducedFault;
    let endMark = (_atUs: number) => {};
    try {
      endMark = onInduced(label, inducedUs);
      induced = await fault.induce(world, settings, signal);
    } catch (error) {
      card.reason = describeError(error);
      card.verdict.text = `could not be induced: ${card.reason}`;
      log.error({ fault: card.id, error: card.reason }, 'fault not induced');
      onStep(`healing ${label}`);
      await this.#healer.undo(fault, settings, card);
      endMark(clock.nowUs());
      signal.throwIfAborted();
      return;
    }
    const inducedEndUs = clock.nowUs();
    card.target = induced.targets.join(', ');
    card.state = 'interrupted';
    card.verdict.text = 'was interrupted before anything could be said of it';
    let healedUs = inducedEndUs;
    try {
      const remainingMs = (settings.durationMs ?? fault.durationMs) - (clock.nowUs() - inducedUs) / 1_000;
      if (remainingMs > 0) await delay(remainingMs, { signal, clock });
    } finally {
      healedUs = clock.nowUs();
      card.healedMs = sinceStartMs(healedUs);
      onStep(`healing ${label}`);
      await this.#healer.heal(induced, fault, settings, card);
      endMark(clock.nowUs());
    }
    onStep(`after ${label}`);
    await delay(settings.settleMs ?? fault.settleMs, { signal, clock });
    const window: FaultWindow = { beforeUs, inducedUs, healedUs, endUs: clock.nowUs() };
    card.endMs = sinceStartMs(window.endUs);
    if (induced.rewoundToUs !== undefined) this.#parts.log.ledger.rewind(induced.rewoundToUs, inducedEndUs);
    await this.#look(card, fault, settings, window, fleetBefore, induced.findings?.() ?? [], signal);
  }

  async #look(
    card: FaultCard,
    fault: Fault,
    settings: FaultSettings,
    window: FaultWindow,
    fleetBefore: FleetCounts,
    findings: readonly FaultFinding[],
    signal: AbortSignal,
  ): Promise<void> {
    const { world, log, system, limits } = this.#parts;
    const { clock } = world;
    const { listings, quietSinceUs, reason } = await this.#listed(signal);
    if (reason !== undefined) card.reason = card.reason === undefined ? reason : `${card.reason}; ${reason}`;
    // Lists take their time; writes that crossed them are settled by then.
    await delay(REPORT_DELAY_MS, { signal, clock });
    const [first] = listings;
    const unknown =
      first === undefined
        ? { unknownCount: 0, appliedCount: 0 }
        : resolveUnknown(log.ledger, first, { fromUs: window.inducedUs, untilUs: window.endUs });
    const seen = observe({
      log,
      window,
      limits,
      notices: system?.notices ?? [],
      processes: system?.processes ?? [],
      findings,
      etcdLeaderChangeCount: system?.leaderChangeCount(window.inducedUs, window.endUs) ?? 0,
      fleet: { before: fleetBefore, after: this.#parts.fleetCounts() },
      unknown,
    });
    card.seen = seen;
    const recent = log.leases.filter(
      ({ atUs }) => atUs >= window.inducedUs - LEASE_SPAN_US && atUs < window.endUs,
    );
    card.invariants = [
      ...checkWrites(log.ledger, listings, { quietSinceUs }),
      checkWatches(log.stretches, log.ledger.writes, false),
      checkLeaders(recent, log.masters),
      checkBindings(log.pods),
      checkPodDeletions(log.pods),
      await this.#converged(signal),
    ];
    card.verdict = judgeFault(seen, fault.expectations(settings, world.timings), card.invariants);
    if (card.verdict.state === 'not-met' && card.weaknesses !== undefined)
      card.verdict.text += `. Known of this control plane: ${card.weaknesses.join('; ')}`;
    if (card.state === 'not-healed') {
      card.verdict.state = 'not-met';
      card.verdict.text = `could not be healed: ${card.reason}; ${card.verdict.text}`;
    }
  }

  /** The probe objects as every path lists them; none with the reason where the cluster does not answer any more. */
  async #listed(
    signal: AbortSignal,
  ): Promise<{ listings: Listing[]; quietSinceUs: number; reason?: string }> {
    const { clock } = this.#parts.world;
    const untilUs = clock.nowUs() + LIST_PATIENCE_MS * 1_000;
    for (;;) {
      const quietSinceUs = clock.nowUs();
      try {
        return { listings: await this.#parts.listings(signal), quietSinceUs };
      } catch (error) {
        signal.throwIfAborted();
        const reason = `the probe objects could not be listed: ${describeError(error)}`;
        if (clock.nowUs() > untilUs) return { listings: [], quietSinceUs, reason };
      }
      await delay(LIST_AGAIN_MS, { signal, clock });
    }
  }

  /** Polled until it holds or patience is over. */
  async #converged(signal: AbortSignal): Promise<InvariantCheck> {
    const { clock } = this.#parts.world;
    const untilUs = clock.nowUs() + CONVERGENCE_MS * 1_000;
    for (;;) {
      const check = await this.#parts
        .convergence(signal)
        .then(checkConvergence)
        .catch((error: unknown): InvariantCheck => {
          signal.throwIfAborted();
          const text = `nodes and pods could not be counted: ${describeError(error)}`;
          return {
            name: 'convergence',
            state: 'violated',
            examinedCount: 0,
            violationCount: 1,
            violations: [text],
            text,
          };
        });
      if (check.state !== 'violated' || clock.nowUs() > untilUs) return check;
      await delay(CONVERGENCE_POLL_MS, { signal, clock });
    }
  }
}
