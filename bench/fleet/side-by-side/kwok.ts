/**
 * KWOK as peer of light nodes: one process that plays its own fast stages, with the settings of its manifest for
 * clusters (leases of 40 s, renewed each 10). Nodes are objects that the user makes, here by the administrator.
 *
 * Source: sigs.k8s.io/kwok v0.8.0, kustomize/kwok/kwok-config.yaml and kustomize/stage/fast.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Arena, Contender, RunningFleet } from './contender.ts';

const MODULE = 'sigs.k8s.io/kwok';
const VERSION = 'v0.8.0';
const STAGES = ['node/fast', 'node/heartbeat-with-lease', 'pod/fast'];
const ANNOTATION = 'kwok.x-k8s.io/node';

/** A program of KWOK and its stages; `provenance` says where they are from. */
interface Kwok {
  program: string;
  stages: string;
  provenance: string;
}

/**
 * The program from the cache, built there by the Go toolchain if it is missing, and the stages from its Go module.
 * @throws Error where there is no Go toolchain, or it cannot get the module
 */
function findKwok(env: NodeJS.ProcessEnv, print: (line: string) => void): Kwok {
  const cache = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'hollowmark', 'kwok', VERSION);
  const program = join(directory, 'kwok');
  if (!existsSync(program)) {
    print(`building KWOK ${VERSION} with the Go toolchain: about a minute on 2 cores, once`);
    execFileSync('go', ['install', `${MODULE}/cmd/kwok@${VERSION}`], {
      env: { ...env, GOBIN: directory, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const built = execFileSync('go', ['version', '-m', program], { encoding: 'utf8' });
  const go = /: (go\S+)/.exec(built)?.[1] ?? 'an unknown Go';
  const checksum = /^\s+mod\s.*\s(h1:\S+)$/m.exec(built)?.[1] ?? 'of unknown checksum';
  const found = execFileSync('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], {
    encoding: 'utf8',
    // Outside of any module: it is no dependency of anything here.
    cwd: directory,
  });
  const { Dir: module } = JSON.parse(found) as { Dir: string };
  const stages = STAGES.flatMap((folder) => {
    const path = join(module, 'kustomize', 'stage', folder);
    return readdirSync(path)
      .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
      .map((name) => readFileSync(join(path, name), 'utf8'));
  });
  return {
    program,
    stages: stages.join('\n---\n'),
    provenance: `${MODULE}@${VERSION} ${checksum}, built with ${go}; stages ${STAGES.join(', ')} of its module`,
  };
}

/** @throws as findKwok() */
export function kwokContender(
  arena: Arena,
  context: { env: NodeJS.ProcessEnv; print: (line: string) => void; port: number },
): Contender & { readonly provenance: string } {
  const { program, stages, provenance } = findKwok(context.env, context.print);
  const { administrator, plane } = arena;
  const config = join(arena.directory, 'kwok.yaml');
  writeFileSync(config, `${CONFIGURATION}---\n${stages}`);
  return {
    name: 'kwok',
    title: `KWOK ${VERSION}`,
    provenance,
    async start(run): Promise<RunningFleet> {
      const running = arena.programs.start(run, program, [
        `--config=${config}`,
        `--kubeconfig=${plane.kubeconfigPath}`,
        `--server-address=127.0.0.1:${context.port}`,
      ]);
      const nodeName = (index: number) => `${run}-${index}`;
      let nodeCount = 0;
      return {
        pids: [running.pid],
        nodeName,
        async grow(count) {
          const from = nodeCount;
          nodeCount = count;
          await administrator.create('/api/v1/nodes', from, count - from, (index) => node(nodeName(index)));
        },
        stop: () => running.stop(),
      };
    },
  };
}

const CONFIGURATION = `apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options:
  manageAllNodes: false
  manageNodesWithAnnotationSelector: ${ANNOTATION}=fake
  nodeLeaseDurationSeconds: 40
  nodeLeaseParallelism: 4
  nodePlayStageParallelism: 4
  podPlayStageParallelism: 4
  enablePodsOnNodeSyncListPager: false
  enablePodsOnNodeSyncStreamWatch: true
  cidr: 10.0.0.0/24
`;

function node(name: string): object {
  const resources = { cpu: '32', memory: '256Gi', pods: '110' };
  return {
    metadata: {
      name,
      labels: { type: 'hollow', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
      annotations: { [ANNOTATION]: 'fake' },
    },
    status: { allocatable: resources, capacity: resources },
  };
}
