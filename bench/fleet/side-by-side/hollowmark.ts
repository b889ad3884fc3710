/** hollowmark's own contenders: fleets of one process each, however many nodes, by the settings that tell them apart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type FleetShard, nodeName } from '../../../hollow/index.ts';
import type { FleetSettings } from '../../../src/config/index.ts';
import { packageRoot } from '../../../src/core/index.ts';
import { nodeArguments } from '../../../src/run/index.ts';
import { benchSettings, benchShard } from '../bench-plane.ts';
import type { Arena, Contender } from './contender.ts';

const NO_TIME = { low: 0, high: 0 };

/** Of light nodes, as KWOK's fast stages have them too: leases of 40 s, pods that take no time. */
export const LIGHT_SETTINGS: Partial<FleetSettings> = {
  fidelity: 'light',
  connections: 'shared',
  // Nothing but the API server's latency holds them back.
  rampPerSecond: 1_000,
  nodeObjectBytes: 0,
  events: false,
  proxy: false,
  pods: { sandboxMs: NO_TIME, startMs: NO_TIME, stopMs: NO_TIME },
};
/** Of full nodes, as suites have them; the window of the ramp is what limits registration. */
export const FULL_SETTINGS: Partial<FleetSettings> = { rampPerSecond: 100 };

export function hollowmarkContender(
  own: { name: string; title: string; settings: Partial<FleetSettings> },
  arena: Arena,
): Contender {
  const { name, title } = own;
  return {
    name,
    title,
    async start(run) {
      const script = join(packageRoot(), 'dist', 'bench', 'fleet', 'fleet-process.js');
      const program = arena.programs.start(run, process.execPath, [...nodeArguments('fleet'), script], true);
      let told: Record<string, number> | undefined;
      if (program.child.stdout !== null) {
        createInterface({ input: program.child.stdout }).on('line', (line) => {
          told = JSON.parse(line) as Record<string, number>;
        });
      }
      let nodeCount = 0;
      return {
        pids: [program.pid],
        async grow(count) {
          const settings = benchSettings({ ...own.settings, nodeCount: count - nodeCount });
          const shard = await withCertificates(
            benchShard(`${run}-${nodeCount}`, settings, arena.plane),
            arena,
          );
          const path = join(arena.directory, `${run}-${nodeCount}.json`);
          writeFileSync(path, JSON.stringify(shard), { mode: 0o600 });
          nodeCount = count;
          program.child.stdin?.write(`${path}\n`);
        },
        nodeName: (index) => nodeName(`${run}-0-`, index),
        memory: () => told,
        stop: () => program.stop(),
      };
    },
  };
}

/** With a client certificate for each node, where the settings ask for them. */
async function withCertificates(shard: FleetShard, arena: Arena): Promise<FleetShard> {
  if (shard.settings.identity !== 'certificate') return shard;
  const certificates: Record<string, { certPem: string; keyPem: string }> = {};
  for (let index = 0; index < shard.settings.nodeCount; index++) {
    const name = nodeName(shard.nodeNamePrefix, index);
    certificates[name] = await arena.plane.issueClientCertificate({
      commonName: `system:node:${name}`,
      organizations: ['system:nodes'],
    });
  }
  return { ...shard, certificates };
}
