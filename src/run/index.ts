export { runAgent } from './agent/agent.ts';
export { makeRole } from './agent/role.ts';
export { nodeArguments, raisePriority } from './agent-priority.ts';
export { cleanUpAfterCrash, runsInCluster } from './clean-up.ts';
export { type RunContext, type RunOutcome, type RunStop, runSuite } from './engine.ts';
export {
  EXPERIMENT_FILE,
  EXPERIMENT_RUNS,
  type ExperimentActions,
  type ExperimentRecord,
  type ExperimentRun,
  newExperiment,
  readExperiment,
  runExperiment,
  sideLabel,
  writeExperiment,
} from './experiment.ts';
export {
  droppedPairs,
  type ExperimentAttempt,
  type ExperimentSlot,
  experimentOrder,
  openSlots,
  type SideName,
  wholePairs,
} from './experiment-order.ts';
export { type HoldNodesContext, type HoldNodesOptions, holdNodes } from './hold-nodes.ts';
export type { RunOptions } from './options.ts';
export { planRun, type RunPlan } from './plan.ts';
export type { PlannedAction, PlannedCall } from './plan-actions.ts';
export type { PlanWarning } from './plan-limits.ts';
export type { PlannedPhase } from './plan-phases.ts';
export { initialProgress, type RunProgress, type RunStep } from './progress.ts';
