export type { ClusterAccess, Credential, Impersonation } from './access.ts';
export {
  ApiError,
  type CallSubject,
  classifyOutcome,
  classifyStatus,
  eventStatusFacts,
  replyError,
  type StatusFacts,
  statusFacts,
  TransportError,
  type TransportErrorClass,
} from './api-error.ts';
export { clusterUid, type ServerVersion, serverVersion, watchModeOf } from './cluster-facts.ts';
export {
  type ConnectOptions,
  connectionFor,
  DEFAULT_USER_AGENT,
  type Http1Options,
  type Http2Options,
  openConnection,
  openHttp1Pool,
  openSharedConnections,
  type SharedConnections,
  type SharedPoolOptions,
} from './connect.ts';
export {
  type ApiConnection,
  type ApiReply,
  type ApiRequest,
  type CallDispatcher,
  type CallHandle,
  type CallHandler,
  type Connection,
  type ConnectionStats,
  type CuttableConnection,
  DEFAULT_REQUEST_TIMEOUT_MS,
  type HttpMethod,
  type WatchHandle,
  type WatchHandlers,
} from './connection.ts';
export { type ClientIdentity, type IdentityHeaders, resolveIdentity } from './credentials.ts';
export {
  type CertificateOptions,
  type CertificateWanted,
  type ClientCertificate,
  KUBELET_CLIENT_SIGNER,
  nodeCertificateWanted,
  requestClientCertificates,
} from './csr.ts';
export { expiredClientContext } from './expired-certificate.ts';
export {
  type CallOptions,
  type DeleteOptions,
  JsonClient,
  type KubeList,
  type KubeObject,
  type ListSelection,
  type PatchType,
} from './json-client.ts';
export { loadKubeconfig } from './kubeconfig.ts';
export { TokenBucket, takeToken } from './rate-limit.ts';
export {
  DEFAULT_MIN_WATCH_TIMEOUT_MS,
  Reflector,
  type ReflectorContext,
  type ReflectorHandlers,
  type ReflectorTarget,
} from './reflector.ts';
export {
  LIST_PAGE_SIZE,
  type ReflectorFailure,
  type ReflectorPhase,
  type ReflectorStep,
  reflectorFailure,
  type WatchMode,
} from './reflector-state.ts';
export {
  encodeQuery,
  goDuration,
  type QueryParameters,
  type ResourceTarget,
  resourcePath,
  withQuery,
} from './resource-path.ts';
export {
  type BackoffSettings,
  type BackoffState,
  freshBackoff,
  isConnectionRefused,
  MAX_RETRY_COUNT,
  nextBackoffMs,
  REFLECTOR_BACKOFF,
  retryDelayMs,
} from './retry.ts';
export { secureContextFor } from './secure-contexts.ts';
export {
  type FrameFacts,
  type FrameSink,
  FrameSplitter,
  frameFacts,
  frameMember,
  frameResourceVersion,
  frameType,
  listFacts,
  listItems,
  objectFacts,
  type WatchEventType,
} from './watch-frames.ts';
