/**
 * The suite's `fleet` section: how many hollow nodes there are and how they behave.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import {
  DEFAULT_CAPACITY,
  DEFAULT_LEASE_DURATION,
  DEFAULT_NODE_OBJECT_SIZE,
  DEFAULT_POD_SANDBOX,
  DEFAULT_POD_START,
  DEFAULT_POD_STOP,
  DEFAULT_RAMP,
  DEFAULT_READY_TIMEOUT,
  DEFAULT_STATUS_REPORT,
  KUBEMARK_POD_SANDBOX,
  KUBEMARK_POD_START,
  KUBEMARK_POD_STOP,
  NODES_PER_FLEET_AGENT,
} from './defaults.ts';
import {
  bytes,
  choice,
  type DurationRange,
  duration,
  durationRange,
  flag,
  integer,
  label,
  parseDurationRange,
  rate,
  resourceQuantity,
} from './quantities.ts';
import { behavioursSchema } from './schema-behaviours.ts';
import type { FleetSettings } from './suite.ts';

const MAX_NODES = 100_000;
// etcd refuses requests over 1.5 MiB; a Node object must leave room for its status.
const MAX_NODE_OBJECT_BYTES = 1_000_000;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

const capacitySchema = z.strictObject({
  cpu: resourceQuantity().prefault(DEFAULT_CAPACITY.cpu).describe('Cores that a node reports.'),
  memory: resourceQuantity().prefault(DEFAULT_CAPACITY.memory).describe('Memory that a node reports.'),
  pods: integer(1, 10_000).default(DEFAULT_CAPACITY.pods).describe('Pods that a node takes.'),
  ephemeralStorage: resourceQuantity()
    .prefault(DEFAULT_CAPACITY.ephemeralStorage)
    .describe('Ephemeral storage that a node reports.'),
});

const podsSchema = z.strictObject({
  sandbox: durationRange()
    .optional()
    .describe(
      `From a pod's first sync to mounted volumes and a ready sandbox. Default \`${DEFAULT_POD_SANDBOX}\`, as a real kubelet with containerd was seen to take; \`${KUBEMARK_POD_SANDBOX}\` with \`compat: kubemark\`.`,
    ),
  start: durationRange()
    .optional()
    .describe(
      `From the sandbox to running containers. Default \`${DEFAULT_POD_START}\`; \`${KUBEMARK_POD_START}\` with \`compat: kubemark\`.`,
    ),
  stop: durationRange()
    .optional()
    .describe(
      `From a deletion to stopped containers, at most the pod's grace period. Default \`${DEFAULT_POD_STOP}\`; \`${KUBEMARK_POD_STOP}\` with \`compat: kubemark\`.`,
    ),
});

const proxySyncSchema = z.strictObject({
  base: duration({ zero: true }).prefault('0ms').describe('Of each sync.'),
  perRule: duration({ zero: true })
    .prefault('0ms')
    .describe('For each rule of the whole model: a port of a Service, or an endpoint behind one.'),
});

/** What is not said depends on where the API server is, which this section does not know. */
/** Addresses that stand for all of a host's: no node can be reached there. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

type UnplacedFleet = Omit<FleetSettings, 'kubeletApi'> & { kubeletApi: boolean | undefined };

export const fleetSchema = z
  .strictObject({
    nodes: integer(0, MAX_NODES).describe('Hollow nodes. `--nodes N` overrides it.'),
    agents: integer(1, 1_000)
      .optional()
      .describe(
        `Processes that the nodes are spread over. Default: one for each ${NODES_PER_FLEET_AGENT} nodes.`,
      ),
    identity: choice(['impersonation', 'certificate'])
      .default('impersonation')
      .describe(
        'How a node is `system:node:NAME` to the API server: by impersonation headers, or by a client certificate of its own (`per-node` connections only).',
      ),
    fidelity: choice(['full', 'light'])
      .default('full')
      .describe(
        '`full`: every node talks as a kubelet and a kube-proxy do. `light`: shared watches, two requests to register, one status write a pod transition, no events, tokens or proxies, one identity; for pushing schedulers and controllers with very many nodes, never for figures about the API server.',
      ),
    connections: choice(['per-node', 'shared'])
      .optional()
      .describe(
        '`per-node`: one HTTP/2 connection for the kubelet and one for the proxy, as in a real cluster. `shared`: pools of connections, cheaper and less true. Default: `per-node`, `shared` with `fidelity: light`.',
      ),
    compat: choice(['none', 'kubemark'])
      .default('none')
      .describe("`kubemark` switches off what upstream's hollow node cannot do."),
    ramp: rate()
      .prefault(DEFAULT_RAMP)
      .describe('Nodes that begin to register in a second, over all agents.'),
    readyTimeout: duration()
      .prefault(DEFAULT_READY_TIMEOUT)
      .describe('All nodes are Ready within this, or the run is invalid.'),
    nodeObjectSize: bytes(MAX_NODE_OBJECT_BYTES)
      .prefault(DEFAULT_NODE_OBJECT_SIZE)
      .describe("Size that a Node object is padded to, as a real node's image list would."),
    leaseDuration: duration()
      .prefault(DEFAULT_LEASE_DURATION)
      .describe('Duration of a node lease; renewed each quarter of it.'),
    statusReport: duration()
      .prefault(DEFAULT_STATUS_REPORT)
      .describe('Time between two status writes of a node on which nothing changes.'),
    events: flag()
      .optional()
      .describe(
        'Events as a real kubelet posts them. Default: true, false with `compat: kubemark` and `fidelity: light`.',
      ),
    proxy: flag()
      .optional()
      .describe('A hollow kube-proxy on each node. Default: true, false with `fidelity: light`.'),
    kubeletApi: flag()
      .optional()
      .describe(
        "Each node's kubelet API (logs, metrics, stats) on loopback of the fleet's host; nodes then have addresses in 127.0.0.0/8. Default: true with provider `local`, where the API server is on that host; false otherwise and with `fidelity: light`.",
      ),
    kubeletAddress: z
      .string()
      .refine((text) => isIP(text) !== 0 && !UNSPECIFIED.has(text), {
        error: "expected an address of the fleet's host, such as 10.0.0.7",
      })
      .optional()
      .describe(
        "Address of the fleet's host under which the API server reaches it: every node has it as InternalIP, each with a port of its own, and its kubelet API listens there instead of on loopback. For attached clusters; turns `kubeletApi` on.",
      ),
    proxySync: proxySyncSchema
      .prefault({})
      .describe(
        'Modelled time that one sync of a hollow proxy takes to write its rules; nothing is written.',
      ),
    compression: flag()
      .default(true)
      .describe('gzip for replies over 128 KiB, as Go clients ask for; costs CPU of the API server.'),
    capacity: capacitySchema.prefault({}).describe('What each node reports as its capacity.'),
    labels: z
      .record(
        z.string().regex(LABEL_KEY, { error: 'expected a label key' }),
        z
          .string({ error: 'expected a label value in quotes' })
          .regex(LABEL_VALUE, { error: 'expected a label value' }),
      )
      .default({})
      .describe('Extra labels of every node.'),
    zones: z
      .array(label('the name of a zone'))
      .default([])
      .describe(
        'Zones that the nodes are spread over evenly, as label `topology.kubernetes.io/zone`; storms can hit one. Default: those of `controlPlane.topology.layout`, dealt out as it says.',
      ),
    pods: podsSchema.prefault({}).describe('How long hollow pods take; drawn by seed, uniformly.'),
    behaviours: behavioursSchema,
  })
  .transform((section): UnplacedFleet => {
    const kubemark = section.compat === 'kubemark';
    const light = section.fidelity === 'light';
    const step = (given: DurationRange | undefined, real: string, hollow: string) =>
      given ?? parseDurationRange(kubemark ? hollow : real) ?? { low: 0, high: 0 };
    return {
      nodeCount: section.nodes,
      agentCount: section.agents ?? Math.max(1, Math.ceil(section.nodes / NODES_PER_FLEET_AGENT)),
      identity: section.identity,
      fidelity: section.fidelity,
      connections: section.connections ?? (light ? 'shared' : 'per-node'),
      compat: section.compat,
      rampPerSecond: section.ramp,
      readyTimeoutMs: section.readyTimeout,
      nodeObjectBytes: section.nodeObjectSize,
      leaseDurationMs: section.leaseDuration,
      statusReportMs: section.statusReport,
      events: section.events ?? !(kubemark || light),
      proxy: section.proxy ?? !light,
      kubeletApi: section.kubeletApi,
      ...(section.kubeletAddress === undefined ? {} : { kubeletAddress: section.kubeletAddress }),
      proxySync: { baseUs: section.proxySync.base * 1_000, perRuleUs: section.proxySync.perRule * 1_000 },
      compression: section.compression,
      capacity: {
        cpu: section.capacity.cpu,
        memory: section.capacity.memory,
        podCount: section.capacity.pods,
        ephemeralStorage: section.capacity.ephemeralStorage,
      },
      labels: section.labels,
      zones: section.zones,
      pods: {
        sandboxMs: step(section.pods.sandbox, DEFAULT_POD_SANDBOX, KUBEMARK_POD_SANDBOX),
        startMs: step(section.pods.start, DEFAULT_POD_START, KUBEMARK_POD_START),
        stopMs: step(section.pods.stop, DEFAULT_POD_STOP, KUBEMARK_POD_STOP),
      },
      behaviours: section.behaviours,
    };
  });
