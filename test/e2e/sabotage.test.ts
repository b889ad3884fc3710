/**
 * The trust verdict under sabotage: a run that is spoiled in a known way says so, for that reason. Several ways share
 * a run where each shows in a check of its own.
 */
import { describe, expect, it } from 'vitest';
import { findLimiter, type RunResult, type TrustCheck } from '../../src/result/index.ts';
import { hollowmark, latestResult, SMALL_SUITE, untilOutput, workFolder } from '../helpers/cli.ts';
import { agentPid, pause, preloaded, starve } from '../helpers/sabotage.ts';

function checkOf(result: RunResult, name: string): TrustCheck {
  const check = result.verdicts.trust.checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`no check ${name}`);
  return check;
}

describe('the trust verdict', () => {
  // A machine that does something else for a moment makes a sane run look sick, rightly: then it is asked again.
  it('of a sane run is VALID', { retry: 2 }, async () => {
    await using folder = workFolder();
    const run = await hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    const { verdicts } = await latestResult(folder.path);
    const open = verdicts.trust.checks.filter((check) => check.state !== 'VALID');
    expect(open, run.all).toEqual([]);
    expect(verdicts.trust.state).toBe('VALID');
    expect(run.all).toMatch(/^TRUST VALID/m);
  });

  it('is INVALID for a load agent that starves and for a fleet agent that is paused, by their names', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /phase 2\/2 churn/);
    const [load, fleet] = await Promise.all([agentPid(run.pid, 'load-0'), agentPid(run.pid, 'fleet-0')]);
    await Promise.all([starve(load, 6_000), pause(fleet, 5_000)]);
    const { all, exitCode } = await run;
    const result = await latestResult(folder.path);
    expect(result.state, all).toBe('completed');
    expect(result.verdicts.trust.state).toBe('INVALID');
    expect(exitCode).toBe(3);
    expect(checkOf(result, 'schedule slip')).toMatchObject({ state: 'INVALID' });
    expect(checkOf(result, 'agent silence')).toMatchObject({
      state: 'INVALID',
      text: expect.stringContaining('fleet-0'),
    });
    // What was not spoiled is not suspected.
    for (const sound of ['completion', 'agents', 'missing pods', 'server clock', 'dropped arrivals'])
      expect(checkOf(result, sound).state, sound).toBe('VALID');
  });

  it('names a blocked event loop, a wrong clock and a saturated client', async () => {
    await using folder = workFolder();
    const run = await hollowmark(['run', SMALL_SUITE, '--set', 'load.maxInFlight=1'], {
      cwd: folder.path,
      env: preloaded({ clockShiftMs: 5_000, blockedAgent: 'observer-0' }),
    });
    const result = await latestResult(folder.path);
    expect(result.state, run.all).toBe('completed');
    expect(result.verdicts.trust.state).toBe('INVALID');
    expect(run.exitCode).toBe(3);
    expect(checkOf(result, 'event-loop lag')).toMatchObject({
      state: 'DEGRADED',
      text: expect.stringContaining('observer-0'),
    });
    expect(checkOf(result, 'server clock')).toMatchObject({ state: 'DEGRADED' });
    expect(checkOf(result, 'dropped arrivals')).toMatchObject({ state: 'INVALID' });
    expect(findLimiter(result).limiters[0]).toMatchObject({ name: 'generator', subject: 'load' });
    for (const sound of ['completion', 'agents', 'agent silence', 'missing pods', 'fleet', 'lease slip'])
      expect(checkOf(result, sound).state, sound).toBe('VALID');
  });
});
