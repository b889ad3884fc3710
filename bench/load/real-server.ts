/** A real control plane with one pod of about 2.5 KB, for what a GET costs against the real API server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type ClusterAccess, openConnection, replyError } from '../../src/kube/index.ts';

export interface RealServer {
  access: ClusterAccess;
  /** For tools of others. */
  kubeconfigPath: string;
  podPath: string;
  namespace: string;
  podName: string;
  podBytes: number;
  stop: () => Promise<void>;
}

const PADDING_BYTES = 1_000;

export async function startRealServer(progress: (line: string) => void): Promise<RealServer> {
  const directory = await mkdtemp(join(tmpdir(), 'hollowmark-bench-'));
  const plane = await startLocalControlPlane(
    { directory },
    {
      signal: new AbortController().signal,
      clock: systemClock,
      log: silentLogger(),
      env: process.env,
      progress,
    },
  );
  const stop = async () => {
    await plane.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await using connection = await openConnection(plane.admin);
    const collection = '/api/v1/namespaces/kube-system/pods';
    const send = async (path: string, body: object) => {
      const reply = await connection.request({ method: 'POST', path, body: JSON.stringify(body) });
      if (reply.status >= 300) throw replyError({ verb: 'create', subject: path }, reply);
    };
    await send('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'bench' } });
    await send(collection, {
      metadata: { name: 'bench', annotations: { padding: 'x'.repeat(PADDING_BYTES) } },
      spec: {
        // Never scheduled: it must not change while it is read.
        schedulerName: 'none',
        serviceAccountName: 'bench',
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'pause' }],
      },
    });
    const podPath = `${collection}/bench?resourceVersion=0`;
    const { receivedBytes } = await connection.request({ method: 'GET', path: podPath });
    return {
      access: plane.admin,
      kubeconfigPath: plane.kubeconfigPath,
      namespace: 'kube-system',
      podName: 'bench',
      podPath,
      podBytes: receivedBytes,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
