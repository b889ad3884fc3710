/**
 * Time-outs that a suite may set and that bounds follow from: leases of the controllers, and how long a node may be
 * silent. Upstream's defaults where the suite says nothing.
 */
import type { ControlPlaneSettings, FleetSettings } from '../../config/index.ts';
import { parseDurationMs } from '../../core/index.ts';

/** Leader election of one controller. */
export interface LeaseTimings {
  leaseMs: number;
  /** A leader that cannot renew for this long gives up. */
  renewMs: number;
  /** A candidate looks this often, with a jitter of up to 1.2 times it on top. */
  retryMs: number;
}

/** What bounds follow from. */
export interface Timings {
  controllerManager: LeaseTimings;
  scheduler: LeaseTimings;
  /** A node that has not been heard of for this long is Unknown. */
  nodeGraceMs: number;
  /** The node controller looks this often. */
  nodeCheckMs: number;
  /** A kubelet renews its lease this often, so that its last heartbeat may be this old. */
  heartbeatMs: number;
}

/** Source: k8s.io/component-base config/v1alpha1/defaults.go, RecommendedDefaultLeaderElectionConfiguration. */
const LEASE_MS = 15_000;
const RENEW_MS = 10_000;
const RETRY_MS = 2_000;
/** Source: Kubernetes 1.32 on, pkg/controller/nodelifecycle/config/v1alpha1/defaults.go, NodeMonitorGracePeriod. */
const NODE_GRACE_MS = 50_000;
/** Source: pkg/controller/nodelifecycle: NodeMonitorPeriod of kubectrlmgrconfigv1alpha1's defaults. */
const NODE_CHECK_MS = 5_000;

/** The parts of a suite that say them. */
export interface TimedSuite {
  controlPlane: Pick<ControlPlaneSettings, 'flags'>;
  fleet: Pick<FleetSettings, 'leaseDurationMs'>;
}

/** Timings of the suite's control plane and fleet. */
export function timingsOf({ controlPlane, fleet }: TimedSuite): Timings {
  const flag = (component: string, name: string, otherwiseMs: number) =>
    parseDurationMs(String(controlPlane.flags[component]?.[name] ?? '')) ?? otherwiseMs;
  const lease = (component: string): LeaseTimings => ({
    leaseMs: flag(component, 'leader-elect-lease-duration', LEASE_MS),
    renewMs: flag(component, 'leader-elect-renew-deadline', RENEW_MS),
    retryMs: flag(component, 'leader-elect-retry-period', RETRY_MS),
  });
  return {
    controllerManager: lease('kube-controller-manager'),
    scheduler: lease('kube-scheduler'),
    nodeGraceMs: flag('kube-controller-manager', 'node-monitor-grace-period', NODE_GRACE_MS),
    nodeCheckMs: flag('kube-controller-manager', 'node-monitor-period', NODE_CHECK_MS),
    heartbeatMs: fleet.leaseDurationMs / 4,
  };
}

/** A lease runs out and a candidate finds out. Source: client-go tools/leaderelection, JitterFactor 1.2. */
export function takeoverMs({ leaseMs, retryMs }: Pick<LeaseTimings, 'leaseMs' | 'retryMs'>): number {
  return leaseMs + 2.2 * retryMs;
}
