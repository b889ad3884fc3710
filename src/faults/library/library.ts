/** Every fault by name; a name of the suite language without a fault here does not compile. */
import type { FaultName } from '../../config/index.ts';
import { apiserverAllKilled } from './apiserver-all-killed.ts';
import { apiserverCertificateExpired } from './apiserver-certificate-expired.ts';
import { apiserverCutFromEtcd } from './apiserver-cut-from-etcd.ts';
import { apiserverDrain } from './apiserver-drain.ts';
import { apiserverHang } from './apiserver-hang.ts';
import { apiserverKill } from './apiserver-kill.ts';
import { apiserverOverload } from './apiserver-overload.ts';
import { apiserverRestart } from './apiserver-restart.ts';
import { apiserverRollingRestart } from './apiserver-rolling-restart.ts';
import { apiserverSlow } from './apiserver-slow.ts';
import { apiserverStaleCache } from './apiserver-stale-cache.ts';
import { command } from './command.ts';
import { control } from './control.ts';
import { controllerManagerHang } from './controller-manager-hang.ts';
import { controllerManagerKill } from './controller-manager-kill.ts';
import { etcdFollowerKill } from './etcd-follower-kill.ts';
import { etcdLeaderHang } from './etcd-leader-hang.ts';
import { etcdLeaderKill } from './etcd-leader-kill.ts';
import { etcdMemberReplace } from './etcd-member-replace.ts';
import { etcdNoSpace } from './etcd-no-space.ts';
import { etcdQuorumLoss } from './etcd-quorum-loss.ts';
import { etcdRestore } from './etcd-restore.ts';
import { etcdSlowDisk } from './etcd-slow-disk.ts';
import type { Fault } from './fault.ts';
import { leadersKill } from './leaders-kill.ts';
import { loadBalancerDeadMember } from './load-balancer-dead-member.ts';
import { loadBalancerKill } from './load-balancer-kill.ts';
import { loadBalancerRestart } from './load-balancer-restart.ts';
import { networkDelay } from './network-delay.ts';
import { networkLoss } from './network-loss.ts';
import { nodesCertificateExpired } from './nodes-certificate-expired.ts';
import { nodesDrain } from './nodes-drain.ts';
import { nodesFlap } from './nodes-flap.ts';
import { nodesReconnect } from './nodes-reconnect.ts';
import { nodesRestart } from './nodes-restart.ts';
import { nodesSilent } from './nodes-silent.ts';
import { nodesSlow } from './nodes-slow.ts';
import { partition } from './partition.ts';
import { schedulerHang } from './scheduler-hang.ts';
import { schedulerKill } from './scheduler-kill.ts';
import { upgrade } from './upgrade.ts';
import { zoneOutage } from './zone-outage.ts';

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  'apiserver-all-killed': apiserverAllKilled,
  'apiserver-certificate-expired': apiserverCertificateExpired,
  'apiserver-cut-from-etcd': apiserverCutFromEtcd,
  'apiserver-drain': apiserverDrain,
  'apiserver-hang': apiserverHang,
  'apiserver-kill': apiserverKill,
  'apiserver-overload': apiserverOverload,
  'apiserver-restart': apiserverRestart,
  'apiserver-rolling-restart': apiserverRollingRestart,
  'apiserver-slow': apiserverSlow,
  'apiserver-stale-cache': apiserverStaleCache,
  command: command,
  control: control,
  'controller-manager-hang': controllerManagerHang,
  'controller-manager-kill': controllerManagerKill,
  'etcd-follower-kill': etcdFollowerKill,
  'etcd-leader-hang': etcdLeaderHang,
  'etcd-leader-kill': etcdLeaderKill,
  'etcd-member-replace': etcdMemberReplace,
  'etcd-no-space': etcdNoSpace,
  'etcd-quorum-loss': etcdQuorumLoss,
  'etcd-restore': etcdRestore,
  'etcd-slow-disk': etcdSlowDisk,
  'leaders-kill': leadersKill,
  'load-balancer-dead-member': loadBalancerDeadMember,
  'load-balancer-kill': loadBalancerKill,
  'load-balancer-restart': loadBalancerRestart,
  'network-delay': networkDelay,
  'network-loss': networkLoss,
  'nodes-certificate-expired': nodesCertificateExpired,
  'nodes-drain': nodesDrain,
  'nodes-flap': nodesFlap,
  'nodes-reconnect': nodesReconnect,
  'nodes-restart': nodesRestart,
  'nodes-silent': nodesSilent,
  'nodes-slow': nodesSlow,
  partition: partition,
  'scheduler-hang': schedulerHang,
  'scheduler-kill': schedulerKill,
  upgrade: upgrade,
  'zone-outage': zoneOutage,
};
