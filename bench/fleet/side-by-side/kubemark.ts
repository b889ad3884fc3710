/**
 * Upstream's hollow node as peer of full nodes: the kubemark program as hollow kubelet and as hollow proxy, a process
 * each for every node, with the identities that kubeadm gives them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatKubeconfig, type PortReservation } from '../../../src/controlplane/index.ts';
import type { Arena, Contender, RunningFleet } from './contender.ts';
import type { RunningProgram } from './programs.ts';

const PROXY = {
  commonName: 'system:serviceaccount:kube-system:kube-proxy',
  organizations: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
};

export function kubemarkContender(
  arena: Arena,
  context: { program: string; version: string; ports: PortReservation },
): Contender {
  const { directory, plane, programs } = arena;
  const kubeconfig = async (file: string, subject: { commonName: string; organizations: string[] }) => {
    const user = await plane.issueClientCertificate(subject);
    const path = join(directory, file);
    const { server, caPem = '' } = plane.admin;
    writeFileSync(path, formatKubeconfig({ name: 'bench', server, caPem, user }), { mode: 0o600 });
    return path;
  };
  return {
    name: 'kubemark',
    title: `kubemark ${context.version}, a process for each kubelet and each proxy`,
    async start(run): Promise<RunningFleet> {
      const running: RunningProgram[] = [];
      const proxy = await kubeconfig(`${run}-proxy.yaml`, PROXY);
      const nodeName = (index: number) => `${run}-${index}`;
      const begin = async (name: string) => {
        const certificates = join(directory, name);
        mkdirSync(certificates, { recursive: true });
        const kubelet = await kubeconfig(`${name}.yaml`, {
          commonName: `system:node:${name}`,
          organizations: ['system:nodes'],
        });
        const play = (log: string, args: string[]) =>
          running.push(programs.start(log, context.program, args));
        play(`${name}-kubelet`, [
          '--morph=kubelet',
          `--name=${name}`,
          `--kubeconfig=${kubelet}`,
          `--cert-dir=${certificates}`,
          `--kubelet-port=${await context.ports.reserve()}`,
          `--kubelet-read-only-port=${await context.ports.reserve()}`,
          '--use-host-image-service=false',
        ]);
        play(`${name}-proxy`, ['--morph=proxy', `--name=${name}`, `--kubeconfig=${proxy}`]);
      };
      let nodeCount = 0;
      return {
        get pids() {
          return running.map(({ pid }) => pid);
        },
        nodeName,
        async grow(count) {
          const from = nodeCount;
          nodeCount = count;
          for (let index = from; index < count; index++) await begin(nodeName(index));
        },
        async stop() {
          await Promise.all(running.map((program) => program.stop()));
        },
      };
    },
  };
}
