/** After a fault the hollow nodes, the pods on them and what the API says of both come to agree again. */
import type { InvariantCheck } from '../../result/index.ts';
import { invariantCheck } from './check.ts';

/** Both sides, counted at about the same time. */
export interface ConvergenceView {
  /** Hollow nodes as the API lists them. */
  nodesListedCount: number;
  nodesReadyCount: number;
  /** Nodes that the suite has. */
  nodesWantedCount: number;
  /** Pods that the API says run on hollow nodes and are not being deleted. */
  podsRunningCount: number;
  /** Pods that the hollow kubelets run. */
  podsRunningOnNodesCount: number;
  /** Pods of the run without a node. */
  podsUnboundCount: number;
  /** How far the two counts of pods may differ while load creates and deletes them. */
  podsInMotionCount: number;
}

/** Nothing is missing on either side. */
export function checkConvergence(view: ConvergenceView): InvariantCheck {
  const violations: string[] = [];
  if (view.nodesListedCount !== view.nodesWantedCount)
    violations.push(`the API lists ${view.nodesListedCount} of ${view.nodesWantedCount} hollow nodes`);
  if (view.nodesReadyCount !== view.nodesWantedCount)
    violations.push(`${view.nodesReadyCount} of ${view.nodesWantedCount} hollow nodes are Ready`);
  const apart = Math.abs(view.podsRunningCount - view.podsRunningOnNodesCount);
  if (apart > view.podsInMotionCount)
    violations.push(
      `the API says that ${view.podsRunningCount} pods run, the nodes run ${view.podsRunningOnNodesCount}`,
    );
  if (view.podsUnboundCount > view.podsInMotionCount)
    violations.push(`${view.podsUnboundCount} pods have no node`);
  return invariantCheck(
    'convergence',
    view.nodesWantedCount + view.podsRunningCount,
    violations,
    'nodes and pods',
  );
}
