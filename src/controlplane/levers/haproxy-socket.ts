/**
 * Levers on HAProxy: commands to its socket, one connection each.
 * Source: HAProxy 2.6, management.txt, section 9.3.
 */
import { connect } from 'node:net';
import { HarnessError, onAbort } from '../../core/index.ts';
import { HAPROXY_BACKEND } from '../components/haproxy.ts';
import type { BackendServer, LoadBalancerLevers } from './levers.ts';

/** A command that is not answered by then: HAProxy is paused or gone. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Source: HAProxy 2.6, src/server.c, the answer to `enable health` where a server has no `check`. */
const UNCHECKED = 'Health check was not configured';

/** Levers over the socket at `socketPath`. */
export function loadBalancerLevers(name: string, socketPath: string): LoadBalancerLevers {
  const command = async (text: string, signal: AbortSignal) => {
    const answer = await ask(socketPath, text, signal);
    // What succeeds says nothing.
    if (answer.trim() !== '')
      throw new HarnessError('HM_CLUSTER_STATE', `${name} refuses "${text}": ${answer.trim()}`);
  };
  /** Its checks decide again; one that is configured without any is what it is told to be. */
  const decideByChecks = async (server: string, signal: AbortSignal) => {
    const answer = (await ask(socketPath, `enable health ${at(server)}`, signal)).trim();
    if (answer === '') return;
    if (!answer.startsWith(UNCHECKED))
      throw new HarnessError('HM_CLUSTER_STATE', `${name} refuses to check ${server}: ${answer}`);
    await command(`set server ${at(server)} health up`, signal);
  };
  const at = (server: string) => `${HAPROXY_BACKEND}/${server}`;
  return {
    name,
    servers: async (signal) => backendServers(await ask(socketPath, 'show stat', signal)),
    setServerState: (server, state, signal) => command(`set server ${at(server)} state ${state}`, signal),
    async forceHealth(server, health, signal) {
      if (health === 'auto') await decideByChecks(server, signal);
      else {
        // Checks would have it the other way again within a second.
        await command(`disable health ${at(server)}`, signal);
        await command(`set server ${at(server)} health ${health}`, signal);
      }
    },
    shutdownSessions: (server, signal) => command(`shutdown sessions server ${at(server)}`, signal),
  };
}

/** Servers of the backend in the CSV that `show stat` prints: its first line names the columns. */
export function backendServers(csv: string): BackendServer[] {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  return lines.flatMap((line) => {
    const cells = line.split(',');
    const cell = (column: string) => cells[columns.indexOf(column)] ?? '';
    if (cell('pxname') !== HAPROXY_BACKEND || cell('svname') === 'BACKEND' || cell('svname') === '')
      return [];
    return [
      {
        name: cell('svname'),
        state: cell('status'),
        sessionCount: Number(cell('scur')),
        downCount: Number(cell('chkdown')),
        // A star says that a check is under way.
        check: cell('check_status').replace(/^\* /, ''),
        sinceMs: Number(cell('lastchg')) * 1_000,
      },
    ];
  });
}

function ask(socketPath: string, text: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    const stopListening = onAbort(signal, () => socket.destroy(signal.reason));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('no answer within 5 s')));
    socket.on('connect', () => socket.write(`${text}\n`));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (cause) => {
      stopListening();
      reject(
        new HarnessError('HM_CLUSTER_STATE', `haproxy does not answer "${text}": ${cause.message}`, {
          cause,
        }),
      );
    });
    socket.on('end', () => {
      stopListening();
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
}
