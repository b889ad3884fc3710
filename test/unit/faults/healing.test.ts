import { describe, expect, it } from 'vitest';
import type { FaultName, FaultSettings } from '../../../src/config/index.ts';
import type { PlaneLevers } from '../../../src/controlplane/index.ts';
import { FaultRun, type FaultWorld, ProbeLog } from '../../../src/faults/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

const S = 1_000;

/** A schedule of one fault, on a world that writes down what is done to it. */
function playing(fault: FaultName, more: Partial<FaultSettings> = {}, world: Partial<FaultWorld> = {}) {
  const clock = virtualClock();
  const done: string[] = [];
  const levers = {
    instances: () => [
      { name: 'kube-apiserver-0', component: 'kube-apiserver', state: 'running', exitCount: 0 },
      { name: 'kube-apiserver-1', component: 'kube-apiserver', state: 'running', exitCount: 0 },
    ],
    pause: (name: string) => done.push(`pause ${name}`),
    resume: (name: string) => done.push(`resume ${name}`),
    awaitReady: async () => {},
    healAll: async () => void done.push('heal all'),
  };
  const marks: string[] = [];
  const hard = new AbortController();
  const end = new AbortController();
  const log = { error: () => {}, warn: () => {}, info: () => {} };
  const run = new FaultRun({
    settings: {
      probes: { balancedPerSecond: 20, memberPerSecond: 4, deploymentsPerSecond: 1, timeoutMs: 10_000 },
      phase: 'faults',
      order: 'sequence',
      pauseMs: 5 * S,
      schedule: [{ fault, with: [], expect: 'met', ...more }],
    },
    seed: 1,
    world: {
      levers: levers as unknown as PlaneLevers,
      clock,
      log,
      random: { next: () => 0, integer: () => 0 },
      runCommand: async (command: string) => void done.push(command),
      ...world,
    } as unknown as FaultWorld,
    log: new ProbeLog(),
    system: undefined,
    limits: { writeLimitUs: 1e6, readLimitUs: 1e6, quantile: 0.99 },
    fleetCounts: () => ({ reconnectCount: 0, relistCount: 0 }),
    listings: async () => [],
    convergence: async () => {
      throw new Error('nothing to count');
    },
    weaknesses: () => [],
    hard: hard.signal,
    sinceStartMs: (atUs) => atUs / 1_000,
    onInduced: (text) => {
      marks.push(`begin ${text}`);
      return () => marks.push(`end ${text}`);
    },
    onStep: () => {},
  });
  const played = run.play(0, end.signal).then(
    () => 'played',
    (error: Error) => error.message,
  );
  return { run, clock, done, marks, hard, end, played };
}

const stop = (controller: AbortController) => controller.abort(new Error('interrupted'));

describe('a fault whose run is interrupted', () => {
  it('is healed at once, is marked as over, and says that it was interrupted', async () => {
    const { run, clock, done, marks, end, played } = playing('apiserver-hang', { durationMs: 60 * S });
    await clock.advance(10 * S);
    expect(done).toEqual(['pause kube-apiserver-0']);
    stop(end);
    expect(await played).toBe('interrupted');
    expect(done).toEqual(['pause kube-apiserver-0', 'resume kube-apiserver-0']);
    expect(marks).toEqual(['begin apiserver-hang', 'end apiserver-hang']);
    expect(run.cards[0]).toMatchObject({
      healedMs: 10 * S,
      verdict: { state: 'no-data', text: expect.stringContaining('interrupted') },
    });
  });

  it('is not healed any more when stopped at once: what it hit is torn down', async () => {
    const { run, clock, done, hard, end, played } = playing('apiserver-hang', { durationMs: 60 * S });
    await clock.advance(10 * S);
    stop(hard);
    stop(end);
    await played;
    expect(done).toEqual(['pause kube-apiserver-0']);
    expect(run.cards[0]).toMatchObject({
      state: 'interrupted',
      reason: expect.stringContaining('not healed'),
    });
  });

  it('has its healing broken off by the second interrupt, not by the first', async () => {
    let healing: AbortSignal | undefined;
    const levers = {
      instances: () => [{ name: 'kube-apiserver-0', component: 'kube-apiserver', state: 'running' }],
      pause: () => {},
      resume: () => {},
      awaitReady: (_name: string, signal: AbortSignal) => {
        healing = signal;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    } as unknown as PlaneLevers;
    const { clock, hard, end, played } = playing('apiserver-hang', { durationMs: 60 * S }, { levers });
    await clock.advance(10 * S);
    stop(end);
    await clock.advance(5 * S);
    expect(healing?.aborted).toBe(false);
    stop(hard);
    expect(await played).toBe('interrupted');
    expect(healing?.aborted).toBe(true);
  });

  it("is healed by the user's command also when stopped at once: nothing else takes it away", async () => {
    const commands = { induce: 'break it', heal: 'mend it', durationMs: 60 * S };
    const { run, clock, done, hard, end, played } = playing('command', commands);
    await clock.advance(10 * S);
    stop(hard);
    stop(end);
    await played;
    expect(done).toEqual(['break it', 'mend it']);
    expect(run.cards[0]?.state).toBe('completed');
  });
});

describe('a fault that cannot be induced', () => {
  it("is healed by the user's command all the same: half of it may have happened", async () => {
    const done: string[] = [];
    const runCommand = async (command: string) => {
      done.push(command);
      if (command === 'break it') throw new Error('exit code 3');
    };
    const commands = { induce: 'break it', heal: 'mend it' };
    const { run, clock, played } = playing('command', commands, { runCommand });
    await clock.advance(10 * S);
    expect(await played).toBe('played');
    expect(done).toEqual(['break it', 'mend it']);
    expect(run.cards[0]).toMatchObject({
      state: 'not-induced',
      verdict: { state: 'no-data', text: 'could not be induced: exit code 3' },
    });
  });

  it('is mended by every lever there is', async () => {
    const { clock, done, played } = playing('apiserver-hang', { target: 'kube-apiserver-7' });
    await clock.advance(10 * S);
    expect(await played).toBe('played');
    expect(done).toEqual(['heal all']);
  });

  it('has those healed that had been induced together with it', async () => {
    const runCommand = async (command: string) => {
      if (command === 'break it') throw new Error('exit code 3');
    };
    const commands = { induce: 'break it', heal: 'mend it', with: ['command'] as FaultName[] };
    const { clock, done, played } = playing('apiserver-hang', commands, { runCommand });
    await clock.advance(10 * S);
    expect(await played).toBe('played');
    expect(done).toEqual(['pause kube-apiserver-0', 'resume kube-apiserver-0', 'heal all']);
  });
});
