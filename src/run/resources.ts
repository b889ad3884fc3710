/** The resources that set-up and clean-up touch. */
import { parseResource } from '../config/index.ts';
import { HarnessError } from '../core/index.ts';

function builtIn(name: string) {
  const ref = parseResource(name, undefined);
  if (ref === undefined) throw new HarnessError('HM_INTERNAL', `no built-in resource ${name}`);
  return ref;
}

export const RESOURCES = {
  clusterrolebindings: builtIn('clusterrolebindings.rbac.authorization.k8s.io'),
  configmaps: builtIn('configmaps'),
  csinodes: builtIn('csinodes.storage.k8s.io'),
  daemonsets: builtIn('daemonsets.apps'),
  deployments: builtIn('deployments.apps'),
  flowschemas: builtIn('flowschemas.flowcontrol.apiserver.k8s.io'),
  jobs: builtIn('jobs.batch'),
  leases: builtIn('leases.coordination.k8s.io'),
  namespaces: builtIn('namespaces'),
  nodes: builtIn('nodes'),
  pods: builtIn('pods'),
  prioritylevelconfigurations: builtIn('prioritylevelconfigurations.flowcontrol.apiserver.k8s.io'),
  replicasets: builtIn('replicasets.apps'),
  serviceaccounts: builtIn('serviceaccounts'),
  statefulsets: builtIn('statefulsets.apps'),
} as const;
