export { DeploymentCanaries } from './canaries/deployment-canary.ts';
export { ProbeLog } from './canaries/probe-log.ts';
export { Prober, type ProbeShard } from './canaries/prober.ts';
export type {
  DeploymentCanary,
  LeaseSample,
  MasterSample,
  NodeSighting,
  PodSighting,
  ProbeBatch,
  ProbeCall,
  WatchIncident,
  WatchProgress,
  WatchStretch,
  WokenLeader,
} from './canaries/records.ts';
export { type PlannedWrite, WritePlan } from './canaries/write-plan.ts';
export { type ConvergenceView, checkConvergence } from './invariants/convergence.ts';
export { checkLeaders } from './invariants/leaders.ts';
export { checkBindings, checkPodDeletions } from './invariants/pods.ts';
export { checkWatches } from './invariants/watches.ts';
export { checkWrites, type ListedObject, type Listing, resolveUnknown } from './invariants/writes.ts';
export { type LedgerObject, type LedgerWrite, type ObjectState, WriteLedger } from './ledger/ledger.ts';
export { type CallEnd, type WriteOutcome, writeOutcome } from './ledger/outcome.ts';
export type { Fault, FaultWorld, FloodCounts, InducedFault } from './library/fault.ts';
export type { FleetLever } from './library/fleet-lever.ts';
export { FAULTS } from './library/library.ts';
export { type LeaseTimings, type Timings, timingsOf } from './library/timings.ts';
export { type Expectation, type FigureName, judgeFault } from './observation/judge.ts';
export { LeaderWatch, type ReplicaStatus, replicaStatus } from './observation/leader-watch.ts';
export { type FleetCounts, type Notice, type ObservationInput, observe } from './observation/observe.ts';
export { SystemWatch } from './observation/system-watch.ts';
export type { FaultWindow, ProbeLimits } from './observation/window.ts';
export { FaultRun, type FaultRunParts } from './schedule/fault-run.ts';
export { type ScheduledFault, scheduleOf } from './schedule/order.ts';
export { plannedFaultsMs } from './schedule/planned-time.ts';
export { summarize } from './schedule/summary.ts';
export { addUp, faultOf } from './schedule/together.ts';
