/**
 * How connections come about: the cluster's access data in, a connection over the wanted transport out. Nothing is
 * sent here; connections are made when the first call needs one.
 */
import { type Clock, systemClock } from '../core/index.ts';
import type { ClusterAccess, Impersonation } from './access.ts';
import type { Connection, CuttableConnection } from './connection.ts';
import { type ClientIdentity, resolveIdentity } from './credentials.ts';
import { Http1Pool, type Http1PoolSettings } from './http1-pool.ts';
import { Http2Pool, type Http2PoolSettings, SHARED_STREAMS_PER_SESSION } from './http2-pool.ts';
import { DEFAULT_SESSION_SETTINGS, type SessionSettings } from './http2-session.ts';

export interface ConnectOptions {
  /** `kubelet/v1.36.3 (linux/amd64) kubernetes/…`. @default hollowmark */
  userAgent?: string;
  /** Ask for gzip as Go clients do; the server compresses replies over 128 KiB. @default false */
  compression?: boolean;
  clock?: Clock;
  /** An identity resolved before, shared by many connections; else the access's credential is resolved now. */
  identity?: ClientIdentity;
  /** Base URL instead of the access's: one member of several. */
  server?: string;
}

export interface Http2Options extends ConnectOptions {
  session?: Partial<
    Pick<
      SessionSettings,
      'streamWindowBytes' | 'connectionWindowBytes' | 'pingIdleMs' | 'pingTimeoutMs' | 'connectTimeoutMs'
    >
  >;
}

export interface SharedPoolOptions extends Http2Options {
  /** @default 90 */
  maxStreamsPerSession?: number;
}

export interface Http1Options extends ConnectOptions {
  /** Connections for calls. @default 64 */
  connectionCount?: number;
  /** @default 10_000 */
  connectTimeoutMs?: number;
}

export const DEFAULT_USER_AGENT = 'hollowmark';
export const DEFAULT_HTTP1_CONNECTION_COUNT = 64;
const DEFAULT_HTTP1_CONNECT_TIMEOUT_MS = 10_000;

/**
 * One HTTP/2 connection under one identity, as a kubelet holds; a second session opens when the server's stream limit
 * is reached or after GOAWAY.
 * @throws HM_KUBECONFIG_INVALID
 */
export async function openConnection(access: ClusterAccess, options: Http2Options = {}): Promise<Connection> {
  const clock = options.clock ?? systemClock;
  const identity = options.identity ?? (await resolveIdentity(access, clock));
  return connectionFor(access, identity, options);
}

/** As openConnection, at once, for an identity that is resolved already: nodes are made by the thousand. */
export function connectionFor(
  access: ClusterAccess,
  identity: ClientIdentity,
  options: Http2Options = {},
): CuttableConnection {
  const settings = http2Settings(access, options, Number.POSITIVE_INFINITY);
  return new Http2Pool(settings, identity, options.clock ?? systemClock).soleView(access.impersonate);
}

/** HTTP/2 sessions that many identities share: `pool.view(impersonation)` costs a few hundred bytes. */
export interface SharedConnections extends AsyncDisposable {
  /** A connection that speaks as `impersonate`; the access's own impersonation if undefined. */
  view(impersonate?: Impersonation): CuttableConnection;
  stats(): ReturnType<Connection['stats']>;
  close(graceMs?: number): Promise<void>;
}

/** @throws HM_KUBECONFIG_INVALID */
export async function openSharedConnections(
  access: ClusterAccess,
  options: SharedPoolOptions = {},
): Promise<SharedConnections> {
  const clock = options.clock ?? systemClock;
  const identity = options.identity ?? (await resolveIdentity(access, clock));
  const settings = http2Settings(access, options, options.maxStreamsPerSession ?? SHARED_STREAMS_PER_SESSION);
  const pool = new Http2Pool(settings, identity, clock);
  return {
    view: (impersonate) => pool.view(impersonate ?? access.impersonate),
    stats: () => pool.stats(),
    close: (graceMs) => pool.close(graceMs),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

/**
 * HTTP/1.1 connections for measured load.
 * @throws HM_KUBECONFIG_INVALID
 */
export async function openHttp1Pool(access: ClusterAccess, options: Http1Options = {}): Promise<Connection> {
  const clock = options.clock ?? systemClock;
  const identity = options.identity ?? (await resolveIdentity(access, clock));
  const settings: Http1PoolSettings = {
    server: options.server ?? access.server,
    tlsServerName: access.tlsServerName,
    insecureSkipTlsVerify: access.insecureSkipTlsVerify === true,
    userAgent: options.userAgent ?? DEFAULT_USER_AGENT,
    compression: options.compression === true,
    connectionCount: options.connectionCount ?? DEFAULT_HTTP1_CONNECTION_COUNT,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_HTTP1_CONNECT_TIMEOUT_MS,
  };
  return new Http1Pool(settings, identity, access.impersonate, clock);
}

function http2Settings(
  access: ClusterAccess,
  options: Http2Options,
  maxStreamsPerSession: number,
): Http2PoolSettings {
  return {
    ...DEFAULT_SESSION_SETTINGS,
    ...options.session,
    server: options.server ?? access.server,
    tlsServerName: access.tlsServerName,
    insecureSkipTlsVerify: access.insecureSkipTlsVerify === true,
    userAgent: options.userAgent ?? DEFAULT_USER_AGENT,
    compression: options.compression === true,
    maxStreamsPerSession,
  };
}
