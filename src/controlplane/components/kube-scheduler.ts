/**
 * kube-scheduler, with the flags kubeadm would give it.
 */

import type { Profile } from '../../config/index.ts';
import type { pkiPaths } from '../pki/plane-pki.ts';
import type { ComponentInstance } from './component.ts';
import { type FlagSet, formatFlags } from './flags.ts';
import { LIFTED_BURST, LIFTED_QPS } from './kube-controller-manager.ts';

export interface SchedulerSettings {
  /** `kube-scheduler-0` */
  name: string;
  port: number;
  pki: ReturnType<typeof pkiPaths>;
  profile: Profile;
  flags?: FlagSet | undefined;
}

export function kubeScheduler(settings: SchedulerSettings): ComponentInstance {
  const { pki } = settings;
  const own: FlagSet = {
    'bind-address': '127.0.0.1',
    'secure-port': settings.port,
    kubeconfig: pki.schedulerKubeconfig,
    'authentication-kubeconfig': pki.schedulerKubeconfig,
    'authorization-kubeconfig': pki.schedulerKubeconfig,
    'client-ca-file': pki.ca,
    'requestheader-client-ca-file': pki.frontProxyCa,
    'tls-cert-file': pki.scheduler.cert,
    'tls-private-key-file': pki.scheduler.key,
    'leader-elect': true,
    ...(settings.profile === 'fast' ? { 'kube-api-qps': LIFTED_QPS, 'kube-api-burst': LIFTED_BURST } : {}),
  };
  return {
    component: 'kube-scheduler',
    name: settings.name,
    args: formatFlags(own, settings.flags),
    readyPath: '/readyz',
    address: `127.0.0.1:${settings.port}`,
    identity: 'admin',
  };
}
