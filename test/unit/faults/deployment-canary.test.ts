import { describe, expect, it } from 'vitest';
import { DeploymentCanaries } from '../../../src/faults/index.ts';
import { ScriptedDispatcher } from '../../helpers/scripted-dispatcher.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

describe('canary Deployments', () => {
  it('that could not be removed are removed with a later one', async () => {
    const clock = virtualClock();
    let isAway = false;
    const dispatcher = new ScriptedDispatcher(clock, 100, () =>
      isAway ? { serviceMs: 10, failure: 'connection' } : { serviceMs: 10 },
    );
    const canaries = new DeploymentCanaries({
      namespace: 'probes',
      labels: {},
      placement: { nodeSelector: {}, tolerations: [] },
      timeoutMs: 1_000,
      clock,
      dispatcher,
    });
    const deletions = () =>
      dispatcher.seen
        .filter(({ request }) => request.method === 'DELETE')
        .map(({ request }) => request.path.replace(/.*\//, ''));
    canaries.fire(clock.nowUs());
    await clock.advance(95_000);
    // Canary 0 has never had a pod; it is old enough to go, and the API is away.
    isAway = true;
    canaries.fire(clock.nowUs());
    await clock.advance(3_000);
    expect(deletions()).toEqual(['canary-0']);
    isAway = false;
    canaries.fire(clock.nowUs());
    await clock.advance(3_000);
    expect(deletions()).toEqual(['canary-0', 'canary-0']);
    canaries.fire(clock.nowUs());
    await clock.advance(3_000);
    expect(deletions()).toEqual(['canary-0', 'canary-0']);
  });
});
