/** A TCP relay in front of a server: connections through it can be cut while the server knows of nothing. */
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

export interface TcpRelay extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection; new ones are taken. */
  cut(): void;
}

/** A relay on a free port of 127.0.0.1 to `targetPort` there. */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    // Whatever ends one half ends the other; that is what the relay is for.
    const over = () => {
      sockets.delete(near);
      near.destroy();
      far.destroy();
    };
    sockets.add(near);
    pipeline(near, far, over);
    pipeline(far, near, over);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    cut,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
