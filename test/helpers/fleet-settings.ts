/** Settings of a small fleet as the suite's defaults make them, but for pods that take less time. */
import type { FleetSettings } from '../../src/config/index.ts';

/** Those settings with `changes`. */
export function fleetSettings(changes: Partial<FleetSettings> = {}): FleetSettings {
  return {
    nodeCount: 10,
    agentCount: 1,
    identity: 'impersonation',
    connections: 'per-node',
    fidelity: 'full',
    compat: 'none',
    rampPerSecond: 10,
    readyTimeoutMs: 120_000,
    nodeObjectBytes: 15_000,
    leaseDurationMs: 40_000,
    statusReportMs: 300_000,
    events: true,
    proxy: true,
    kubeletApi: false,
    proxySync: { baseUs: 0, perRuleUs: 0 },
    capacity: { cpu: '4', memory: '16Gi', podCount: 110, ephemeralStorage: '100Gi' },
    labels: { pool: 'test' },
    zones: [],
    behaviours: {},
    pods: {
      sandboxMs: { low: 300, high: 600 },
      startMs: { low: 50, high: 150 },
      stopMs: { low: 50, high: 150 },
    },
    compression: true,
    ...changes,
  };
}
