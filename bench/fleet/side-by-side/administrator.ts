/**
 * The administrator's side of a turn: makes and deletes objects, a fixed number of calls at a time, and sees by watches
 * what becomes of nodes and pods. The same for every contender.
 */
import pLimit from 'p-limit';
import { type Clock, delay, seededRandom } from '../../../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type ClusterAccess,
  type Connection,
  openConnection,
  Reflector,
} from '../../../src/kube/index.ts';

const WRITERS = 32;
const POLL_MS = 50;

/** What is looked at of nodes and pods. */
interface Seen {
  metadata: { name: string };
  status?: { phase?: string; conditions?: { type: string; status: string }[] };
}

export class Administrator {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #limit = pLimit(WRITERS);
  /** By name: Ready, Running. */
  readonly #nodes = new Map<string, boolean>();
  readonly #pods = new Map<string, boolean>();
  readonly #watches: Reflector[] = [];

  private constructor(connection: Connection, clock: Clock, signal: AbortSignal) {
    this.#connection = connection;
    this.#clock = clock;
    this.#signal = signal;
    this.#watch('/api/v1/nodes', this.#nodes, isReady);
    this.#watch('/api/v1/namespaces/default/pods', this.#pods, ({ status }) => status?.phase === 'Running');
  }

  static async open(access: ClusterAccess, clock: Clock, signal: AbortSignal): Promise<Administrator> {
    const administrator = new Administrator(await openConnection(access), clock, signal);
    await administrator.#untilPodsAreAllowed();
    return administrator;
  }

  get readyNodeCount(): number {
    return countTrue(this.#nodes);
  }

  get runningPodCount(): number {
    return countTrue(this.#pods);
  }

  get podCount(): number {
    return this.#pods.size;
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  /** POSTs `count` objects, `bodyOf` them by number from `from`. */
  async create(path: string, from: number, count: number, bodyOf: (index: number) => object): Promise<void> {
    await this.#each(count, (index) =>
      this.#send({ method: 'POST', path, body: JSON.stringify(bodyOf(from + index)), discardBody: true }),
    );
  }

  /** DELETEs `count` objects by number. */
  async delete(count: number, pathOf: (index: number) => string): Promise<void> {
    await this.#each(count, (index) =>
      this.#send({ method: 'DELETE', path: pathOf(index), discardBody: true }),
    );
  }

  /** All objects of a collection, in one call that the server works off. */
  async deleteAll(path: string): Promise<void> {
    await this.#send({ method: 'DELETE', path, discardBody: true, timeoutMs: 300_000 });
  }

  /** Resolves when `holds`. @throws Error that names what was waited for */
  async until(what: string, patienceMs: number, holds: () => boolean): Promise<void> {
    const endUs = this.#clock.nowUs() + patienceMs * 1_000;
    while (!holds()) {
      if (this.#clock.nowUs() > endUs) {
        const { nodeCount, podCount, readyNodeCount, runningPodCount } = this;
        throw new Error(
          `not within ${patienceMs / 1_000} s: ${what}; ${readyNodeCount} of ${nodeCount} nodes are Ready, ${runningPodCount} of ${podCount} pods Running`,
        );
      }
      await delay(POLL_MS, { signal: this.#signal, clock: this.#clock });
    }
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.stop();
    await this.#connection.close();
  }

  /** Pods are refused before their namespace has its ServiceAccount. */
  async #untilPodsAreAllowed(): Promise<void> {
    const request = { method: 'GET' as const, path: '/api/v1/namespaces/default/serviceaccounts/default' };
    while ((await this.#connection.request(request)).status !== 200)
      await delay(POLL_MS, { signal: this.#signal, clock: this.#clock });
  }

  async #each(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, index) => this.#limit(() => work(index))));
  }

  async #send(request: ApiRequest): Promise<ApiReply> {
    this.#signal.throwIfAborted();
    const reply = await this.#connection.request(request);
    if (reply.status >= 300)
      throw new Error(`${request.method} ${request.path}: ${reply.status} ${reply.body}`);
    return reply;
  }

  #watch(path: string, seen: Map<string, boolean>, holds: (object: Seen) => boolean): void {
    const watch = new Reflector(
      this.#connection,
      { path },
      {
        onReplace: () => seen.clear(),
        onEvent: (type, frame) => {
          const { object } = JSON.parse(frame.toString('utf8')) as { object: Seen };
          if (type === 'DELETED') seen.delete(object.metadata.name);
          else seen.set(object.metadata.name, holds(object));
        },
      },
      { mode: 'watch-list', clock: this.#clock, random: seededRandom('side-by-side') },
    );
    watch.start();
    this.#watches.push(watch);
  }
}

function isReady({ status }: Seen): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

function countTrue(seen: ReadonlyMap<string, boolean>): number {
  let count = 0;
  for (const holds of seen.values()) if (holds) count++;
  return count;
}
