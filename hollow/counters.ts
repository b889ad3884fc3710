/**
 * The fleet's figures, kept up by the nodes as things happen, so that reading them costs nothing whatever the number
 * of nodes.
 */
import { LatencyHistogram } from '../src/result/index.ts';
import type { PodPhase } from './kubelet/pods/pod-object.ts';

/** Where a node stands; a node is in one state at a time. */
export type NodeState = 'waiting' | 'registering' | 'ready' | 'lost';

export class FleetCounters {
  readonly nodes: Record<NodeState, number> = { waiting: 0, registering: 0, ready: 0, lost: 0 };
  readonly pods: Record<PodPhase, number> = { Pending: 0, Running: 0, Succeeded: 0, Failed: 0, Unknown: 0 };
  /** Times that a node that was Ready was seen not Ready, or its object was gone. */
  lostCount = 0;
  /** The same of nodes that a storm was on, or had been a moment ago: deliberate, so counted apart. */
  stormLostCount = 0;
  leaseMissedCount = 0;
  relistCount = 0;
  podsStartedCount = 0;
  podsDeletedCount = 0;
  watchCount = 0;
  /** First request of a node to its Ready condition acknowledged. */
  readonly registration = new LatencyHistogram();
  /** A storm's end, a restart or the loss of the node object to Ready in the eyes of the cluster. */
  readonly recovery = new LatencyHistogram();
  /** A renewal's due instant to its acknowledgement. */
  readonly leaseLateness = new LatencyHistogram();
  /** A renewal's due instant to its sending: the part that this process caused. */
  readonly leaseSlip = new LatencyHistogram();

  /** Told each time that a node has become Ready, by its registration or after it was lost. */
  onNodeReady: () => void = () => {};

  moveNode(from: NodeState | undefined, to: NodeState | undefined): void {
    if (from !== undefined) this.nodes[from]--;
    if (to !== undefined) this.nodes[to]++;
    if (to === 'ready' && from !== 'ready') this.onNodeReady();
  }

  movePod(from: PodPhase | undefined, to: PodPhase | undefined): void {
    if (from !== undefined) this.pods[from]--;
    if (to !== undefined) this.pods[to]++;
  }
}
