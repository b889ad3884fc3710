export {
  type BinaryContext,
  type BinaryRequest,
  type BinarySet,
  resolveBinaries,
} from './binaries/resolve.ts';
export {
  DEFAULT_ETCD_VERSION,
  DEFAULT_KUBERNETES_VERSION,
  FIDELITY_PROGRAMS,
  PLANE_PROGRAMS,
  type Program,
} from './binaries/versions.ts';
export { COMPONENT_NAMES, type ComponentName } from './components/component.ts';
export { type ComponentFlags, type FlagSet, flagProblems } from './components/flags.ts';
export {
  type LocalContext,
  type LocalControlPlane,
  type LocalControlPlaneOptions,
  startLocalControlPlane,
} from './local.ts';
export type {
  BinaryProvenance,
  ComponentFailure,
  ComponentInfo,
  ControlPlane,
} from './provider.ts';
