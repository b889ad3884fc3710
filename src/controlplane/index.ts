export { type BinariesDescription, describeBinaries, pruneBinaries } from './binaries/describe.ts';
export {
  type BinaryContext,
  type BinaryRequest,
  type BinarySet,
  resolveBinaries,
} from './binaries/resolve.ts';
export {
  ALL_PROGRAMS,
  DEFAULT_ETCD_VERSION,
  DEFAULT_KUBERNETES_VERSION,
  FIDELITY_PROGRAMS,
  PLANE_PROGRAMS,
  type Program,
} from './binaries/versions.ts';
export { COMPONENT_NAMES, type ComponentName, type InstanceKind } from './components/component.ts';
export { type ComponentFlags, type FlagSet, flagProblems } from './components/flags.ts';
export { containerPlane, writeContainerFiles } from './container-files.ts';
export { checkMachine, type Finding, NODE_COST, type Requirements } from './doctor/checks.ts';
export { type MachineFacts, readMachine } from './doctor/machine.ts';
export { preflight, refuseBlocked } from './doctor/preflight.ts';
export { type AttachContext, type AttachOptions, attachControlPlane } from './existing.ts';
export {
  endKeptPlane,
  inspectKeptPlane,
  type KeptComponent,
  type KeptPlane,
  keepPlane,
  keptPlaneDirectory,
  readKeptPlane,
} from './kept-plane.ts';
export type {
  BackendServer,
  CertificateLevers,
  EtcdLevers,
  EtcdMember,
  EtcdStatus,
  LeaseHolders,
  LinkLevers,
  LinkRule,
  LoadBalancerLevers,
  PlaneEvent,
  PlaneInstance,
  PlaneLevers,
  ProcessLevers,
  RestartChange,
  RestartPolicy,
} from './levers/levers.ts';
export {
  type LocalContext,
  type LocalControlPlane,
  type LocalControlPlaneOptions,
  startLocalControlPlane,
} from './local.ts';
export { CertificateAuthority } from './pki/authority.ts';
export { formatKubeconfig } from './pki/kubeconfig.ts';
export { PortReservation } from './ports.ts';
export { ProcessGuard } from './process/guard.ts';
export type { BinaryProvenance, ComponentFailure, ComponentInfo, ControlPlane } from './provider.ts';
