import { describe, expect, it } from 'vitest';
import { liveLines, startDisplay, statusLine } from '../../../src/cli/display.ts';
import { initialProgress } from '../../../src/run/progress.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

function busy() {
  const progress = initialProgress({ nowUs: 0, nodeCount: 100, phaseCount: 2 });
  return Object.assign(
    progress,
    {
      step: 'phase',
      phase: 'churn',
      phaseNumber: 2,
      nodesReady: 99,
      nodesLost: 1,
      podsRunning: 950,
      podsPending: 3,
      offeredPerSecond: 60,
      achievedPerSecond: 59.5,
      inFlightCount: 4,
      droppedCount: 2,
      failedCount: 1,
      p50Us: 4_200,
      p99Us: 38_000,
      slipP99Us: 900,
      loopLagP99Us: 2_100,
      notices: ['one', 'two', 'three', 'four'],
    } as const,
    { notices: ['one', 'two', 'three', 'four'] },
  );
}

describe('live display', () => {
  it('fits ten lines and says phase, nodes, pods, rates, percentiles, trouble and the newest notices', () => {
    const lines = liveLines(busy(), 60_000_000, false);
    expect(lines.length).toBeLessThanOrEqual(10);
    const text = lines.join('\n');
    for (const part of [
      'phase 2/2 churn',
      '99 of 100 Ready, 1 lost',
      '950 running, 3 pending',
      'offered 60.0/s',
      '2 dropped',
      'p99 38.0 ms',
      'four',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('one\n');
  });

  it('uses colours only when asked to', () => {
    const ansi = String.fromCharCode(27);
    expect(liveLines(busy(), 0, false).join('')).not.toContain(ansi);
    expect(liveLines(busy(), 0, true).join('')).toContain(ansi);
  });

  it('writes one line each ten seconds and one per step where nobody looks', async () => {
    const clock = virtualClock();
    const written: string[] = [];
    const progress = initialProgress({ nowUs: 0, nodeCount: 5, phaseCount: 1 });
    const display = startDisplay(progress, {
      sink: { write: (text: string) => written.push(text) },
      clock,
      colour: false,
      interactive: false,
    });
    await clock.advance(25_000);
    expect(written).toHaveLength(3);
    progress.step = 'registering nodes';
    progress.notices.push('something to know');
    await clock.advance(300);
    expect(written.slice(3)).toEqual(['something to know\n', expect.stringContaining('registering nodes')]);
    display.stop();
    await clock.advance(60_000);
    expect(written).toHaveLength(5);
    expect(clock.pending()).toBe(0);
  });

  it('names the load in the line of a phase', () => {
    expect(statusLine(busy(), 60_000_000)).toMatch(
      /^\[60\.0 s\] phase 2\/2 churn: nodes 99\/100 ready, .*1 failed 2 dropped$/,
    );
  });
});
