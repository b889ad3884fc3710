/**
 * Requests of each player, from the API server's audit log; the flow schema of each from its request log, which names
 * requests by the same audit id.
 */
import { existsSync, readFileSync } from 'node:fs';
import { PROXY_USER } from '../cluster/plane.ts';
import type { Player, PlayerName } from '../players/player.ts';

export interface PlayerRequest {
  /** When the server received it, ms since the epoch, with a fraction. */
  readonly atMs: number;
  readonly component: 'kubelet' | 'kube-proxy';
  readonly verb: string;
  /** `pods`, `pods/status`, `leases.coordination.k8s.io`: with the group where it is not the core's. */
  readonly resource: string;
  /** Empty where there is none. */
  readonly namespace: string;
  readonly name: string;
  readonly query: ReadonlyMap<string, string>;
  /** Whom the server took it for, after impersonation. */
  readonly user: string;
  readonly groups: readonly string[];
  readonly userAgent: string;
  readonly code: number;
  readonly body?: unknown;
  /** Absent for requests that had not ended when the server did. */
  readonly flowSchema?: string;
}

/** The instants in which the control plane itself bound a pod, by `namespace/name`, ms since the epoch. */
export type Bindings = ReadonlyMap<string, number>;

interface AuditUser {
  username: string;
  groups?: string[];
}

interface AuditEvent {
  auditID: string;
  verb: string;
  requestURI: string;
  user: AuditUser;
  impersonatedUser?: AuditUser;
  userAgent?: string;
  objectRef?: {
    resource?: string;
    namespace?: string;
    name?: string;
    apiGroup?: string;
    subresource?: string;
  };
  responseStatus?: { code?: number };
  requestObject?: unknown;
  requestReceivedTimestamp: string;
}

/** Reads both logs; requests in the order in which the server received them. */
export function readRequests(
  logs: { auditLogPath: string; requestLogPaths: readonly string[] },
  players: readonly Player[],
): { requests: Map<PlayerName, PlayerRequest[]>; bindings: Bindings } {
  const flowSchemas = readFlowSchemas(logs.requestLogPaths);
  const requests = new Map<PlayerName, PlayerRequest[]>(players.map(({ name }) => [name, []]));
  const bindings = new Map<string, number>();
  const seen = new Set<string>();
  for (const event of auditEvents(logs.auditLogPath)) {
    // A watch is there twice: when its answer began, and when it ended.
    if (seen.has(event.auditID)) continue;
    seen.add(event.auditID);
    const { resource, subresource, namespace, name } = event.objectRef ?? {};
    if (event.verb === 'create' && resource === 'pods' && subresource === 'binding') {
      bindings.set(`${namespace}/${name}`, instantMs(event.requestReceivedTimestamp));
    }
    const player = players.find((one) => isOf(one, event));
    if (player === undefined) continue;
    requests.get(player.name)?.push(requestOf(event, flowSchemas.get(event.auditID)));
  }
  for (const list of requests.values()) list.sort((a, b) => a.atMs - b.atMs);
  return { requests, bindings };
}

function isOf(player: Player, event: AuditEvent): boolean {
  const { username } = event.impersonatedUser ?? event.user;
  if (username === `system:node:${player.nodeName}`) return true;
  if (username !== PROXY_USER || player.agents.proxy === '') return false;
  // All proxies are one ServiceAccount: the agent tells upstream's from a real one's, impersonation ours from upstream's.
  const impersonates = player.name === 'hollowmark' || player.name === 'compat';
  return (
    impersonates === (event.impersonatedUser !== undefined) &&
    event.userAgent?.startsWith(player.agents.proxy) === true
  );
}

function requestOf(event: AuditEvent, flowSchema: string | undefined): PlayerRequest {
  const { username, groups = [] } = event.impersonatedUser ?? event.user;
  const { resource = '', apiGroup = '', subresource, namespace = '', name = '' } = event.objectRef ?? {};
  const group = apiGroup === '' ? '' : `.${apiGroup}`;
  return {
    atMs: instantMs(event.requestReceivedTimestamp),
    component: username === PROXY_USER ? 'kube-proxy' : 'kubelet',
    verb: event.verb,
    resource: `${resource}${group}${subresource === undefined ? '' : `/${subresource}`}`,
    namespace,
    name,
    query: new Map(new URL(event.requestURI, 'http://server').searchParams),
    user: username,
    groups: [...groups].sort(),
    userAgent: event.userAgent ?? '',
    code: event.responseStatus?.code ?? 0,
    ...(event.requestObject === undefined ? {} : { body: event.requestObject }),
    ...(flowSchema === undefined ? {} : { flowSchema }),
  };
}

function auditEvents(path: string): AuditEvent[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent);
}

/** Flow schema by audit id. Source of the line's form: k8s.io/apiserver pkg/server/httplog/httplog.go v0.36.3 */
function readFlowSchemas(paths: readonly string[]): Map<string, string> {
  const schemas = new Map<string, string>();
  for (const path of paths.filter((one) => existsSync(one))) {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (!line.includes('"HTTP" ')) continue;
      const id = /audit-ID="([^"]+)"/.exec(line)?.[1];
      const schema = /apf_fs="([^"]+)"/.exec(line)?.[1];
      if (id !== undefined && schema !== undefined) schemas.set(id, schema);
    }
  }
  return schemas;
}

/** Ms since the epoch of `2026-01-01T00:00:00.123456Z`, with the microseconds. */
function instantMs(timestamp: string): number {
  const whole = Date.parse(timestamp.replace(/\.\d+Z$/, 'Z'));
  return whole + Number(`0${/\.\d+/.exec(timestamp)?.[0] ?? ''}`) * 1_000;
}
