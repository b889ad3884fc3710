/**
 * An HTTP/2 server that holds watches: each is in step at once (an initial bookmark) and then stays open. Started by
 * the bench in a process of its own and ended with it.
 */
import { createSecureServer } from 'node:http2';

interface SinkOrder {
  certPem: string;
  keyPem: string;
}

/** As a stock API server announces. Source: k8s.io/apiserver pkg/server/secure_serving.go. */
const STREAMS_PER_CONNECTION = 100;
const BOOKMARK = `${JSON.stringify({
  type: 'BOOKMARK',
  object: {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } },
  },
})}\n`;

process.once('message', (order: SinkOrder) => {
  const server = createSecureServer({
    cert: order.certPem,
    key: order.keyPem,
    settings: { maxConcurrentStreams: STREAMS_PER_CONNECTION },
  });
  // The peer may go at any time: that is the end of the measurement.
  server.on('session', (session) => session.on('error', () => session.destroy()));
  server.on('stream', (stream) => {
    stream.on('error', () => stream.destroy());
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.write(BOOKMARK);
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
});
process.once('disconnect', () => process.exit(0));
