/** What a cluster says of itself, for consent, fingerprints and version-dependent behaviour. */
import type { JsonClient } from './json-client.ts';
import type { WatchMode } from './reflector-state.ts';

export interface ServerVersion {
  /** `v1.36.3` */
  gitVersion: string;
  major: number;
  /** 36, also where a vendor writes `36+`. */
  minor: number;
  goVersion: string;
  platform: string;
}

const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', namespaced: false } as const;

/** The API server's version. @throws HM_API_ERROR, HM_CLUSTER_UNREACHABLE */
export async function serverVersion(client: JsonClient, signal?: AbortSignal): Promise<ServerVersion> {
  const version = await client.getJson('/version', signal === undefined ? {} : { signal });
  const text = (key: string) => (typeof version[key] === 'string' ? version[key] : '');
  return {
    gitVersion: text('gitVersion'),
    major: Number.parseInt(text('major'), 10),
    minor: Number.parseInt(text('minor'), 10),
    goVersion: text('goVersion'),
    platform: text('platform'),
  };
}

/** UID of the kube-system namespace: what names a cluster, as it lives exactly as long. */
export async function clusterUid(client: JsonClient, signal?: AbortSignal): Promise<string> {
  const namespace = await client.get(
    NAMESPACES,
    { name: 'kube-system' },
    signal === undefined ? {} : { signal },
  );
  return namespace.metadata.uid ?? '';
}

/** How the informers of that version's kubelet and kube-proxy begin. Source: client-go features/known_features.go. */
export function watchModeOf(version: Pick<ServerVersion, 'major' | 'minor'>): WatchMode {
  return version.major > 1 || version.minor >= 35 ? 'watch-list' : 'list-watch';
}
