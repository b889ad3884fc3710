/**
 * Thresholds with abort-on-fail, looked at while the run goes on: whenever a window closes, over everything recorded
 * so far. The first that is missed ends the run, once. Between phases and in clean-up nothing is looked at: what is
 * left to do then costs the cluster nothing.
 */
import type { LoadPhase, ThresholdSettings } from '../config/index.ts';
import { HarnessError } from '../core/index.ts';
import { checkThreshold, parseThreshold, type ThresholdInput } from '../result/index.ts';

/** Figures recorded so far. */
export type ThresholdFigures = Omit<ThresholdInput, 'phases'>;

export class ThresholdWatch {
  readonly #watched: readonly (ThresholdSettings & { phase: string | undefined })[];
  readonly #onMissed: (error: HarnessError) => void;
  readonly #phases: { name: string; measured: boolean; startMs: number; endMs: number }[] = [];
  #open = false;
  #ended = false;

  /** `onMissed` is told of the first threshold that is missed. */
  constructor(thresholds: readonly ThresholdSettings[], onMissed: (error: HarnessError) => void) {
    this.#watched = thresholds
      .filter(({ abortOnFail }) => abortOnFail)
      .map((threshold) => ({ ...threshold, phase: phaseOf(threshold.expression) }));
    this.#onMissed = onMissed;
  }

  /** Instants are milliseconds since the start of the run. */
  beginPhase({ name, measured }: Pick<LoadPhase, 'name' | 'measured'>, startMs: number): void {
    this.#phases.push({ name, measured, startMs, endMs: startMs });
    this.#open = true;
  }

  endPhase(endMs: number): void {
    this.#advance(endMs);
    this.#open = false;
  }

  /** Holds every threshold whose grace is over at `nowMs` against `figures`, which is asked for only then. */
  check(nowMs: number, figures: () => ThresholdFigures): void {
    if (this.#ended || !this.#open) return;
    this.#advance(nowMs);
    const due = this.#watched.filter((threshold) => this.#isDue(threshold, nowMs));
    if (due.length === 0) return;
    const input: ThresholdInput = { ...figures(), phases: this.#phases };
    for (const { expression } of due) {
      const check = checkThreshold(input, expression);
      if (check.state !== 'fail') continue;
      this.#ended = true;
      this.#onMissed(
        new HarnessError('HM_THRESHOLD_FAILED', `threshold missed in mid-run: ${check.text}`, {
          hint: 'it has abortOnFail: the run ended early, with what was recorded until then',
        }),
      );
      return;
    }
  }

  #isDue({ phase, graceMs }: ThresholdSettings & { phase: string | undefined }, nowMs: number): boolean {
    const first = this.#phases.find(({ name, measured }) =>
      phase === undefined ? measured : name === phase,
    );
    return first !== undefined && nowMs > first.startMs && nowMs >= first.startMs + graceMs;
  }

  #advance(nowMs: number): void {
    const last = this.#phases.at(-1);
    if (last !== undefined && this.#open) last.endMs = Math.max(last.endMs, nowMs);
  }
}

function phaseOf(expression: string): string | undefined {
  const parsed = parseThreshold(expression);
  return 'message' in parsed ? undefined : parsed.labels['phase'];
}
