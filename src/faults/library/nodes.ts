/** Faults of nodes: one disturbance of a share of the fleet, by seed or by zone. */
import type { Disturbance, FaultSettings } from '../../config/index.ts';
import type { FaultWorld, InducedFault } from './fault.ts';

/** Half of the nodes: enough to be seen, and below the 55 % at which a zone counts as unhealthy. */
const DEFAULT_RATIO = 0.5;

/** Disturbs the nodes that the suite chooses: a share (`ratio`), of a zone (`target`) if it names one. */
export async function disturbNodes(
  world: FaultWorld,
  settings: FaultSettings,
  disturbance: Disturbance,
  signal: AbortSignal,
): Promise<InducedFault> {
  const { target, ratio } = settings;
  const selection = {
    ratio: ratio ?? (target === undefined ? DEFAULT_RATIO : 1),
    ...(target === undefined ? {} : { zone: target }),
    seed: world.random.integer(2 ** 31),
  };
  const { id, nodeNames } = await world.fleet.begin(disturbance, selection, signal);
  const where = target === undefined ? '' : ` of ${target}`;
  return { targets: [`${nodeNames.length} nodes${where}`], heal: (healing) => world.fleet.end(id, healing) };
}
