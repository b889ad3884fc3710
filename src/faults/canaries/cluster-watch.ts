/**
 * What the cluster does by itself, as the API tells it: Leases of the leaders, pods of the run, hollow nodes. Every
 * change is stamped on receipt.
 */
import type { Clock, Random } from '../../core/index.ts';
import { type Connection, Reflector } from '../../kube/index.ts';
import type { LeaseSample, NodeSighting, PodSighting } from './records.ts';

const LEADER_LEASES = new Set(['kube-controller-manager', 'kube-scheduler']);
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** The parts of any watched object that are read here. */
interface Watched {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    labels?: Record<string, string>;
  };
  spec?: {
    nodeName?: string;
    holderIdentity?: string;
    acquireTime?: string;
    renewTime?: string;
    leaseDurationSeconds?: number;
    leaseTransitions?: number;
  };
  status?: {
    phase?: string;
    conditions?: { type: string; status: string; reason?: string }[];
  };
}

export class ClusterWatch {
  readonly #reflectors: Reflector[];
  readonly #clock: Clock;
  /** Ready condition of each node as told last. */
  readonly #ready = new Map<string, string>();
  #leases: LeaseSample[] = [];
  #pods: PodSighting[] = [];
  #nodes: NodeSighting[] = [];

  constructor(options: {
    connection: Connection;
    runSelector: string;
    /** Of the canaries, whose pods are not marked as the run's. */
    probeNamespace: string;
    clock: Clock;
    random: Random;
  }) {
    const { connection, runSelector, probeNamespace, clock, random } = options;
    this.#clock = clock;
    const watch = (path: string, labelSelector: string, take: (type: string, object: Watched) => void) =>
      new Reflector(
        connection,
        { path, labelSelector },
        {
          onEvent: (type, frame) => {
            const object = objectOf(frame);
            if (object !== undefined) take(type, object);
          },
        },
        { mode: 'list-watch', clock, random },
      );
    this.#reflectors = [
      watch('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases', '', (type, object) =>
        this.#takeLease(type, object),
      ),
      watch('/api/v1/pods', runSelector, (type, object) => this.#takePod(type, object)),
      watch(`/api/v1/namespaces/${probeNamespace}/pods`, '', (type, object) => this.#takePod(type, object)),
      watch('/api/v1/nodes', runSelector, (type, object) => this.#takeNode(type, object)),
    ];
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  stop(): void {
    for (const reflector of this.#reflectors) reflector.stop();
  }

  get isSynced(): boolean {
    return this.#reflectors.every((reflector) => reflector.isSynced);
  }

  /** What came since the last call. */
  drain(): { leases: LeaseSample[]; pods: PodSighting[]; nodes: NodeSighting[] } {
    return { leases: this.#leases.splice(0), pods: this.#pods.splice(0), nodes: this.#nodes.splice(0) };
  }

  #takeLease(type: string, { metadata, spec }: Watched): void {
    if (type === 'DELETED' || !LEADER_LEASES.has(metadata.name)) return;
    const durationMs = (spec?.leaseDurationSeconds ?? 0) * 1_000;
    const holder = spec?.holderIdentity ?? '';
    this.#leases.push({
      atUs: this.#clock.nowUs(),
      lease: metadata.name,
      holder,
      acquiredWallMs: Date.parse(spec?.acquireTime ?? '') || 0,
      renewedWallMs: Date.parse(spec?.renewTime ?? '') || 0,
      durationMs,
      transitionCount: spec?.leaseTransitions ?? 0,
      // Source: client-go tools/leaderelection, release(): an empty holder and a duration of one second.
      released: holder === '' || durationMs <= 1_000,
    });
  }

  #takePod(type: string, { metadata, spec, status }: Watched): void {
    const disruption = status?.conditions?.find((condition) => condition.type === 'DisruptionTarget');
    this.#pods.push({
      atUs: this.#clock.nowUs(),
      uid: metadata.uid,
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      version: Number(metadata.resourceVersion),
      node: spec?.nodeName ?? '',
      running: status?.phase === 'Running',
      gone: type === 'DELETED',
      disruption: disruption?.status === 'True' ? (disruption.reason ?? 'unknown') : '',
    });
  }

  #takeNode(type: string, { metadata, status }: Watched): void {
    const gone = type === 'DELETED';
    const told = status?.conditions?.find((condition) => condition.type === 'Ready')?.status ?? 'Unknown';
    const ready = told === 'True' || told === 'False' ? told : 'Unknown';
    const state = gone ? 'gone' : ready;
    if (this.#ready.get(metadata.name) === state) return;
    this.#ready.set(metadata.name, state);
    const zone = metadata.labels?.[ZONE_LABEL] ?? '';
    this.#nodes.push({ atUs: this.#clock.nowUs(), name: metadata.name, zone, ready, gone });
  }
}

function objectOf(frame: Buffer): Watched | undefined {
  try {
    const event = JSON.parse(frame.toString('utf8')) as { object?: Watched };
    return typeof event.object?.metadata?.uid === 'string' ? event.object : undefined;
  } catch {
    // The reflector hands on whole frames; what is no JSON is no object of the cluster.
    return undefined;
  }
}
