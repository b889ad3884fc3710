/**
 * The same plane in containers: docker-compose.yml at the root runs these instances from the upstream images, in one
 * network namespace, so that every address and flag but one is the local provider's own. A test compares the two.
 */

import type { Profile } from '../config/index.ts';
import { HarnessError } from '../core/index.ts';
import { pkiPaths, writePlanePki } from './pki/plane-pki.ts';
import { advertiseAddress, type PlaneShape, shapePlane } from './topology/shape.ts';

/** Port of the API server, in the containers and on the host's 127.0.0.1. */
export const CONTAINER_API_PORT = 6443;
/** Folder that the containers find `pki` and `data` in. */
export const CONTAINER_DIRECTORY = '/hollowmark';

/** The instances that docker-compose.yml runs, with the ports that kubeadm gives them. */
export function containerPlane(profile: Profile): PlaneShape {
  return shapePlane({
    directory: CONTAINER_DIRECTORY,
    profile,
    flags: {},
    ports: {
      apiservers: [CONTAINER_API_PORT],
      controllerManagers: [10257],
      schedulers: [10259],
      etcd: [{ client: 2379, peer: 2380 }],
      eventsEtcd: [],
    },
    // A published port arrives at the namespace's own address, not at its loopback.
    apiserverBindAddress: '0.0.0.0',
    clusterToken: 'hollowmark-compose',
  });
}

/**
 * Writes the keys, certificates and kubeconfig files that docker-compose.yml mounts; returns the path of the
 * administrator's kubeconfig.
 * @throws HM_DISK_FULL, or HM_INTERNAL if the folder cannot be written.
 */
export async function writeContainerFiles(directory: string, profile: Profile): Promise<string> {
  const { server } = containerPlane(profile);
  if (server === '') throw new HarnessError('HM_INTERNAL', 'the container plane has no API server');
  await writePlanePki({ directory, profile, server, extraAddresses: [advertiseAddress(0)] });
  return pkiPaths(directory).adminKubeconfig;
}
