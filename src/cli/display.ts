/**
 * The run while it goes on. A terminal gets at most ten lines, redrawn four times a second; anything else gets one
 * line each ten seconds and one for each step, so that a CI log can be read afterwards.
 */
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import {
  type CancelTimer,
  type Clock,
  formatMs,
  formatRate,
  formatUs,
  type TextSink,
} from '../core/index.ts';
import type { RunProgress } from '../run/index.ts';

const REDRAW_MS = 250;
const LINE_PERIOD_MS = 10_000;

export interface Display {
  /** Draws the last state and leaves it standing. Idempotent. */
  stop(): void;
}

/** Shows `progress` on `sink` until stopped. */
export function startDisplay(
  progress: RunProgress,
  options: { sink: TextSink; clock: Clock; colour: boolean; interactive: boolean },
): Display {
  return options.interactive ? redrawn(progress, options) : lineByLine(progress, options);
}

function redrawn(progress: RunProgress, options: { sink: TextSink; clock: Clock; colour: boolean }): Display {
  // log-update wants a whole stream; the sink is one wherever it is a terminal.
  const update = createLogUpdate(options.sink as NodeJS.WriteStream, { showCursor: true });
  const draw = () => update(liveLines(progress, options.clock.nowUs(), options.colour).join('\n'));
  const stop = every(REDRAW_MS, options.clock, draw);
  draw();
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      stop();
      update.clear();
      update.done();
    },
  };
}

function lineByLine(progress: RunProgress, options: { sink: TextSink; clock: Clock }): Display {
  let shownStep = '';
  let shownAtUs = 0;
  let shownNotices = 0;
  const show = () => {
    const step = stepName(progress);
    const nowUs = options.clock.nowUs();
    for (const notice of progress.notices.slice(shownNotices)) options.sink.write(`${notice}\n`);
    shownNotices = progress.notices.length;
    if (step === shownStep && nowUs - shownAtUs < LINE_PERIOD_MS * 1_000) return;
    shownStep = step;
    shownAtUs = nowUs;
    options.sink.write(`${statusLine(progress, nowUs)}\n`);
  };
  const stop = every(REDRAW_MS, options.clock, show);
  show();
  return { stop };
}

/** At most ten lines: step, progress, nodes and pods, load, health, and the newest notices. */
export function liveLines(progress: RunProgress, nowUs: number, colour: boolean): string[] {
  const strong = (text: string) => (colour ? styleText('bold', text, { validateStream: false }) : text);
  const warn = (text: string) => (colour ? styleText('yellow', text, { validateStream: false }) : text);
  const lines = [`${strong(stepName(progress))}  ${stepTime(progress, nowUs)}`];
  if (progress.detail !== '') lines.push(`  ${progress.detail}`);
  lines.push(
    `  nodes  ${progress.nodesReady} of ${progress.nodeCount} Ready${progress.nodesLost > 0 ? warn(`, ${progress.nodesLost} lost`) : ''}`,
    `  pods   ${progress.podsRunning} running, ${progress.podsPending} pending`,
  );
  if (progress.phaseNumber > 0) {
    const trouble = [
      progress.failedCount > 0 ? `${progress.failedCount} failed` : '',
      progress.droppedCount > 0 ? `${progress.droppedCount} dropped` : '',
    ].filter((text) => text !== '');
    lines.push(
      `  load   offered ${formatRate(progress.offeredPerSecond)}, achieved ${formatRate(progress.achievedPerSecond)}, ` +
        `${progress.inFlightCount} in flight${trouble.length > 0 ? warn(`, ${trouble.join(', ')}`) : ''}`,
      `  last window  p50 ${formatUs(progress.p50Us ?? Number.NaN)}, p99 ${formatUs(progress.p99Us ?? Number.NaN)}, ` +
        `slip p99 ${formatUs(progress.slipP99Us ?? Number.NaN)}, loop lag p99 ${formatUs(progress.loopLagP99Us ?? Number.NaN)}`,
    );
  }
  for (const notice of progress.notices.slice(-3)) lines.push(warn(`  ${notice}`));
  return lines.slice(0, 10);
}

/** One line that says where the run is, for logs. */
export function statusLine(progress: RunProgress, nowUs: number): string {
  const parts = [
    `[${formatMs((nowUs - progress.startedUs) / 1_000)}]`,
    `${stepName(progress)}${progress.detail === '' ? '' : ` (${progress.detail})`}:`,
    `nodes ${progress.nodesReady}/${progress.nodeCount} ready,`,
    `pods ${progress.podsRunning} running ${progress.podsPending} pending`,
  ];
  if (progress.phaseNumber > 0) {
    parts.push(
      `| offered ${formatRate(progress.offeredPerSecond)} achieved ${formatRate(progress.achievedPerSecond)}`,
      `| p50 ${formatUs(progress.p50Us ?? Number.NaN)} p99 ${formatUs(progress.p99Us ?? Number.NaN)}`,
      `| slip p99 ${formatUs(progress.slipP99Us ?? Number.NaN)} lag p99 ${formatUs(progress.loopLagP99Us ?? Number.NaN)}`,
    );
    if (progress.failedCount + progress.droppedCount > 0) {
      parts.push(`| ${progress.failedCount} failed ${progress.droppedCount} dropped`);
    }
  }
  return parts.join(' ');
}

function stepName(progress: RunProgress): string {
  if (progress.step !== 'phase') return progress.step;
  return `phase ${progress.phaseNumber}/${progress.phaseCount} ${progress.phase}`;
}

function stepTime(progress: RunProgress, nowUs: number): string {
  const elapsed = formatMs((nowUs - progress.stepStartedUs) / 1_000);
  if (progress.stepEndEstimateUs === undefined) return elapsed;
  const totalUs = progress.stepEndEstimateUs - progress.stepStartedUs;
  return `${elapsed} of about ${formatUs(totalUs)}`;
}

function every(periodMs: number, clock: Clock, action: () => void): () => void {
  let cancel: CancelTimer = () => {};
  const again = () => {
    cancel = clock.setTimer(() => {
      action();
      again();
    }, periodMs);
  };
  again();
  return () => cancel();
}
