/**
 * What the fleet's agents need to serve the kubelet API: a serving certificate each, and the authority of the clients
 * that the API server and the cluster's users identify themselves with.
 */
import { platform } from 'node:os';
import type { KubeletServing } from '../../hollow/index.ts';
import type { FleetSettings } from '../config/index.ts';
import { CertificateAuthority, type ControlPlane } from '../controlplane/index.ts';
import type { JsonClient } from '../kube/index.ts';
import { RESOURCES } from './resources.ts';

/** Name in the serving certificates, for clients that verify it: one certificate stands for many addresses. */
export const KUBELET_SERVER_NAME = 'hollow-kubelet';
/** Where every API server publishes whom it trusts. Source: pkg/controlplane/controller/clusterauthenticationtrust. */
const TRUST = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

/** One for each of the fleet's agents; signed by the plane's authority, or by one made for it where it has none. */
export async function prepareKubeletServing(
  plane: ControlPlane,
  client: JsonClient,
  { agentCount, kubeletAddress }: Pick<FleetSettings, 'agentCount' | 'kubeletAddress'>,
  signal: AbortSignal,
): Promise<KubeletServing[]> {
  const trust = await client.find(RESOURCES.configmaps, TRUST, { signal });
  const data = (trust as { data?: Record<string, string> } | undefined)?.data;
  const clientCaPem = data?.['client-ca-file'];
  const own = plane.issueServingCertificate === undefined ? await ownAuthority() : undefined;
  const issue = plane.issueServingCertificate ?? own;
  const servings: KubeletServing[] = [];
  for (let agent = 0; agent < agentCount && issue !== undefined; agent++) {
    const pair = await issue({
      commonName: `${KUBELET_SERVER_NAME}-${agent}`,
      dnsNames: [KUBELET_SERVER_NAME, 'localhost'],
      addresses: ['127.0.0.1', ...(kubeletAddress === undefined ? [] : [kubeletAddress])],
    });
    servings.push({
      ...pair,
      ...(clientCaPem === undefined ? {} : { clientCaPem }),
      ...(kubeletAddress === undefined ? {} : { address: kubeletAddress }),
      // Only Linux has all of 127.0.0.0/8 on its loopback without being told.
      addressing:
        platform() === 'linux' && kubeletAddress === undefined ? 'per-node-address' : 'per-node-port',
    });
  }
  return servings;
}

async function ownAuthority(): Promise<NonNullable<ControlPlane['issueServingCertificate']>> {
  const authority = await CertificateAuthority.create('hollowmark-kubelet-ca', 'ec-p256');
  return (subject) => authority.issue({ ...subject, usage: 'server' });
}
