/**
 * Every port of a plane, reserved before anything starts: members name each other's ports on their command lines.
 */
import type { TopologySettings } from '../../config/index.ts';
import type { PortReservation } from '../ports.ts';

export interface EtcdPorts {
  client: number;
  peer: number;
}

export interface LinkPorts {
  /** Of the proxy's own health check and commands. */
  control: number;
  /** By etcd member: where it asks for a connection to another member. */
  peers: readonly number[];
  /** By API server, then by etcd member: where it finds that member. */
  clients: readonly (readonly number[])[];
}

export interface PlanePorts {
  etcd: readonly EtcdPorts[];
  /** Of the etcd for events: one or none. */
  eventsEtcd: readonly EtcdPorts[];
  apiservers: readonly number[];
  controllerManagers: readonly number[];
  schedulers: readonly number[];
  loadBalancer?: number;
  links?: LinkPorts;
}

/**
 * Reserves them. `apiserverPort` is for what clients use: the load balancer where there is one.
 * @throws HM_PORT_UNAVAILABLE
 */
export async function reservePorts(
  reservation: PortReservation,
  options: { topology: TopologySettings; apiserverPort?: number | undefined; separateEventsEtcd: boolean },
): Promise<PlanePorts> {
  const { topology, apiserverPort } = options;
  const several = async <T>(count: number, reserve: (index: number) => Promise<T>): Promise<T[]> => {
    const found: T[] = [];
    for (let index = 0; index < count; index++) found.push(await reserve(index));
    return found;
  };
  const one = () => reservation.reserve();
  const etcd = async () => ({ client: await one(), peer: await one() });
  const balanced = topology.loadBalancer === 'haproxy';
  // The wanted one first: a random one must not take it.
  const loadBalancer = balanced ? await reservation.reserve(apiserverPort) : undefined;
  const apiservers = await several(topology.apiserverCount, (index) =>
    reservation.reserve(!balanced && index === 0 ? apiserverPort : undefined),
  );
  return {
    apiservers,
    ...(loadBalancer === undefined ? {} : { loadBalancer }),
    controllerManagers: await several(topology.controllerManagerCount, one),
    schedulers: await several(topology.schedulerCount, one),
    etcd: await several(topology.etcdCount, etcd),
    eventsEtcd: await several(options.separateEventsEtcd ? 1 : 0, etcd),
    ...(topology.links === 'direct'
      ? {}
      : {
          links: {
            control: await one(),
            peers: await several(topology.etcdCount, one),
            clients: await several(topology.apiserverCount, () => several(topology.etcdCount, one)),
          },
        }),
  };
}
