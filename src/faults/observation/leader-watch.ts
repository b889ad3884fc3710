/**
 * Which replicas of the controller manager and the scheduler act as leaders: what each says of itself in
 * `leader_election_master_status`, beside the Leases, which say who may. The two differ when a leader was paused for
 * longer than its lease: another one has it by then, and the one that wakes goes on until it looks at its clock. Nothing
 * stops it meanwhile, because a Lease is no fence. So it is asked ten times a second from its waking on.
 */
import type { PlaneEvent, PlaneLevers } from '../../controlplane/index.ts';
import type { Clock } from '../../core/index.ts';
import { openConnection } from '../../kube/index.ts';
import { parseLabels, parsePrometheusText } from '../../measure/index.ts';
import type { MasterSample, WokenLeader } from '../canaries/records.ts';
import { sampleAgainAndAgain } from './sampling.ts';

/** A scrape costs a replica about 10 ms of its processor: rare while nothing happens. */
const PERIOD_MS = 2_000;
const WOKEN_PERIOD_MS = 100;
/** From waking on; it gives up within its renew deadline of 10 s. */
const WOKEN_SPAN_US = 15e6;
const SAMPLE_TIMEOUT_MS = 1_000;
const ELECTED: ReadonlySet<string> = new Set(['kube-controller-manager', 'kube-scheduler']);
const STATUS = 'leader_election_master_status';
const REQUESTS = 'rest_client_requests_total';
/** Of `rest_client_requests_total`: what changes the cluster. */
const CHANGING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** What a replica says of itself. */
export interface ReplicaStatus {
  leads: boolean;
  /** Requests so far that change the cluster, renewals of leases among them. */
  changeCount: number;
}

interface Replica {
  name: string;
  component: string;
  /** Undefined while it does not run or has not been asked since. */
  status: ReplicaStatus | undefined;
  /** As it was asked last before it was paused. */
  before: ReplicaStatus | undefined;
  waking: WokenLeader | undefined;
}

export class LeaderWatch {
  readonly #levers: PlaneLevers;
  readonly #clock: Clock;
  readonly #take: { onSample: (sample: MasterSample) => void; onWoken: (leader: WokenLeader) => void };
  readonly #replicas = new Map<string, Replica>();
  readonly #ended = new AbortController();
  #stopEvents = () => {};
  #loops: Promise<void>[] = [];

  /** `onWoken` is called once per waking, with a record that goes on being filled in. */
  constructor(
    levers: PlaneLevers,
    parts: {
      clock: Clock;
      onSample: (sample: MasterSample) => void;
      onWoken: (leader: WokenLeader) => void;
    },
  ) {
    this.#levers = levers;
    this.#clock = parts.clock;
    this.#take = parts;
  }

  start(): void {
    for (const { name, component } of this.#levers.instances()) {
      if (!ELECTED.has(component)) continue;
      const replica = { name, component, status: undefined, before: undefined, waking: undefined };
      this.#replicas.set(name, replica);
      this.#loops.push(this.#watch(replica));
    }
    this.#stopEvents = this.#levers.onEvent((event) => this.#onEvent(event));
  }

  async stop(): Promise<void> {
    this.#stopEvents();
    this.#ended.abort();
    await Promise.all(this.#loops);
  }

  #onEvent({ name, kind, atUs, induced, detail }: PlaneEvent): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    if (kind === 'paused') replica.before = replica.status;
    if (kind === 'resumed' && replica.before?.leads === true) {
      replica.waking = { component: replica.component, name, wokeUs: atUs };
      this.#take.onWoken(replica.waking);
    }
    if (kind === 'exited' && replica.waking !== undefined) {
      replica.waking.endedUs = atUs;
      replica.waking.ended = induced ? `${detail}, by a fault` : detail;
      replica.waking = undefined;
    }
    if (kind === 'paused' || kind === 'exited') {
      replica.status = undefined;
      this.#sampled(replica.component);
    }
  }

  async #watch(replica: Replica): Promise<void> {
    const access = this.#levers.access(replica.name);
    if (access === undefined) return;
    const clock = this.#clock;
    await using connection = await openConnection(access, { clock });
    await sampleAgainAndAgain(
      async (signal) => {
        const state = this.#levers.instances().find(({ name }) => name === replica.name)?.state;
        if (state !== 'running') return;
        const request = { method: 'GET', path: '/metrics', timeoutMs: SAMPLE_TIMEOUT_MS } as const;
        const { status, body } = await connection.request(request, signal);
        if (status === 200) this.#answered(replica, replicaStatus(body));
      },
      {
        periodMs: () => (this.#isAwake(replica) ? WOKEN_PERIOD_MS : PERIOD_MS),
        timeoutMs: SAMPLE_TIMEOUT_MS,
        signal: this.#ended.signal,
        clock,
      },
    );
  }

  #answered(replica: Replica, status: ReplicaStatus): void {
    replica.status = status;
    const { waking, before } = replica;
    if (waking !== undefined && before !== undefined && status.leads) {
      waking.ledUntilUs = this.#clock.nowUs();
      waking.changeCount = Math.max(0, status.changeCount - before.changeCount);
    }
    this.#sampled(replica.component);
  }

  /** It woke a moment ago. */
  #isAwake({ waking }: Replica): boolean {
    return waking !== undefined && this.#clock.nowUs() < waking.wokeUs + WOKEN_SPAN_US;
  }

  #sampled(component: string): void {
    const leading = [...this.#replicas.values()].filter(
      (replica) => replica.component === component && replica.status?.leads === true,
    );
    const woken = leading.filter((replica) => this.#isAwake(replica)).map(({ name }) => name);
    this.#take.onSample({
      atUs: this.#clock.nowUs(),
      component,
      acting: leading.map(({ name }) => name),
      ...(woken.length === 0 ? {} : { woken }),
    });
  }
}

/** What a replica's page of metrics says of leading and of changes that it asked for. */
export function replicaStatus(page: string): ReplicaStatus {
  const status: ReplicaStatus = { leads: false, changeCount: 0 };
  parsePrometheusText(
    page,
    (name) => name === STATUS || name === REQUESTS,
    (name, labels, value) => {
      if (name === STATUS) status.leads ||= value === 1;
      else if (CHANGING.has(parseLabels(labels)['method'] ?? '')) status.changeCount += value;
    },
  );
  return status;
}
