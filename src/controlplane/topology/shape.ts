/**
 * The shape of a plane: which instances there are, how they are wired, and in which order they start. Everything here
 * is arithmetic over names and ports; nothing is started.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Profile, TOPOLOGIES, type TopologySettings, zoneOf } from '../../config/index.ts';
import type { ComponentInstance } from '../components/component.ts';
import { etcd } from '../components/etcd.ts';
import type { ComponentFlags } from '../components/flags.ts';
import { haproxy, haproxyConfig } from '../components/haproxy.ts';
import { kubeApiserver } from '../components/kube-apiserver.ts';
import { kubeControllerManager } from '../components/kube-controller-manager.ts';
import { kubeScheduler } from '../components/kube-scheduler.ts';
import { linkProxy } from '../components/link-proxy.ts';
import { type LinkPlan, peerHost, planLinks } from '../links/link-plan.ts';
import { pkiPaths, servingPaths } from '../pki/plane-pki.ts';
import type { PlanePorts } from './ports.ts';

export interface PlaneSettings {
  /** Folder of the run: data, logs, keys. */
  directory: string;
  profile: Profile;
  flags: ComponentFlags;
  ports: PlanePorts;
  /** @default one of each */
  topology?: TopologySettings;
  /** Path of HAProxy, where the topology has one. @default 'haproxy' */
  haproxyPath?: string | undefined;
  /** Audit policy file, absolute; absent: no audit. */
  auditPolicyPath?: string | undefined;
  /** Where the API servers listen. @default '127.0.0.1' */
  apiserverBindAddress?: string | undefined;
  /** Keeps members of two planes apart. @default a random one */
  clusterToken?: string | undefined;
}

export interface PlaneShape {
  /** Groups in starting order; the members of a group start together. Stopping goes the other way round. */
  stages: readonly (readonly ComponentInstance[])[];
  /** URL that clients use: the load balancer, or the only API server. */
  server: string;
  /** URLs of the API servers one by one. */
  members: readonly string[];
  topology: TopologySettings;
  /** Written before anything starts: configuration of what stands between the components. */
  files: readonly { path: string; text: string }[];
  /** The directed links that the proxy carries; absent where members talk directly. */
  links?: LinkPlan;
}

/** Of API server `index`, see ApiServerSettings.advertiseAddress; nothing listens there. */
export function advertiseAddress(index: number): string {
  return `192.0.2.${index + 1}`;
}

/**
 * The instances of a plane. Links come first, because etcd forms its cluster over them; then etcd, because an API
 * server ends itself if it finds none; the API servers next, because what is left reads its own authentication
 * settings from them, through the load balancer.
 */
export function shapePlane(settings: PlaneSettings): PlaneShape {
  const { directory, profile, flags, ports } = settings;
  const topology = settings.topology ?? TOPOLOGIES.single.settings;
  const paths = pkiPaths(join(directory, 'pki'));
  // Every instance serves a certificate of its own, so that one can expire alone.
  const pkiOf = (name: string) => servingPaths(join(directory, 'pki'), name);
  const placed = (instance: ComponentInstance, index: number): ComponentInstance => ({
    ...instance,
    zone: zoneOf(topology.layout, index),
  });
  const token = settings.clusterToken ?? `hollowmark-${randomBytes(6).toString('hex')}`;
  const { links } = ports;
  const peerUrl = (prefix: string, index: number, port: number) =>
    links === undefined || prefix !== 'etcd'
      ? `https://127.0.0.1:${port}`
      : `https://${peerHost(`${prefix}-${index}`)}:${port}`;
  const stores = (prefix: string, all: PlanePorts['etcd']) =>
    all.map(({ client, peer }, index) => {
      const name = `${prefix}-${index}`;
      return placed(
        etcd({
          name,
          clientPort: client,
          peerPort: peer,
          members: all.map((one, at) => ({
            name: `${prefix}-${at}`,
            peerUrl: peerUrl(prefix, at, one.peer),
          })),
          clusterToken: `${token}-${prefix}`,
          dataDirectory: join(directory, 'data', name),
          pki: { ...paths, etcdServer: pkiOf(name) },
          profile,
          flags: flags['etcd'],
          forwardProxy:
            links === undefined || prefix !== 'etcd' ? undefined : `http://127.0.0.1:${links.peers[index]}`,
        }),
        index,
      );
    });
  const objects = stores('etcd', ports.etcd);
  const events = stores('etcd-events', ports.eventsEtcd);
  const urls = (instances: readonly ComponentInstance[]) => instances.map((one) => `https://${one.address}`);
  const hostname = (name: string, all: readonly number[]) => (all.length > 1 ? { hostname: name } : {});
  const apiservers = ports.apiservers.map((port, index) => {
    const name = `kube-apiserver-${index}`;
    const audit = join(directory, 'logs', index === 0 ? 'audit.ndjson' : `audit-${index}.ndjson`);
    const instance = kubeApiserver({
      name,
      port,
      bindAddress: settings.apiserverBindAddress,
      advertiseAddress: advertiseAddress(index),
      etcdServers:
        links?.clients[index]?.map((clientPort) => `https://127.0.0.1:${clientPort}`) ?? urls(objects),
      eventsEtcdServers: events.length === 0 ? undefined : urls(events),
      pki: { ...paths, apiserver: pkiOf(name) },
      audit:
        settings.auditPolicyPath === undefined
          ? undefined
          : { policyPath: settings.auditPolicyPath, logPath: audit },
      flags: flags['kube-apiserver'],
    });
    return placed({ ...instance, ...hostname(name, ports.apiservers) }, index);
  });
  const controllers = [
    ...ports.controllerManagers.map((port, index) => {
      const name = `kube-controller-manager-${index}`;
      const pki = { ...paths, controllerManager: pkiOf(name) };
      const instance = kubeControllerManager({
        name,
        port,
        pki,
        profile,
        flags: flags['kube-controller-manager'],
      });
      return placed({ ...instance, ...hostname(name, ports.controllerManagers) }, index);
    }),
    ...ports.schedulers.map((port, index) => {
      const name = `kube-scheduler-${index}`;
      const pki = { ...paths, scheduler: pkiOf(name) };
      const instance = kubeScheduler({ name, port, pki, profile, flags: flags['kube-scheduler'] });
      return placed({ ...instance, ...hostname(name, ports.schedulers) }, index);
    }),
  ];
  const members = urls(apiservers);
  const balancer = balance(settings, paths.ca);
  const carried = links === undefined ? undefined : planLinks(directory, ports, links);
  return {
    stages: [
      carried === undefined ? [] : [linkProxy('link-proxy-0', carried)],
      [...objects, ...events],
      apiservers,
      balancer === undefined ? [] : [balancer.instance],
      controllers,
    ].filter((stage) => stage.length > 0),
    server: balancer === undefined ? (members[0] ?? '') : `https://${balancer.instance.address}`,
    members,
    topology,
    files: [
      ...(balancer === undefined ? [] : [balancer.file]),
      ...(carried === undefined
        ? []
        : [{ path: carried.configPath, text: JSON.stringify(carried.config, undefined, 2) }]),
    ],
    ...(carried === undefined ? {} : { links: carried }),
  };
}

function balance(
  settings: PlaneSettings,
  caPath: string,
): { instance: ComponentInstance; file: PlaneShape['files'][number] } | undefined {
  const { ports, topology } = settings;
  if (ports.loadBalancer === undefined) return undefined;
  const balancer = {
    name: 'haproxy-0',
    program: settings.haproxyPath ?? 'haproxy',
    configPath: join(settings.directory, 'haproxy.cfg'),
    port: ports.loadBalancer,
    servers: ports.apiservers.map((port, index) => ({ name: `kube-apiserver-${index}`, port })),
    healthCheck: topology?.healthCheck ?? 'readyz',
    caPath,
  } as const;
  return {
    instance: haproxy(balancer),
    file: { path: balancer.configPath, text: haproxyConfig(balancer) },
  };
}
