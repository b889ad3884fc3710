/** The sink as its parent sees it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CertificateAuthority } from '../../src/controlplane/index.ts';
import type { ClusterAccess } from '../../src/kube/index.ts';

export interface Sink {
  access: ClusterAccess;
  stop: () => Promise<void>;
}

/** A process that answers GETs with `bodyBytes` of JSON. */
export function startSink(bodyBytes: number): Promise<Sink> {
  return start('./sink-main.js', { bodyBytes });
}

/** A process that holds watches over HTTP/2. */
export function startWatchSink(): Promise<Sink> {
  return start('./watch-sink-main.js', {});
}

async function start(script: string, order: object): Promise<Sink> {
  const authority = await CertificateAuthority.create('bench', 'ec-p256');
  const { certPem, keyPem } = await authority.issue({
    commonName: 'sink',
    usage: 'server',
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1'],
  });
  const child = fork(new URL(script, import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send({ certPem, keyPem, ...order });
  const [address] = (await once(child, 'message')) as [{ port: number }];
  const server = `https://127.0.0.1:${address.port}`;
  return {
    access: {
      server,
      members: [server],
      caPem: authority.certPem,
      // As long as a service-account token.
      credential: { type: 'bearer-token', token: 'x'.repeat(900) },
    },
    stop: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
