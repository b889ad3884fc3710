/** The suite's faults as they are run: probes and schedule with every name filled in. */
import type { FaultsSettings } from './faults.ts';
import type { SuiteInput } from './schema.ts';
import type { FaultsInput } from './schema-faults.ts';

/** The section resolved; what is wrong with it is for check-faults.ts. */
export function resolveFaults(input: FaultsInput, suite: Pick<SuiteInput, 'load'>): FaultsSettings {
  return {
    probes: {
      balancedPerSecond: input.probes.rate,
      memberPerSecond: input.probes.memberRate,
      deploymentsPerSecond: input.probes.deployments,
      timeoutMs: input.probes.timeout,
    },
    phase: input.phase ?? suite.load.phases.at(-1)?.name ?? '',
    order: input.order,
    pauseMs: input.pause,
    schedule: input.schedule,
  };
}
