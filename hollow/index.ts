export { Fleet, type FleetOptions, type FleetStats, type FleetWindow } from './fleet.ts';
export type { NodeTaint } from './kubelet/node-object.ts';
export type { KubeletServing } from './kubelet/server/kubelet-server.ts';
export { NetworkProgramming, type NetworkProgrammingWindow } from './proxy/network-programming.ts';
export { PROXY_IDENTITY } from './proxy/proxy.ts';
export {
  type FleetShard,
  fleetLabels,
  HOLLOW_TAINT,
  HOLLOW_TAINT_KEY,
  nodeName,
  RUN_LABEL,
  shardNodeIndexes,
} from './shard.ts';
export type { FleetCommand, StormEnded, StormStarted } from './storms/fleet-command.ts';
export { type SelectableFleet, selectNodes } from './storms/select-nodes.ts';
