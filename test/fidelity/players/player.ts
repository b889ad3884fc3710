/**
 * Who plays the scenarios: nodes that keep company in one cluster, each with a name, identity and namespaces of its own.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatKubeconfig } from '../../../src/controlplane/pki/kubeconfig.ts';
import type { PortReservation } from '../../../src/controlplane/ports.ts';
import { type AuditedPlane, PROXY_USER } from '../cluster/plane.ts';

export type PlayerName = 'kubelet' | 'kubemark' | 'hollowmark' | 'compat';

export const PLAYER_TITLES: Readonly<Record<PlayerName, string>> = {
  kubelet: 'real kubelet with containerd',
  kubemark: "upstream's hollow node (kubemark)",
  hollowmark: 'hollowmark',
  compat: 'hollowmark, `compat: kubemark`',
};

export interface Player {
  readonly name: PlayerName;
  readonly nodeName: string;
  /** Beginnings of the User-Agent of its kubelet and of its kube-proxy, which shares a ServiceAccount with others. */
  readonly agents: { readonly kubelet: string; readonly proxy: string };
  /** Starts it; registration is not waited for. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface PlayerContext {
  readonly plane: AuditedPlane;
  /** A folder of the player's own. */
  readonly directory: string;
  readonly ports: PortReservation;
  readonly programs: Readonly<Record<'kubelet' | 'kubemark', string>>;
}

/** Writes a kubeconfig with a client certificate of that subject; returns its path. */
export async function writeKubeconfig(
  context: PlayerContext,
  file: string,
  subject: { commonName: string; organizations: readonly string[] },
): Promise<string> {
  const { plane } = context.plane;
  const user = await plane.issueClientCertificate(subject);
  const path = join(context.directory, file);
  const { server, caPem = '' } = plane.admin;
  writeFileSync(path, formatKubeconfig({ name: 'fidelity', server, caPem, user }), { mode: 0o600 });
  return path;
}

/** Identity of a kubelet, as a bootstrapped one has it. */
export function kubeletSubject(nodeName: string) {
  return { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
}

/** Identity of a kube-proxy, as its ServiceAccount token would give it. */
export const PROXY_SUBJECT = {
  commonName: PROXY_USER,
  organizations: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
};
