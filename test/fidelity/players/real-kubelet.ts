/**
 * A real kubelet with containerd, runc and CNI plugins, in a process and mount namespace of its own: its pods, mounts
 * and network interfaces go when the namespace does, however the test ends. It shares the machine's network, because
 * the API server listens on loopback.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ManagedProcess } from '../../../src/controlplane/process/managed-process.ts';
import { buildPauseImage, PAUSE_IMAGE } from './pause-image.ts';
import { kubeletSubject, type Player, type PlayerContext, writeKubeconfig } from './player.ts';

const PROGRAMS = ['containerd', 'ctr', 'runc', 'unshare'] as const;
/** Debian's folder of CNI plugins, and the one of upstream's archives. */
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
const CNI_PLUGINS = ['ptp', 'host-local', 'loopback'];
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const CGROUPS = '/sys/fs/cgroup';
/** Where these programs keep state whatever they are told: empty folders in the namespace, none of the machine's. */
const PRIVATE_FOLDERS = [
  '/run/containerd',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/pods',
  '/var/log/containers',
];

/** Why this machine cannot run a real kubelet; undefined if it can. */
export function whyNoRealKubelet(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root';
  const missing = PROGRAMS.filter((name) => pathOf(name) === undefined);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (cniFolder() === undefined)
    return `no CNI plugins ${CNI_PLUGINS.join(', ')} in ${CNI_FOLDERS.join(' or ')}`;
  return undefined;
}

export function realKubeletPlayer(context: PlayerContext, nodeName: string): Player {
  const cgroup = `hollowmark-fidelity-${process.pid}`;
  let running: ManagedProcess | undefined;
  let forwarding = '';
  return {
    name: 'kubelet',
    nodeName,
    agents: { kubelet: 'kubelet/', proxy: '' },
    async start() {
      const { directory, ports, programs, plane } = context;
      const kubeconfig = await writeKubeconfig(context, 'kubeconfig.yaml', kubeletSubject(nodeName));
      const image = await buildPauseImage(join(directory, 'image'));
      for (const name of ['cni', 'kubelet', 'root', 'state', 'plugins', 'static']) {
        mkdirSync(join(directory, name), { recursive: true });
      }
      writeFileSync(join(directory, 'cni/10-ptp.conflist'), cniConfiguration(directory));
      writeFileSync(join(directory, 'containerd.toml'), containerdConfiguration(directory));
      makeCgroups(cgroup);
      const port = await ports.reserve();
      const healthPort = await ports.reserve();
      writeFileSync(
        join(directory, 'kubelet-config.yaml'),
        kubeletConfiguration(directory, cgroup, port, healthPort),
      );
      const script = join(directory, 'namespace.sh');
      writeFileSync(
        script,
        namespaceScript({ directory, image, kubelet: programs.kubelet, kubeconfig, nodeName }),
      );
      // The ptp plugin switches forwarding on for the whole machine; it is put back at the end.
      forwarding = readFileSync(FORWARDING, 'utf8');
      running = await plane.programs.start('real-kubelet', 'unshare', [
        '--fork',
        '--pid',
        '--mount',
        '--mount-proc',
        '--kill-child',
        'sh',
        script,
      ]);
    },
    async stop() {
      // The first process of the namespace: everything in it ends with it, at once.
      await running?.stop(0);
      if (forwarding !== '') writeFileSync(FORWARDING, forwarding);
      removeCgroups(cgroup);
    },
  };
}

function namespaceScript(options: {
  directory: string;
  image: string;
  kubelet: string;
  kubeconfig: string;
  nodeName: string;
}): string {
  const { directory, image, kubelet, kubeconfig, nodeName } = options;
  const socket = `${directory}/containerd.sock`;
  return `set -e
for folder in ${PRIVATE_FOLDERS.join(' ')}; do
  mkdir -p "$folder"
  mount -t tmpfs tmpfs "$folder"
done
containerd --config ${directory}/containerd.toml >${directory}/containerd.log 2>&1 &
until ctr --address ${socket} version >/dev/null 2>&1; do sleep 0.1; done
ctr --address ${socket} --namespace k8s.io images import ${image}
${kubelet} --config=${directory}/kubelet-config.yaml --kubeconfig=${kubeconfig} --hostname-override=${nodeName} \\
  --root-dir=${directory}/kubelet --cert-dir=${directory}/kubelet/pki --v=2
`;
}

function containerdConfiguration(directory: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${directory}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniFolder() ?? ''}"
    conf_dir = "${directory}/cni"
`;
}

function cniConfiguration(directory: string): string {
  // 198.18.0.0/15 is for benchmarks (RFC 2544): no route of the machine leads there. Another test has another part.
  const subnet = `198.18.${process.pid % 256}.0/24`;
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir: join(directory, 'addresses'),
  };
  const plugins = [{ type: 'ptp', ipMasq: false, ipam }];
  return JSON.stringify({ cniVersion: '0.4.0', name: 'fidelity', plugins });
}

function kubeletConfiguration(directory: string, cgroup: string, port: number, healthPort: number): string {
  return `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: ${port}
healthzPort: ${healthPort}
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /${cgroup}
cgroupsPerQOS: false
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://${directory}/containerd.sock
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
staticPodPath: ${directory}/static
volumePluginDir: ${directory}/plugins
evictionHard: {memory.available: 10Mi, nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%", imagefs.inodesFree: "0%"}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
`;
}

function cniFolder(): string | undefined {
  return CNI_FOLDERS.find((folder) => CNI_PLUGINS.every((plugin) => isExecutable(join(folder, plugin))));
}

function pathOf(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The kubelet's own root, in every hierarchy of version 1 or in the one of version 2: it does not make it itself. */
function makeCgroups(name: string): void {
  for (const root of cgroupRoots()) mkdirSync(join(root, name), { recursive: true });
}

/** Cgroups are no part of a namespace: those of ended containers stay as empty folders. */
function removeCgroups(name: string): void {
  for (const root of cgroupRoots()) removeEmptyTree(join(root, name));
}

function cgroupRoots(): string[] {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return [CGROUPS];
  return readdirSync(CGROUPS, { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map((one) => join(CGROUPS, one.name));
}

function removeEmptyTree(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeEmptyTree(join(folder, entry.name));
    }
    rmdirSync(folder);
  } catch {
    // Not there in this hierarchy, or still held for a moment by a process that is being reaped.
  }
}
