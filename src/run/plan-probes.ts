/** What the probes of a phase will ask: on the balanced path and on each API server behind a load balancer. */
import type { ProbesAction, Suite } from '../config/index.ts';
import type { PlannedAction, PlannedCall } from './plan-actions.ts';

/** The plan of `action` in a phase that takes `phaseMs`. Of an attached cluster one path is known. */
export function planProbes(action: ProbesAction, suite: Suite, phaseMs: number): PlannedAction {
  const { availability, propagation, readYourWrite } = action;
  const { provider, topology } = suite.controlPlane;
  const pathCount = provider === 'local' && topology.apiserverCount > 1 ? 1 + topology.apiserverCount : 1;
  const call = (
    verb: PlannedCall['verb'],
    resource: string,
    scope: PlannedCall['scope'],
    variant: string,
    perSecond: number,
  ): PlannedCall => ({
    verb,
    resource,
    scope,
    variant,
    count: Math.round((perSecond * phaseMs) / 1_000),
    perSecond,
    atOnce: 1,
  });
  const calls: PlannedCall[] = [];
  const parts: string[] = [];
  if (availability !== undefined) {
    const { ratePerSecond, endpoint } = availability;
    parts.push(`${endpoint} ${ratePerSecond}/s`);
    calls.push(
      call('get', endpoint.replace(/^\//, ''), 'cluster', 'availability', ratePerSecond * pathCount),
    );
  }
  if (propagation !== undefined) {
    const { ratePerSecond, watcherCount } = propagation;
    parts.push(`writes ${ratePerSecond}/s to ${watcherCount} watchers`);
    calls.push(call('patch', 'configmaps', 'resource', 'propagation', ratePerSecond));
  }
  if (readYourWrite !== undefined) {
    const { ratePerSecond } = readYourWrite;
    parts.push(`writes ${ratePerSecond}/s read back`);
    calls.push(
      call('patch', 'configmaps', 'resource', 'read-your-write', ratePerSecond),
      call('get', 'configmaps', 'resource', 'read-your-write', ratePerSecond * pathCount),
      call('list', 'configmaps', 'namespace', 'read-your-write', ratePerSecond * pathCount),
    );
  }
  const paths = pathCount === 1 ? 'one path' : `${pathCount} paths`;
  return {
    action: 'probes',
    name: action.name,
    description: `probe on ${paths}: ${parts.join(', ')}`,
    calls,
    durationMs: 0,
    watcherCount: propagation?.watcherCount ?? 0,
    watchEventsPerSecond: 0,
  };
}
