/**
 * A TLS server that answers every request with the same bytes, as cheaply as Node can: started by the bench in a
 * process of its own, told by its parent what to serve, and ended with it.
 */
import { createServer } from 'node:tls';

interface SinkOrder {
  certPem: string;
  keyPem: string;
  bodyBytes: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

process.once('message', (order: SinkOrder) => {
  const body = `{"kind":"Pod","pad":"${'x'.repeat(Math.max(0, order.bodyBytes - 23))}"}`;
  const reply = Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const server = createServer({ cert: order.certPem, key: order.keyPem }, (socket) => {
    socket.setNoDelay(true);
    // The peer may go at any time: that is the end of the measurement.
    socket.on('error', () => socket.destroy());
    // Requests are GETs, whole in one read: a head's end is a request's end.
    socket.on('data', (chunk) => {
      for (let at = chunk.indexOf(HEAD_END); at !== -1; at = chunk.indexOf(HEAD_END, at + HEAD_END.length)) {
        socket.write(reply);
      }
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
});
process.once('disconnect', () => process.exit(0));
