/**
 * Which links a plane has and where the proxy that carries them listens.
 *
 * etcd dials a member under the one address that its cluster knows, so a listener in front of a member cannot tell who
 * calls. But etcd's peer transport honours HTTPS_PROXY (client/pkg/transport/transport.go of etcd 3.6), for names that
 * are not loopback: each member gets a forward proxy of its own, and its peers have names under `.invalid`, which
 * nothing else could resolve. API servers get one port for each etcd member.
 */
import { join } from 'node:path';
import { servingPaths } from '../pki/plane-pki.ts';
import type { LinkPorts, PlanePorts } from '../topology/ports.ts';

/** What the proxy process is told, as JSON in a file. */
export interface LinkConfig {
  control: { port: number; certPath: string; keyPath: string; caPath: string };
  /** Forward proxies: whoever asks here for a connection is `from`. */
  peers: readonly { from: string; port: number }[];
  /** Where the members of these names are. */
  members: readonly { name: string; host: string; port: number }[];
  /** Plain listeners: whoever connects here is `from` and means `to`. */
  clients: readonly { from: string; to: string; port: number; targetPort: number }[];
}

export interface LinkPlan {
  configPath: string;
  config: LinkConfig;
  pairs: readonly { from: string; to: string }[];
}

/** Host name in the URL that a member's peers know it by. */
export function peerHost(name: string): string {
  return `${name}.hollowmark.invalid`;
}

/** Every directed pair: etcd to etcd, and API servers and etcd both ways. */
export function planLinks(directory: string, ports: PlanePorts, links: LinkPorts): LinkPlan {
  const stores = ports.etcd.map((_, index) => `etcd-${index}`);
  const apiservers = ports.apiservers.map((_, index) => `kube-apiserver-${index}`);
  const pairs = [
    ...stores.flatMap((from) => stores.filter((to) => to !== from).map((to) => ({ from, to }))),
    ...apiservers.flatMap((one) =>
      stores.flatMap((store) => [
        { from: one, to: store },
        { from: store, to: one },
      ]),
    ),
  ];
  const serving = servingPaths(join(directory, 'pki'), 'link-proxy-0');
  return {
    configPath: join(directory, 'links.json'),
    pairs,
    config: {
      control: {
        port: links.control,
        certPath: serving.cert,
        keyPath: serving.key,
        caPath: join(directory, 'pki', 'ca.crt'),
      },
      peers: links.peers.map((port, index) => ({ from: `etcd-${index}`, port })),
      members: ports.etcd.map(({ peer }, index) => ({
        name: `etcd-${index}`,
        host: peerHost(`etcd-${index}`),
        port: peer,
      })),
      clients: links.clients.flatMap((byStore, index) =>
        byStore.map((port, at) => ({
          from: `kube-apiserver-${index}`,
          to: `etcd-${at}`,
          port,
          targetPort: ports.etcd[at]?.client ?? 0,
        })),
      ),
    },
  };
}
