/**
 * Faults by name, as far as a suite has to know them to be checked: what they hit and what a cluster must have for
 * them. What they do, what is expected and how it is seen is in src/faults/library, one file a fault.
 */

/** What a fault needs of the suite. */
export type FaultNeed =
  /** A plane that hollowmark started: its processes can be reached. */
  | 'local-plane'
  /** Two API servers or more. */
  | 'several-apiservers'
  | 'load-balancer'
  /** Two etcd members or more: one of them is hit. Whether the rest is a majority is what the fault shows. */
  | 'several-etcd-members'
  /** Members that can be cut apart: `links: proxied`. */
  | 'links'
  | 'several-controller-managers'
  | 'several-schedulers'
  /** Members that end are started again. */
  | 'supervisor'
  /** etcd waits for its disk. */
  | 'fsync'
  | 'several-zones'
  | 'nodes'
  /** Client certificates of nodes. */
  | 'node-certificates'
  /** Commands for inducing and healing. */
  | 'commands';

interface FaultKind {
  component:
    | 'none'
    | 'kube-apiserver'
    | 'etcd'
    | 'kube-controller-manager'
    | 'kube-scheduler'
    | 'load-balancer'
    | 'network'
    | 'nodes'
    | 'zone'
    | 'control plane';
  needs: readonly FaultNeed[];
  /** One line for the suite reference. */
  summary: string;
}

const PLANE = ['local-plane', 'supervisor'] as const;

/** Every fault there is. */
export const FAULT_KINDS = {
  control: {
    component: 'none',
    needs: [],
    summary: 'nothing is broken: what the probes see must be nothing',
  },
  'apiserver-kill': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'one API server is killed and stays away',
  },
  'apiserver-hang': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'one API server stops without closing anything (SIGSTOP)',
  },
  'apiserver-slow': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'one API server gets a share of its time only',
  },
  'apiserver-restart': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'one API server is ended in order and started again',
  },
  'apiserver-rolling-restart': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'all API servers are restarted, one after the other',
  },
  'apiserver-drain': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'one API server is taken out at the load balancer, and its sessions are closed',
  },
  'apiserver-all-killed': {
    component: 'kube-apiserver',
    needs: [...PLANE],
    summary: 'every API server is killed at once and stays away',
  },
  'apiserver-overload': {
    component: 'kube-apiserver',
    needs: ['local-plane'],
    summary: 'one user floods the API until Priority & Fairness rejects',
  },
  'apiserver-certificate-expired': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'one API server serves a certificate that has expired, then a new one',
  },
  'apiserver-cut-from-etcd': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer', 'links'],
    summary: 'one API server cannot reach etcd',
  },
  'apiserver-stale-cache': {
    component: 'kube-apiserver',
    needs: [...PLANE, 'several-apiservers', 'load-balancer', 'links'],
    summary: 'what one API server hears from etcd comes late',
  },
  'etcd-follower-kill': {
    component: 'etcd',
    needs: [...PLANE, 'several-etcd-members'],
    summary: 'one follower is killed and stays away',
  },
  'etcd-leader-kill': {
    component: 'etcd',
    needs: [...PLANE, 'several-etcd-members'],
    summary: 'the leader is killed and stays away',
  },
  'etcd-leader-hang': {
    component: 'etcd',
    needs: [...PLANE, 'several-etcd-members'],
    summary: 'the leader stops without closing anything (SIGSTOP)',
  },
  'etcd-quorum-loss': {
    component: 'etcd',
    needs: [...PLANE],
    summary: 'a majority of the members is killed and stays away, then comes back',
  },
  'etcd-slow-disk': {
    component: 'etcd',
    needs: [...PLANE, 'fsync'],
    summary: "every fsync of the leader's takes longer",
  },
  'etcd-no-space': {
    component: 'etcd',
    needs: [...PLANE],
    summary: 'the database reaches its quota (NOSPACE), then is compacted and defragmented',
  },
  'etcd-member-replace': {
    component: 'etcd',
    needs: [...PLANE, 'several-etcd-members'],
    summary: 'one member loses its data and is replaced by a new one',
  },
  'etcd-restore': {
    component: 'etcd',
    needs: [...PLANE],
    summary: 'the cluster is restored from a snapshot',
  },
  'controller-manager-kill': {
    component: 'kube-controller-manager',
    needs: [...PLANE, 'several-controller-managers', 'nodes'],
    summary: 'the leading controller manager is killed and stays away',
  },
  'controller-manager-hang': {
    component: 'kube-controller-manager',
    needs: [...PLANE, 'several-controller-managers', 'nodes'],
    summary: 'the leading controller manager is paused for longer than its lease, then wakes',
  },
  'scheduler-kill': {
    component: 'kube-scheduler',
    needs: [...PLANE, 'several-schedulers', 'nodes'],
    summary: 'the leading scheduler is killed and stays away',
  },
  'scheduler-hang': {
    component: 'kube-scheduler',
    needs: [...PLANE, 'several-schedulers', 'nodes'],
    summary: 'the leading scheduler is paused for longer than its lease, then wakes',
  },
  'leaders-kill': {
    component: 'control plane',
    needs: [...PLANE, 'several-controller-managers', 'several-schedulers', 'nodes'],
    summary: 'the leading controller manager and the leading scheduler are killed together',
  },
  'load-balancer-kill': {
    component: 'load-balancer',
    needs: [...PLANE, 'load-balancer'],
    summary: 'the load balancer is killed and stays away',
  },
  'load-balancer-restart': {
    component: 'load-balancer',
    needs: [...PLANE, 'load-balancer'],
    summary: 'the load balancer is killed and comes back at once',
  },
  'load-balancer-dead-member': {
    component: 'load-balancer',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'the load balancer takes a dead API server for healthy',
  },
  'nodes-silent': {
    component: 'nodes',
    needs: ['nodes'],
    summary: 'a share of the nodes sends no heartbeats',
  },
  'nodes-flap': {
    component: 'nodes',
    needs: ['nodes'],
    summary: 'a share of the nodes is silent and alive in turn',
  },
  'nodes-slow': {
    component: 'nodes',
    needs: ['nodes'],
    summary: 'requests of a share of the nodes leave late',
  },
  'nodes-restart': {
    component: 'nodes',
    needs: ['nodes'],
    summary: 'a share of the nodes restarts and lists anew',
  },
  'nodes-reconnect': {
    component: 'nodes',
    needs: ['nodes'],
    summary: 'connections of a share of the nodes are cut',
  },
  'nodes-certificate-expired': {
    component: 'nodes',
    needs: ['nodes', 'node-certificates'],
    summary: 'client certificates of a share of the nodes are refused',
  },
  'nodes-drain': {
    component: 'nodes',
    needs: ['nodes'],
    summary: 'nodes are cordoned and drained by eviction, a PodDisruptionBudget in the way',
  },
  'zone-outage': {
    component: 'zone',
    needs: [...PLANE, 'several-zones', 'several-etcd-members'],
    summary: 'all members and all nodes of a zone fail together',
  },
  partition: {
    component: 'network',
    needs: [...PLANE, 'links', 'several-etcd-members'],
    summary: "etcd's leader is cut off from all others, both ways",
  },
  'network-delay': {
    component: 'network',
    needs: [...PLANE, 'links'],
    summary: 'links between members take longer',
  },
  'network-loss': {
    component: 'network',
    needs: [...PLANE, 'links'],
    summary: 'links between members lose a share of what they carry',
  },
  upgrade: {
    component: 'control plane',
    needs: [...PLANE, 'several-apiservers', 'load-balancer'],
    summary: 'the control plane is upgraded to another version, member by member, and rolled back',
  },
  command: {
    component: 'control plane',
    needs: ['commands'],
    summary: 'commands of your own induce and heal it',
  },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULT_KINDS;
export const FAULT_NAMES = Object.keys(FAULT_KINDS) as [FaultName, ...FaultName[]];
