/**
 * The suite's `controlPlane.topology`: the name of a topology, or a mapping that starts from one.
 */
import { z } from 'zod';
import { choice, flag, integer } from './quantities.ts';
import {
  HEALTH_CHECKS,
  TOPOLOGIES,
  type TopologyName,
  type TopologySettings,
  ZONE_LAYOUTS,
  type ZoneLayout,
} from './topology.ts';

/** Names of topologies, `single` first. */
export const TOPOLOGY_NAMES = Object.keys(TOPOLOGIES) as [TopologyName, ...TopologyName[]];
const LAYOUT_NAMES = Object.keys(ZONE_LAYOUTS) as [ZoneLayout, ...ZoneLayout[]];

const mapping = z.strictObject({
  preset: choice(TOPOLOGY_NAMES)
    .default('single')
    .describe(
      `What the keys below start from: ${Object.entries(TOPOLOGIES)
        .map(([name, { purpose }]) => `\`${name}\` (${purpose})`)
        .join('; ')}. \`topology: ha\` is short for \`topology: { preset: ha }\`.`,
    ),
  etcd: integer(1, 7)
    .optional()
    .describe(
      'Members of the etcd cluster. Even numbers are warned about: they survive no more than one less.',
    ),
  apiservers: integer(1, 9)
    .optional()
    .describe('API servers; several get a load balancer in front, which load and fleet go through.'),
  controllerManagers: integer(1, 5).optional().describe('Candidates for its lease; one of them acts.'),
  schedulers: integer(1, 5).optional().describe('Candidates for its lease; one of them acts.'),
  loadBalancer: choice(['haproxy', 'none'])
    .optional()
    .describe(
      "In front of the API servers: HAProxy, the system's own package; `none` only for one API server.",
    ),
  healthCheck: choice(HEALTH_CHECKS)
    .optional()
    .describe(
      "How the load balancer judges an API server: `readyz`; `readyz-without-etcd`, which keeps servers in when etcd has failed; `tcp`, a mere connect that does not close a hung server's connections; `none`.",
    ),
  layout: choice(LAYOUT_NAMES)
    .optional()
    .describe(
      'Zones of members and hollow nodes, dealt out in turn (`topology.kubernetes.io/zone`): `one-zone`, `three-zones`, or `two-in-one` with two of every three in zone-a.',
    ),
  links: choice(['direct', 'proxied'])
    .optional()
    .describe(
      '`proxied` puts a user-space proxy between members of etcd and between API servers and etcd, which faults of the network need; it costs each message a fraction of a millisecond.',
    ),
  supervised: flag()
    .optional()
    .describe('Start members again that end by themselves; otherwise such an end fails the run.'),
});

export const topologySchema = z
  .preprocess((value) => (typeof value === 'string' ? { preset: value } : value), mapping)
  .meta({
    anyOf: [
      { type: 'string', enum: TOPOLOGY_NAMES },
      { ...z.toJSONSchema(mapping, { io: 'input' }), $schema: undefined },
    ],
    inputExamples: ['ha'],
  })
  .transform((asked): TopologySettings => {
    const { settings } = TOPOLOGIES[asked.preset];
    const apiserverCount = asked.apiservers ?? settings.apiserverCount;
    const counts = {
      etcdCount: asked.etcd ?? settings.etcdCount,
      apiserverCount,
      controllerManagerCount: asked.controllerManagers ?? settings.controllerManagerCount,
      schedulerCount: asked.schedulers ?? settings.schedulerCount,
    };
    return {
      ...counts,
      loadBalancer:
        asked.loadBalancer ??
        (asked.apiservers === undefined ? settings.loadBalancer : apiserverCount > 1 ? 'haproxy' : 'none'),
      healthCheck: asked.healthCheck ?? settings.healthCheck,
      layout: asked.layout ?? settings.layout,
      links: asked.links ?? settings.links,
      supervised:
        asked.supervised ?? (settings.supervised || Object.values(counts).some((count) => count > 1)),
    };
  });
