/**
 * The shape of a plane: which instances there are and in which order they start. One of each today; the list is what
 * a larger topology makes longer, without anything else having to change.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Profile } from '../config/index.ts';
import type { ComponentInstance } from './components/component.ts';
import { etcd } from './components/etcd.ts';
import type { ComponentFlags } from './components/flags.ts';
import { kubeApiserver } from './components/kube-apiserver.ts';
import { kubeControllerManager } from './components/kube-controller-manager.ts';
import { kubeScheduler } from './components/kube-scheduler.ts';
import { pkiPaths } from './pki/plane-pki.ts';
import type { PortReservation } from './ports.ts';

export interface PlaneSettings {
  /** Folder of the run: data, logs, keys. */
  directory: string;
  profile: Profile;
  flags: ComponentFlags;
  ports: PlanePorts;
  /** A second etcd holds events only. */
  separateEventsEtcd: boolean;
  /** Audit policy file, absolute; absent: no audit. */
  auditPolicyPath?: string | undefined;
  /** Where the API server listens. @default '127.0.0.1' */
  apiserverBindAddress?: string | undefined;
  /** Keeps members of two planes apart. @default a random one */
  clusterToken?: string | undefined;
}

export interface PlanePorts {
  apiserver: number;
  controllerManager: number;
  scheduler: number;
  etcdClient: number;
  etcdPeer: number;
  eventsEtcdClient?: number;
  eventsEtcdPeer?: number;
}

/** Of the first API server, see ApiServerSettings.advertiseAddress; nothing listens there. */
export const ADVERTISE_ADDRESS = '192.0.2.1';

export interface PlaneShape {
  /** Groups in starting order; the members of a group start together. Stopping goes the other way round. */
  stages: readonly (readonly ComponentInstance[])[];
  /** URL that clients use. */
  server: string;
  /** URLs of the API servers one by one. */
  members: readonly string[];
}

/** Reserves every port that `shapePlane` needs. @throws HM_PORT_UNAVAILABLE */
export async function reservePorts(
  reservation: PortReservation,
  options: { apiserverPort?: number | undefined; separateEventsEtcd: boolean },
): Promise<PlanePorts> {
  const ports: PlanePorts = {
    apiserver: await reservation.reserve(options.apiserverPort),
    controllerManager: await reservation.reserve(),
    scheduler: await reservation.reserve(),
    etcdClient: await reservation.reserve(),
    etcdPeer: await reservation.reserve(),
  };
  if (options.separateEventsEtcd) {
    ports.eventsEtcdClient = await reservation.reserve();
    ports.eventsEtcdPeer = await reservation.reserve();
  }
  return ports;
}

/**
 * The instances of a plane. etcd comes first, because an API server ends itself if it finds no etcd; the API server
 * next, because the other two read their own authentication settings from it when they start; those two together.
 */
export function shapePlane(settings: PlaneSettings): PlaneShape {
  const { directory, profile, flags, ports } = settings;
  const pki = pkiPaths(join(directory, 'pki'));
  const token = settings.clusterToken ?? `hollowmark-${randomBytes(6).toString('hex')}`;
  const member = (name: string, clientPort: number, peerPort: number) =>
    etcd({
      name,
      clientPort,
      peerPort,
      members: [{ name, peerPort }],
      clusterToken: `${token}-${name}`,
      dataDirectory: join(directory, 'data', name),
      pki,
      profile,
      flags: flags['etcd'],
    });
  const stores = [member('etcd-0', ports.etcdClient, ports.etcdPeer)];
  const events =
    ports.eventsEtcdClient === undefined || ports.eventsEtcdPeer === undefined
      ? []
      : [member('etcd-events-0', ports.eventsEtcdClient, ports.eventsEtcdPeer)];
  const urls = (instances: readonly ComponentInstance[]) => instances.map((one) => `https://${one.address}`);
  const apiservers = [
    kubeApiserver({
      name: 'kube-apiserver-0',
      port: ports.apiserver,
      bindAddress: settings.apiserverBindAddress,
      advertiseAddress: ADVERTISE_ADDRESS,
      etcdServers: urls(stores),
      eventsEtcdServers: events.length === 0 ? undefined : urls(events),
      pki,
      audit:
        settings.auditPolicyPath === undefined
          ? undefined
          : { policyPath: settings.auditPolicyPath, logPath: join(directory, 'logs', 'audit.ndjson') },
      flags: flags['kube-apiserver'],
    }),
  ];
  const common = { pki, profile } as const;
  const controllers = [
    kubeControllerManager({
      ...common,
      name: 'kube-controller-manager-0',
      port: ports.controllerManager,
      flags: flags['kube-controller-manager'],
    }),
    kubeScheduler({
      ...common,
      name: 'kube-scheduler-0',
      port: ports.scheduler,
      flags: flags['kube-scheduler'],
    }),
  ];
  const members = urls(apiservers);
  return { stages: [[...stores, ...events], apiservers, controllers], server: members[0] ?? '', members };
}
