/**
 * How to reach a cluster and as whom: plain data, so that it can be handed to an agent in another process.
 */

/** Who the client is. `kubeconfig` is resolved where it is used, so that credentials of exec plugins can be renewed there. */
export type Credential =
  | { type: 'client-certificate'; certPem: string; keyPem: string }
  | { type: 'bearer-token'; token: string }
  | { type: 'kubeconfig'; path: string; context: string };

/** Impersonate-User and Impersonate-Group headers: identity, flow schema and authorization of somebody else. */
export interface Impersonation {
  user: string;
  groups: readonly string[];
}

export interface ClusterAccess {
  /** Base URL that clients use, such as `https://127.0.0.1:6443`: the load balancer where there is one. */
  server: string;
  /** Base URLs of the API servers one by one, for scrapes and probes that must not be balanced; at least one. */
  members: readonly string[];
  /** PEM of the certificate authority; absent: the system's. */
  caPem?: string;
  /** Name to expect in the server's certificate instead of the URL's host. */
  tlsServerName?: string;
  insecureSkipTlsVerify?: boolean;
  credential: Credential;
  impersonate?: Impersonation;
}
