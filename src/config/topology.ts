/**
 * The shape of a local control plane: how many members of each component, what stands in front of them, and which
 * zone each belongs to. Shapes that are asked for often have a name.
 */

/** A local plane's shape, every count filled in. */
export interface TopologySettings {
  etcdCount: number;
  apiserverCount: number;
  controllerManagerCount: number;
  schedulerCount: number;
  /** In front of the API servers; `none` only with one of them. */
  loadBalancer: 'haproxy' | 'none';
  healthCheck: HealthCheck;
  layout: ZoneLayout;
  /** `proxied`: a user-space proxy between etcd members and from API servers to etcd, so that they can be cut apart. */
  links: 'direct' | 'proxied';
  /** Whether a member that ends by itself is started again; otherwise the run fails. */
  supervised: boolean;
}

/**
 * How the load balancer finds out whether an API server is well: `readyz` asks for its /readyz, which asks etcd;
 * `readyz-without-etcd` leaves etcd out; `tcp` only connects, as a configuration that is often copied does; `none`
 * sends to every server always.
 */
export type HealthCheck = (typeof HEALTH_CHECKS)[number];
export const HEALTH_CHECKS = ['readyz', 'readyz-without-etcd', 'tcp', 'none'] as const;

export type ZoneLayout = keyof typeof ZONE_LAYOUTS;

/**
 * Zones in turn: member i and hollow node i belong to zone i modulo the length. `two-in-one` has two of every three
 * in the same zone, so that losing it loses etcd's majority.
 */
export const ZONE_LAYOUTS = {
  'one-zone': ['zone-a'],
  'three-zones': ['zone-a', 'zone-b', 'zone-c'],
  'two-in-one': ['zone-a', 'zone-a', 'zone-b'],
} as const satisfies Record<string, readonly string[]>;

export type TopologyName = keyof typeof TOPOLOGIES;

const SINGLE: TopologySettings = {
  etcdCount: 1,
  apiserverCount: 1,
  controllerManagerCount: 1,
  schedulerCount: 1,
  loadBalancer: 'none',
  healthCheck: 'readyz',
  layout: 'one-zone',
  links: 'direct',
  supervised: false,
};
const HA: TopologySettings = {
  etcdCount: 3,
  apiserverCount: 3,
  controllerManagerCount: 2,
  schedulerCount: 2,
  loadBalancer: 'haproxy',
  healthCheck: 'readyz',
  layout: 'three-zones',
  links: 'direct',
  supervised: true,
};

/** Topologies by name, with what each is for. */
export const TOPOLOGIES = {
  single: { settings: SINGLE, purpose: 'one of each, as in a test cluster' },
  ha: {
    settings: HA,
    purpose:
      'three etcd members, three API servers behind HAProxy, two controller managers and two schedulers, in three zones',
  },
  'ha-partitionable': {
    settings: { ...HA, links: 'proxied' },
    purpose: '`ha`, with links between members that can be cut, delayed and made to lose',
  },
  'ha-five': {
    settings: { ...HA, etcdCount: 5 },
    purpose: '`ha` with five etcd members, which survives the loss of two',
  },
  unsafe: {
    settings: { ...HA, etcdCount: 2, apiserverCount: 2, healthCheck: 'none', links: 'proxied' },
    purpose:
      'wrong on purpose: two etcd members, of which neither may fail, a load balancer that checks nothing, and links that can be cut',
  },
} as const satisfies Record<string, { settings: TopologySettings; purpose: string }>;

/** Zone of member or hollow node `index`. */
export function zoneOf(layout: ZoneLayout, index: number): string {
  const zones = ZONE_LAYOUTS[layout];
  return zones[index % zones.length] ?? zones[0];
}

/** Each zone of a layout once; empty for a layout of one, where nodes need no label. */
export function layoutZones(layout: ZoneLayout): string[] {
  const zones = [...new Set<string>(ZONE_LAYOUTS[layout])];
  return zones.length === 1 ? [] : zones;
}

/** Zones to deal nodes out to in turn: the layout's own sequence where the fleet's zones are the layout's. */
export function zonesInTurn(fleetZones: readonly string[], layout: ZoneLayout): readonly string[] {
  const zones = layoutZones(layout);
  const same = zones.length === fleetZones.length && zones.every((zone, index) => zone === fleetZones[index]);
  return same && zones.length > 0 ? ZONE_LAYOUTS[layout] : fleetZones;
}

/** What is unwise about a topology. */
export interface TopologyWeakness {
  text: string;
  /** Components whose faults it spoils the response to, as `FAULT_KINDS` names them. */
  components: readonly string[];
}

/** Everything unwise about a topology: allowed, warned about, and named by the faults that it lets through. */
export function topologyWeaknesses(topology: TopologySettings): TopologyWeakness[] {
  const { etcdCount, apiserverCount, loadBalancer, healthCheck, layout } = topology;
  const quorum = Math.floor(etcdCount / 2) + 1;
  const weaknesses: TopologyWeakness[] = [];
  if (etcdCount % 2 === 0)
    weaknesses.push({
      text: `${etcdCount} etcd members survive the loss of ${etcdCount - quorum}, as ${etcdCount - 1} would: a majority is ${quorum}, and one more member can fail`,
      components: ['etcd', 'network', 'zone'],
    });
  if (loadBalancer === 'haproxy' && apiserverCount > 1 && (healthCheck === 'none' || healthCheck === 'tcp'))
    weaknesses.push({
      text: `the load balancer's health check is "${healthCheck}": it goes on sending to API servers that ${healthCheck === 'none' ? 'are dead' : 'hang'}`,
      components: ['kube-apiserver', 'load-balancer', 'zone'],
    });
  if (layout === 'two-in-one' && etcdCount > 1)
    weaknesses.push({
      text: 'one zone holds the majority of etcd: losing it loses the control plane',
      components: ['zone'],
    });
  return weaknesses;
}

/** What is unwise about a topology, one sentence each. */
export function topologyWarnings(topology: TopologySettings): string[] {
  return topologyWeaknesses(topology).map(({ text }) => text);
}
