export {
  BEHAVIOUR_ANNOTATIONS,
  BEHAVIOUR_KEY,
  type ContainerBehaviour,
  type NamedBehaviour,
  PRESSURES,
  type Pressure,
  requestedBehaviour,
} from './behaviours.ts';
export { BUILT_IN_TEMPLATES } from './built-in-templates.ts';
export { FAULT_KINDS, FAULT_NAMES, type FaultName, type FaultNeed } from './fault-kinds.ts';
export type { FaultSettings, FaultsSettings } from './faults.ts';
export { nodePodCapacity, type PodFootprint, podFootprint } from './footprint.ts';
export { type JsonSchema, publishedSchema } from './json-schema.ts';
export { type LoadedSuite, loadSuite, type SuiteCheck, type SuiteSource } from './load.ts';
export type { SuiteOverrides } from './overrides.ts';
export type { ProbesAction } from './probes.ts';
export { parseResourceQuantity } from './quantities.ts';
export { referencePage } from './reference.ts';
export { objectsOfUnit, podsOfUnit } from './resolve-object.ts';
export { BUILT_IN_RESOURCE_NAMES, parseResource, resourceLabel } from './resources.ts';
export { COMPONENTS } from './schema-control-plane.ts';
export { TOPOLOGY_NAMES } from './schema-topology.ts';
export { readSuiteSource, shippedSuites, suitesFolder } from './source.ts';
export {
  type Disturbance,
  INSTANT_STORMS,
  type NodeSelection,
  STORM_KINDS,
  type StormAction,
  type StormKind,
} from './storm.ts';
export type {
  ActionPacing,
  Arrival,
  ChurnAction,
  ControlPlaneSettings,
  CreateAction,
  FleetSettings,
  LoadAction,
  LoadPhase,
  LoadSettings,
  ObjectTemplate,
  PodBehaviour,
  Profile,
  RateShape,
  ReadConsistency,
  ReadsAction,
  ReadTemplate,
  ResourceRef,
  ScaleAction,
  SloSettings,
  Suite,
  ThresholdSettings,
  UpdateAction,
  WarmUpSettings,
  WatchesAction,
} from './suite.ts';
export {
  type HealthCheck,
  TOPOLOGIES,
  type TopologyName,
  type TopologySettings,
  type TopologyWeakness,
  topologyWarnings,
  topologyWeaknesses,
  ZONE_LAYOUTS,
  type ZoneLayout,
  zoneOf,
  zonesInTurn,
} from './topology.ts';
