/**
 * Levers on serving certificates: new files in the place of the old. kube-apiserver, kube-controller-manager and
 * kube-scheduler watch their files and take them within a minute; etcd reads them anew for every connection.
 */
import { X509Certificate } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { HarnessError, onAbort } from '../../core/index.ts';
import type { KeyAndCertificate } from '../pki/authority.ts';
import { type PlanePki, servingPaths } from '../pki/plane-pki.ts';
import type { PlaneProcesses } from '../plane-processes.ts';
import type { CertificateLevers } from './levers.ts';

/** Expired a minute ago; authorities here let a certificate begin five minutes before now. */
const EXPIRED_DAYS = -1 / 1_440;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface Certificates extends CertificateLevers {
  /** Names of the instances whose certificate has expired. */
  readonly expired: ReadonlySet<string>;
}

export function certificateLevers(directory: string, pki: PlanePki, processes: PlaneProcesses): Certificates {
  const expired = new Set<string>();
  const write = (name: string, pair: KeyAndCertificate) => {
    const at = servingPaths(join(directory, 'pki'), name);
    // Each appears whole; whoever reads between the two finds that they do not match and keeps what it has.
    for (const [path, text] of [
      [at.key, pair.keyPem],
      [at.cert, pair.certPem],
    ] as const) {
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    }
  };
  const refuseUnserved = (name: string) => {
    const { component } = processes.instance(name);
    if (component === 'haproxy' || component === 'link-proxy')
      throw new HarnessError('HM_USAGE', `${name} serves no certificate that could be replaced`);
  };
  return {
    expired,
    async expire(name) {
      refuseUnserved(name);
      write(name, await pki.issueServing(name, EXPIRED_DAYS));
      expired.add(name);
    },
    async rotate(name) {
      refuseUnserved(name);
      const pair = await pki.issueServing(name);
      write(name, pair);
      expired.delete(name);
      return new X509Certificate(pair.certPem).serialNumber;
    },
    served: (name, signal) => servedCertificate(processes.instance(name).address, processes, name, signal),
  };
}

function servedCertificate(
  address: string,
  processes: PlaneProcesses,
  name: string,
  signal: AbortSignal,
): Promise<{ serial: string; notAfter: string }> {
  const { credential, caPem } = processes.access(name);
  const [host, port] = address.split(':');
  const client =
    credential.type === 'client-certificate' ? { cert: credential.certPem, key: credential.keyPem } : {};
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // It is looked at and not trusted: an expired one is what is looked for.
    const socket = connect({
      host,
      port: Number(port),
      rejectUnauthorized: false,
      ...client,
      ...(caPem === undefined ? {} : { ca: caPem }),
    });
    const stopListening = onAbort(signal, () => socket.destroy(signal.reason));
    socket.setTimeout(HANDSHAKE_TIMEOUT_MS, () =>
      socket.destroy(new Error(`${name} did not finish a handshake within 5 s`)),
    );
    socket.on('error', (error) => {
      stopListening();
      reject(error);
    });
    socket.on('secureConnect', () => {
      stopListening();
      const { serialNumber, valid_to: notAfter } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ serial: serialNumber, notAfter });
    });
  });
}
