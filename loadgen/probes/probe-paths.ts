/**
 * The ways to the cluster that probes take: through the load balancer, and to each API server behind it. Connections are
 * made as calls need them and are never waited for, because a probe that queues behind a hung one would tell of the queue.
 */
import type { Clock } from '../../src/core/index.ts';
import { type ClusterAccess, type Connection, openHttp1Pool } from '../../src/kube/index.ts';
import { BALANCED_PATH } from '../../src/result/index.ts';

export interface ProbePath {
  /** `balanced`, or the name of an API server. */
  name: string;
  /** Base URL. */
  server: string;
}

/** Enough for every call of a time-out's length to hang on a connection of its own. */
export const PROBE_CONNECTION_COUNT = 1_024;
/** How audit logs and the API server's metrics tell probes from the load. */
export const PROBE_USER_AGENT = 'hollowmark-probe';

/** The balanced path, then one for each of `members`. */
export function probePaths(access: ClusterAccess, members: readonly ProbePath[]): ProbePath[] {
  return [{ name: BALANCED_PATH, server: access.server }, ...members];
}

/** @throws HM_KUBECONFIG_INVALID */
export function openProbePath(access: ClusterAccess, path: ProbePath, clock: Clock): Promise<Connection> {
  return openHttp1Pool(access, {
    server: path.server,
    clock,
    connectionCount: PROBE_CONNECTION_COUNT,
    userAgent: PROBE_USER_AGENT,
  });
}
