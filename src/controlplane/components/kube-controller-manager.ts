/**
 * kube-controller-manager, with the flags kubeadm would give it.
 */

import type { Profile } from '../../config/index.ts';
import type { pkiPaths } from '../pki/plane-pki.ts';
import type { ComponentInstance } from './component.ts';
import { type FlagSet, formatFlags } from './flags.ts';
import { SERVICE_CIDR } from './kube-apiserver.ts';

/**
 * Range that nodes get their pod addresses from: 32,768 blocks of /24, beside the Service range. Blocks are
 * allocated as in a real cluster, because each costs a write and a watch event per node; a /24 holds the 110 pods a
 * node may have.
 */
export const POD_CIDR = '10.128.0.0/9';

/** Client limits of profile `fast`, per second: high enough never to be met on one machine. */
export const LIFTED_QPS = 5_000;
export const LIFTED_BURST = 10_000;

export interface ControllerManagerSettings {
  /** `kube-controller-manager-0` */
  name: string;
  port: number;
  pki: ReturnType<typeof pkiPaths>;
  profile: Profile;
  flags?: FlagSet | undefined;
}

export function kubeControllerManager(settings: ControllerManagerSettings): ComponentInstance {
  const { pki } = settings;
  const own: FlagSet = {
    'bind-address': '127.0.0.1',
    'secure-port': settings.port,
    kubeconfig: pki.controllerManagerKubeconfig,
    'authentication-kubeconfig': pki.controllerManagerKubeconfig,
    'authorization-kubeconfig': pki.controllerManagerKubeconfig,
    'client-ca-file': pki.ca,
    'requestheader-client-ca-file': pki.frontProxyCa,
    'tls-cert-file': pki.controllerManager.cert,
    'tls-private-key-file': pki.controllerManager.key,
    'root-ca-file': pki.ca,
    'service-account-private-key-file': pki.serviceAccountKey,
    'cluster-signing-cert-file': pki.ca,
    'cluster-signing-key-file': pki.caKey,
    'use-service-account-credentials': true,
    controllers: '*,bootstrapsigner,tokencleaner',
    'allocate-node-cidrs': true,
    'cluster-cidr': POD_CIDR,
    'service-cluster-ip-range': SERVICE_CIDR,
    'leader-elect': true,
    ...(settings.profile === 'fast' ? { 'kube-api-qps': LIFTED_QPS, 'kube-api-burst': LIFTED_BURST } : {}),
  };
  return {
    component: 'kube-controller-manager',
    name: settings.name,
    args: formatFlags(own, settings.flags),
    readyPath: '/healthz',
    address: `127.0.0.1:${settings.port}`,
    identity: 'admin',
  };
}
