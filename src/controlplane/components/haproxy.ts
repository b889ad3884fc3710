/**
 * HAProxy in front of several API servers: the system's own package, a configuration file, and a socket for commands.
 */
import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { HealthCheck } from '../../config/index.ts';
import type { ComponentInstance } from './component.ts';

/** Name of the backend that holds the API servers. */
export const HAPROXY_BACKEND = 'kube-apiserver';

export interface HaproxySettings {
  /** `haproxy-0` */
  name: string;
  /** Absolute path of the program. */
  program: string;
  configPath: string;
  port: number;
  servers: readonly { name: string; port: number }[];
  healthCheck: HealthCheck;
  /** Authority of the API servers' certificates. */
  caPath: string;
}

export function haproxy(settings: HaproxySettings): ComponentInstance {
  return {
    component: 'haproxy',
    name: settings.name,
    program: settings.program,
    // In the foreground, so that its pid is the one that was started.
    args: ['-db', '-f', settings.configPath],
    readyPath: '/readyz',
    address: `127.0.0.1:${settings.port}`,
    identity: 'admin',
  };
}

/**
 * Its configuration. TCP mode keeps TLS, HTTP/2 and client certificates between client and API server. With `readyz` a
 * server that hangs is out after 4-6 s and its sessions are closed; without `on-marked-down shutdown-sessions` watches
 * would stay blind on a hung server for as long as it hangs. Time-outs of an hour: watches are silent for minutes.
 *
 * `no-ssl-reuse`: a resumed TLS session shows no certificate, and a check would never learn that it has expired.
 *
 * A check has 2 s (the lesser of `timeout connect` and `inter`) for its connection and TLS handshake and 3 s for its answer.
 * /readyz itself gives etcd 2 s, so less could not tell a server that says no from one that is late. And with 1 s, two
 * servers of a small machine are taken for dead while everybody who was with a third one connects to them: their sessions
 * are then cut as well, and the outage of one becomes that of all.
 */
export function haproxyConfig(settings: HaproxySettings): string {
  const { port, servers, healthCheck, caPath } = settings;
  const path = healthCheck === 'readyz' ? '/readyz' : '/readyz?exclude=etcd&exclude=etcd-readiness';
  const asksServer = healthCheck === 'readyz' || healthCheck === 'readyz-without-etcd';
  return `${[
    'global',
    `  stats socket ${haproxySocketPath(settings.configPath)} mode 600 level admin`,
    '  log stdout format raw daemon notice',
    'defaults',
    '  mode tcp',
    '  log global',
    '  timeout connect 2s',
    '  timeout check 3s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  timeout tunnel 1h',
    '  option redispatch 1',
    'frontend api',
    `  bind 127.0.0.1:${port}`,
    `  default_backend ${HAPROXY_BACKEND}`,
    `backend ${HAPROXY_BACKEND}`,
    '  balance leastconn',
    ...(asksServer
      ? [
          `  option httpchk GET ${path}`,
          '  http-check expect status 200',
          `  default-server check check-ssl no-ssl-reuse verify required ca-file ${caPath} inter 2s fastinter 250ms downinter 500ms fall 2 rise 2 on-marked-down shutdown-sessions`,
        ]
      : // HAProxy's own defaults, as a configuration has them that says no more than "check".
        healthCheck === 'tcp'
        ? ['  default-server check']
        : []),
    ...servers.map((server) => `  server ${server.name} 127.0.0.1:${server.port}`),
  ].join('\n')}\n`;
}

/** Path of the socket: short, because a Unix socket's may not have more than 107 characters. */
export function haproxySocketPath(configPath: string): string {
  const digest = createHash('sha256').update(configPath).digest('hex').slice(0, 16);
  return join(tmpdir(), `hollowmark-${userInfo().uid}-${digest}.sock`);
}
