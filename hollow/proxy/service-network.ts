/**
 * Services and EndpointSlices as the proxies of one process see them. All proxies receive the same events, so each
 * version of an object is decoded once, whoever sees it first, and the rest find it by its resourceVersion. The newest
 * versions together are the model of the rules that a proxy in iptables mode would have: one for each port of a Service
 * that is proxied, one for each usable endpoint behind it.
 *
 * Source: which Services are proxied, pkg/proxy/util/utils.go (ShouldSkipService); which endpoints are usable,
 * pkg/proxy/topology.go and endpointslicecache.go, v1.36.3.
 */
import { hash32 } from '../../src/core/index.ts';
import type { WatchEventType } from '../../src/kube/index.ts';

type ChangeType = Extract<WatchEventType, 'ADDED' | 'MODIFIED' | 'DELETED'>;

/** One version of an EndpointSlice. */
export interface SliceVersion {
  readonly version: number;
  /** `namespace/name` of the slice. */
  readonly key: string;
  /** `namespace/name` of its Service; empty for a slice that a proxy of IPv4 ignores. */
  readonly service: string;
  /** Wall time of the last-change-trigger-time annotation in ms since the epoch, with a fraction; NaN without one. */
  readonly triggerWallMs: number;
  /** Endpoints that take traffic, once for each port. */
  readonly endpointCount: number;
}

/** One version of a Service. */
export interface ServiceVersion {
  readonly version: number;
  readonly key: string;
  /** Ports that are proxied; 0 for a Service without a cluster address. */
  readonly portCount: number;
  /** Whether a proxy that knew the version before has rules to change. */
  readonly changed: boolean;
  /** Of what rules are made of. */
  readonly fingerprint: number;
}

/** Annotation of an EndpointSlice: the oldest change that its newest version exports. Source: k8s.io/api/core/v1. */
export const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** Versions kept after newer ones have come: what the slowest proxy may lag behind and still share. */
const OLD_VERSIONS_KEPT = 4_096;

export class ServiceNetwork {
  readonly #slices = new VersionTable(decodeSlice);
  readonly #services = new VersionTable(decodeService);
  #ruleCountFor = -1;
  #ruleCount = 0;

  /** The version that `frame`, a whole watch event, brings; `version` is its resourceVersion. */
  slice(type: ChangeType, frame: Buffer, version: number): SliceVersion {
    return this.#slices.see(type, frame, version);
  }

  /** As slice(), of a Service. */
  service(type: ChangeType, frame: Buffer, version: number): ServiceVersion {
    return this.#services.see(type, frame, version);
  }

  /** Begins to note what a list of slices or Services shows; undefined while another proxy's list is noted. */
  noteList(kind: 'slices' | 'services'): ListNote | undefined {
    return (kind === 'slices' ? this.#slices : this.#services).noteList();
  }

  /** Services that are proxied. */
  get serviceCount(): number {
    let count = 0;
    for (const service of this.#services.latest.values()) if (service.portCount > 0) count++;
    return count;
  }

  /** Rules of the newest versions: ports of Services, and endpoints of Services that are there. */
  get ruleCount(): number {
    const slices = this.#slices;
    const services = this.#services;
    const changes = slices.changeCount + services.changeCount;
    if (changes === this.#ruleCountFor) return this.#ruleCount;
    let count = 0;
    for (const service of services.latest.values()) count += service.portCount;
    for (const slice of slices.latest.values()) {
      if ((services.latest.get(slice.service)?.portCount ?? 0) > 0) count += slice.endpointCount;
    }
    this.#ruleCountFor = changes;
    this.#ruleCount = count;
    return count;
  }

  /** Versions held, for tests of what the process remembers. */
  get versionCount(): number {
    return this.#slices.versionCount + this.#services.versionCount;
  }
}

/** What one list shows. */
export interface ListNote {
  /** The list begins, perhaps anew. */
  begin(): void;
  show(version: number): void;
  /** The list is complete, at `resourceVersion`: what is older and was not shown is gone. */
  end(resourceVersion: number): void;
  /** The list will never be complete. */
  cancel(): void;
}

interface Version {
  readonly version: number;
  readonly key: string;
}

type Decode<V extends Version> = (object: ApiObject, version: number, before: V | undefined) => V;

/** Versions of one kind of object: the newest of each by key, and by number those and the ones just replaced. */
class VersionTable<V extends Version> {
  readonly latest = new Map<string, V>();
  changeCount = 0;
  readonly #decode: Decode<V>;
  readonly #versions = new Map<number, V>();
  readonly #replaced: number[] = [];
  #replacedHead = 0;
  #noting = false;

  constructor(decode: Decode<V>) {
    this.#decode = decode;
  }

  get versionCount(): number {
    return this.#versions.size;
  }

  see(type: ChangeType, frame: Buffer, version: number): V {
    const known = this.#versions.get(version);
    if (known !== undefined) return known;
    const { object } = JSON.parse(frame.toString('utf8')) as { object: ApiObject };
    const before = this.latest.get(keyOf(object));
    const decoded = this.#decode(object, version, before);
    // A proxy that lags behind what is remembered: its version changes nothing for the others.
    if (before !== undefined && before.version > version) return decoded;
    this.changeCount++;
    this.#versions.set(version, decoded);
    if (before !== undefined) this.#retire(before.version);
    if (type === 'DELETED') {
      this.latest.delete(decoded.key);
      this.#retire(version);
    } else this.latest.set(decoded.key, decoded);
    return decoded;
  }

  noteList(): ListNote | undefined {
    if (this.#noting) return undefined;
    this.#noting = true;
    const shown = new Set<number>();
    return {
      begin: () => shown.clear(),
      show: (version) => shown.add(version),
      cancel: () => {
        this.#noting = false;
      },
      end: (resourceVersion) => {
        this.#noting = false;
        for (const { key, version } of this.latest.values()) {
          if (version > resourceVersion || shown.has(version)) continue;
          this.changeCount++;
          this.latest.delete(key);
          this.#retire(version);
        }
      },
    };
  }

  #retire(version: number): void {
    this.#replaced.push(version);
    if (this.#replaced.length - this.#replacedHead <= OLD_VERSIONS_KEPT) return;
    const oldest = this.#replaced[this.#replacedHead++];
    if (oldest !== undefined) this.#versions.delete(oldest);
    if (this.#replacedHead < OLD_VERSIONS_KEPT) return;
    this.#replaced.splice(0, this.#replacedHead);
    this.#replacedHead = 0;
  }
}

interface ApiObject {
  metadata: {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  /** EndpointSlice. */
  addressType?: string;
  endpoints?: { addresses?: string[]; conditions?: { ready?: boolean; serving?: boolean } }[] | null;
  ports?: { name?: string; port?: number }[] | null;
  /** Service. */
  spec?: { type?: string; clusterIP?: string; ports?: unknown[] };
  status?: { loadBalancer?: unknown };
}

function keyOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function decodeSlice(object: ApiObject, version: number): SliceVersion {
  const { metadata, addressType, endpoints, ports } = object;
  const service = metadata.labels?.[SERVICE_NAME_LABEL] ?? '';
  const portCount = (ports ?? []).filter(({ port }) => port !== undefined && port !== 0).length;
  // Absent means ready. Endpoints that still serve while they terminate are used only where none is ready.
  const usable = (endpoints ?? []).filter(
    ({ addresses, conditions }) => addresses?.[0] !== undefined && conditions?.ready !== false,
  );
  return {
    version,
    key: keyOf(object),
    service: service === '' || addressType !== 'IPv4' ? '' : `${metadata.namespace ?? ''}/${service}`,
    triggerWallMs: parseTriggerTime(metadata.annotations?.[TRIGGER_TIME_ANNOTATION]),
    endpointCount: usable.length * portCount,
  };
}

function decodeService(
  object: ApiObject,
  version: number,
  before: ServiceVersion | undefined,
): ServiceVersion {
  const { spec, status } = object;
  const hasAddress = spec?.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None';
  const proxied = hasAddress && spec.type !== 'ExternalName';
  const fingerprint = hash32(JSON.stringify([spec, status?.loadBalancer]));
  return {
    version,
    key: keyOf(object),
    portCount: proxied ? (spec.ports?.length ?? 0) : 0,
    changed: before === undefined || before.fingerprint !== fingerprint,
    fingerprint,
  };
}

/** Milliseconds since the epoch of an RFC 3339 time with up to nine decimals; NaN for anything else. */
export function parseTriggerTime(text: string | undefined): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text ?? '');
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = '', zone = ''] = match;
  // Date.parse keeps three decimals only.
  return Date.parse(`${seconds}${zone}`) + Number(`0${fraction}`) * 1_000;
}
