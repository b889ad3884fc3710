/**
 * The link proxy's process. Argument: its configuration file. Commands come over HTTPS from whoever holds a client
 * certificate of the plane:
 *
 *   GET  /readyz   200 once every listener is open
 *   GET  /links    connections and bytes of each pair that was used
 *   POST /links    [{ "from", "to", "rule" }]: rules to set
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { systemClock } from '../../core/index.ts';
import type { LinkRule } from '../levers/levers.ts';
import type { LinkConfig } from './link-plan.ts';
import { LinkSwitch } from './link-switch.ts';

const config: LinkConfig = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const links = new LinkSwitch({ clock: systemClock, random: Math.random });
await links.listen(config);
const { certPath, keyPath, caPath, port } = config.control;
const control = createServer(
  {
    cert: readFileSync(certPath),
    key: readFileSync(keyPath),
    ca: readFileSync(caPath),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    void answer(request).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  },
);
control.listen({ port, host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));

async function answer(request: IncomingMessage): Promise<string> {
  if (request.url !== '/links') return 'ok';
  if (request.method !== 'POST') return JSON.stringify(links.counts());
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const changes: { from: string; to: string; rule: LinkRule }[] = JSON.parse(
    Buffer.concat(chunks).toString('utf8'),
  );
  for (const { from, to, rule } of changes) links.set(from, to, rule);
  return 'ok';
}
