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
} from './canaries/records.ts';
export { BALANCED_PATH } from './canaries/records.ts';
export { type ConvergenceView, checkConvergence } from './invariants/convergence.ts';
export { checkLeaders } from './invariants/leaders.ts';
export { checkBindings, checkPodDeletions } from './invariants/pods.ts';
export { checkWatches } from './invariants/watches.ts';
export { checkWrites, type ListedObject, type Listing, resolveUnknown } from './invariants/writes.ts';
export { type LedgerObject, type LedgerWrite, type ObjectState, WriteLedger } from './ledger/ledger.ts';
export { type CallEnd, type WriteOutcome, writeOutcome } from './ledger/outcome.ts';
