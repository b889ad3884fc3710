/**
 * Upstream's own hollow node: the kubemark program as hollow kubelet and as hollow proxy.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ManagedProcess } from '../../../src/controlplane/process/managed-process.ts';
import { kubeletSubject, type Player, type PlayerContext, PROXY_SUBJECT, writeKubeconfig } from './player.ts';

export function kubemarkPlayer(context: PlayerContext, nodeName: string): Player {
  const running: ManagedProcess[] = [];
  return {
    name: 'kubemark',
    nodeName,
    agents: { kubelet: 'hollow-kubelet', proxy: 'hollow-proxy' },
    async start() {
      const { ports, programs, directory } = context;
      const certificates = join(directory, 'certificates');
      mkdirSync(certificates, { recursive: true });
      const kubelet = await writeKubeconfig(context, 'kubelet.yaml', kubeletSubject(nodeName));
      const proxy = await writeKubeconfig(context, 'proxy.yaml', PROXY_SUBJECT);
      const port = await ports.reserve();
      const readOnlyPort = await ports.reserve();
      const play = async (name: string, args: readonly string[]) => {
        running.push(await context.plane.programs.start(name, programs.kubemark, args));
      };
      await play('kubemark-kubelet', [
        '--morph=kubelet',
        `--name=${nodeName}`,
        `--kubeconfig=${kubelet}`,
        `--cert-dir=${certificates}`,
        `--kubelet-port=${port}`,
        `--kubelet-read-only-port=${readOnlyPort}`,
        '--use-host-image-service=false',
      ]);
      await play('kubemark-proxy', ['--morph=proxy', `--name=${nodeName}`, `--kubeconfig=${proxy}`]);
    },
    async stop() {
      for (const one of running) await one.stop();
    },
  };
}
