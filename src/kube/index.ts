export type { ClusterAccess, Credential, Impersonation } from './access.ts';
export type {
  ApiConnection,
  ApiReply,
  ApiRequest,
  ConnectionStats,
  HttpMethod,
  WatchHandle,
  WatchHandlers,
} from './connection.ts';
