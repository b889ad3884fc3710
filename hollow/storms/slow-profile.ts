/** Pods of a slow node: their sandboxes and containers take as much longer as its requests do. */
import type { ProfileOf } from '../kubelet/pods/pod-behaviour.ts';
import type { NodeDisturbance } from './node-disturbance.ts';

/** `profileOf` with the node's present slowness added to whatever begins under it. */
export function slowedBy(disturbance: NodeDisturbance, profileOf: ProfileOf): ProfileOf {
  return (spec) => {
    const profile = profileOf(spec);
    const { delayMs } = disturbance;
    if (delayMs === 0) return profile;
    return {
      ...profile,
      sandboxMs: profile.sandboxMs + delayMs,
      startMs: () => profile.startMs() + disturbance.delayMs,
    };
  };
}
