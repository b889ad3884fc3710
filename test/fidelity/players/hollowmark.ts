/**
 * A hollowmark node: a fleet of one, with the settings that a suite without any would have.
 */
import { join } from 'node:path';
import { Fleet, fleetLabels, HOLLOW_TAINT, nodeName } from '../../../hollow/index.ts';
import { fleetSchema } from '../../../src/config/schema-fleet.ts';
import { fileLogger, systemClock } from '../../../src/core/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../../src/measure/index.ts';
import type { Player, PlayerContext } from './player.ts';

const NEVER = new AbortController().signal;

/** `compat: kubemark` plays under a name and in a column of its own. */
export function hollowmarkPlayer(
  context: PlayerContext,
  prefix: string,
  compat: 'none' | 'kubemark',
): Player {
  const { plane } = context.plane;
  // Whether it serves the kubelet API is no request of its own.
  const settings = { ...fleetSchema.parse({ nodes: 1, compat }), kubeletApi: false };
  const hollow = compat === 'kubemark';
  const fleet = new Fleet(
    {
      runId: 'fidelity',
      seed: 1,
      nodeNamePrefix: prefix,
      shard: { index: 0, count: 1 },
      settings,
      access: plane.admin,
      kubernetesVersion: plane.kubernetesVersion,
      labels: fleetLabels('fidelity', settings.labels),
      taints: [HOLLOW_TAINT],
      phase: 'fidelity',
    },
    {
      clock: systemClock,
      log: fileLogger(join(context.directory, 'hollowmark.log'), 'debug'),
      recorder: new RunCallRecorder(),
      podInstants: new PodInstantBuffer(),
    },
  );
  return {
    name: hollow ? 'compat' : 'hollowmark',
    nodeName: nodeName(prefix, 0),
    agents: hollow
      ? { kubelet: 'hollow-kubelet', proxy: 'hollow-proxy' }
      : { kubelet: 'kubelet/', proxy: 'kube-proxy/' },
    start: () => fleet.start(NEVER),
    stop: () => fleet.stop(),
  };
}
