/**
 * The prober: every canary of a run, in an agent process of its own, on its own open-loop clock. Writes and reads go
 * through the load balancer and to each API server; each of these paths has a resuming watch; a Deployment every few
 * seconds asks the controllers. Nothing here judges: what was seen goes to the run as it came.
 */
import {
  EndlessStream,
  openProbePath,
  Pacer,
  type PodPlacement,
  type ProbePath,
  probePaths,
} from '../../../loadgen/index.ts';
import { type Clock, delay, describeError, type Logger, seededRandom } from '../../core/index.ts';
import {
  ApiError,
  type ClusterAccess,
  type Connection,
  JsonClient,
  openConnection,
  TransportError,
} from '../../kube/index.ts';
import { BALANCED_PATH } from '../../result/index.ts';
import { ANCHOR_NAME, CallCanary } from './call-canary.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { DeploymentCanaries } from './deployment-canary.ts';
import type { ProbeBatch, ProbeCall } from './records.ts';
import { WatchCanary } from './watch-canary.ts';

/** What a prober is given: plain data. */
export interface ProbeShard {
  runId: string;
  seed: number;
  /** Canaries speak as the load does: Priority & Fairness treats them alike. */
  access: ClusterAccess;
  /** For Leases, nodes and pods. */
  admin: ClusterAccess;
  /** API servers to probe one by one, by name. */
  members: ProbePath[];
  namespace: string;
  /** Put on every object. */
  labels: Record<string, string>;
  /** Selects the run's pods and nodes. */
  runSelector: string;
  podPlacement: PodPlacement;
  rates: { balancedPerSecond: number; memberPerSecond: number; deploymentsPerSecond: number };
  timeoutMs: number;
}

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
const READY_POLL_MS = 50;
const ANCHOR_ATTEMPT_COUNT = 5;
const ANCHOR_PAUSE_MS = 1_000;
/** Arrivals begin this long after the watches are in step. */
const LEAD_MS = 200;

export class Prober {
  readonly #shard: ProbeShard;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #connections: Connection[] = [];
  readonly #watches: WatchCanary[] = [];
  readonly #ended = new AbortController();
  #cluster: ClusterWatch | undefined;
  #deployments: DeploymentCanaries | undefined;
  #pacer: Pacer | undefined;
  #pacing: Promise<void> = Promise.resolve();
  #calls: ProbeCall[] = [];

  constructor(shard: ProbeShard, parts: { clock: Clock; log: Logger }) {
    this.#shard = shard;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Resolves when every watch is in step and the probes have begun. */
  async start(signal: AbortSignal): Promise<void> {
    const { access, members, namespace, rates, labels, podPlacement, timeoutMs } = this.#shard;
    const clock = this.#clock;
    const zeroUs = () => clock.nowUs() + LEAD_MS * 1_000;
    const admin = await this.#connect(this.#shard.admin);
    await this.#makeAnchor(new JsonClient(admin, clock), signal);
    this.#cluster = new ClusterWatch({
      connection: admin,
      runSelector: this.#shard.runSelector,
      probeNamespace: namespace,
      clock,
      random: seededRandom(`${this.#shard.seed}/prober`),
    });
    this.#cluster.start();
    const canaries: { canary: CallCanary; ratePerSecond: number }[] = [];
    for (const [index, path] of probePaths(access, members).entries()) {
      const { name, server } = path;
      const pool = await openProbePath(access, path, clock);
      this.#connections.push(pool);
      const canary = new CallCanary({
        path: name,
        prefix: index === 0 ? 'b' : `m${index - 1}`,
        namespace,
        labels,
        timeoutMs,
        clock,
        dispatcher: pool,
        onCall: (call) => this.#calls.push(call),
      });
      canaries.push({
        canary,
        ratePerSecond: name === BALANCED_PATH ? rates.balancedPerSecond : rates.memberPerSecond,
      });
      if (index === 0)
        this.#deployments = new DeploymentCanaries({
          namespace,
          labels,
          placement: podPlacement,
          timeoutMs,
          clock,
          dispatcher: pool,
        });
      this.#watch(name, await this.#connect(access, server));
    }
    while (!this.#cluster.isSynced || this.#watches.some((watch) => !watch.isSynced))
      await delay(READY_POLL_MS, { signal, clock });
    const startUs = zeroUs();
    const streams = canaries.flatMap(({ canary, ratePerSecond }, index) => [
      // Paths take turns within a period, so that calls do not go out in bursts.
      this.#stream(startUs + (index * 1e6) / ratePerSecond / canaries.length, ratePerSecond, (dueUs) =>
        canary.write(dueUs),
      ),
      this.#stream(
        startUs + ((index + 0.5) * 1e6) / ratePerSecond / canaries.length,
        ratePerSecond,
        (dueUs) => canary.read(dueUs),
      ),
    ]);
    if (rates.deploymentsPerSecond > 0)
      streams.push(
        this.#stream(startUs, rates.deploymentsPerSecond, (dueUs) => this.#deployments?.fire(dueUs)),
      );
    this.#pacer = new Pacer(streams, { clock });
    this.#pacing = this.#pacer.run(this.#ended.signal).catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.#log.error({ error: describeError(error) }, 'probes broke off');
    });
  }

  /** What came since the last call. */
  drain(): ProbeBatch {
    const cluster = this.#cluster?.drain() ?? { leases: [], pods: [], nodes: [] };
    this.#deployments?.sighted(cluster.pods);
    const drained = this.#watches.map((watch) => watch.drain());
    return {
      calls: this.#calls.splice(0),
      watches: drained.flatMap(({ progress }) => progress),
      incidents: drained.flatMap(({ incidents }) => incidents),
      deployments: this.#deployments?.drain() ?? [],
      ...cluster,
    };
  }

  /** Probes end at once; calls in flight get `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#pacer?.stop();
    this.#ended.abort();
    await this.#pacing;
    await Promise.all(this.#connections.map((connection) => connection.close(graceMs)));
    for (const watch of this.#watches) watch.stop();
    this.#cluster?.stop();
  }

  /** The object that reads ask for. Asked again where the way to the cluster was cut before anything was broken. */
  async #makeAnchor(client: JsonClient, signal: AbortSignal): Promise<void> {
    const { namespace, labels } = this.#shard;
    for (let attempt = 1; ; attempt++) {
      try {
        await client.create(
          CONFIG_MAPS,
          { metadata: { name: ANCHOR_NAME, labels } },
          { namespace },
          { signal },
        );
        return;
      } catch (error) {
        // The attempt before had made it, and its answer was lost.
        if (error instanceof ApiError && error.status === 409 && attempt > 1) return;
        if (!(error instanceof TransportError) || attempt === ANCHOR_ATTEMPT_COUNT) throw error;
      }
      await delay(ANCHOR_PAUSE_MS, { signal, clock: this.#clock });
    }
  }

  #watch(path: string, connection: Connection): void {
    const { namespace, seed } = this.#shard;
    const random = seededRandom(`${seed}/watch-canary/${path}`);
    const watch = new WatchCanary({ path, namespace, connection, clock: this.#clock, random });
    this.#watches.push(watch);
    watch.start();
  }

  async #connect(access: ClusterAccess, server = access.server): Promise<Connection> {
    const connection = await openConnection(access, { server, clock: this.#clock });
    this.#connections.push(connection);
    return connection;
  }

  #stream(zeroUs: number, ratePerSecond: number, onArrival: (dueUs: number) => void): EndlessStream {
    return new EndlessStream({ zeroUs, ratePerSecond, onArrival });
  }
}
