/** A load generator over a scripted server on the virtual clock, and the phases and actions to drive it with. */
import { LoadGenerator, type LoadPhaseOutcome, type LoadShard } from '../../loadgen/index.ts';
import type { ChurnAction, CreateAction, LoadPhase, ReadsAction } from '../../src/config/index.ts';
import { silentLogger } from '../../src/core/index.ts';
import type { ApiRequest, Connection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { LatencyHistogram } from '../../src/result/index.ts';
import { type ScriptedAnswer, ScriptedDispatcher } from './scripted-dispatcher.ts';
import { virtualClock } from './virtual-clock.ts';

/** How long nobody aborts. */
export const NEVER = new AbortController().signal;
export const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true };
const POD_TEMPLATE = {
  resource: PODS,
  apiVersion: 'v1',
  kind: 'Pod',
  manifest: { spec: { containers: [{ name: 'c', image: 'pause' }] } },
  podCount: 1,
};

export interface WorldOptions {
  answer: (request: ApiRequest, number: number) => ScriptedAnswer;
  connectionCount?: number;
  maxInFlightCount?: number;
  honourRetryAfter?: boolean;
  seed?: number;
  shard?: { index: number; count: number };
}

/** A started generator over a scripted server on the virtual clock. */
export async function startWorld(options: WorldOptions) {
  const clock = virtualClock();
  const server = new ScriptedDispatcher(clock, options.connectionCount ?? 1_000, options.answer);
  const recorder = new RunCallRecorder();
  const podInstants = new PodInstantBuffer();
  const shard: LoadShard = {
    runId: 'run-1',
    seed: options.seed ?? 1,
    shard: options.shard ?? { index: 0, count: 1 },
    settings: {
      agentCount: 1,
      namespaceCount: 2,
      identity: { user: 'load', groups: [] },
      connectionCount: 1,
      maxInFlightCount: options.maxInFlightCount ?? 1_000,
      requestTimeoutMs: 60_000,
      honourRetryAfter: options.honourRetryAfter ?? true,
      phases: [],
    },
    access: {
      server: 'http://scripted',
      members: ['http://scripted'],
      credential: { type: 'bearer-token', token: '' },
    },
    namespaces: ['ns-0', 'ns-1'],
    labels: { 'hollowmark.dev/run': 'run-1' },
    podPlacement: { nodeSelector: {}, tolerations: [] },
  };
  const another = () =>
    new LoadGenerator(shard, {
      clock,
      log: silentLogger(),
      recorder,
      podInstants,
      connect: async () => connectionTo(server),
    });
  const generator = another();
  await generator.start(NEVER);

  const runPhase = async (phase: LoadPhase, forMs: number): Promise<LoadPhaseOutcome> => {
    const run = generator.runPhase(phase, clock.nowUs() + 100_000, NEVER);
    if (forMs > 0) await clock.advance(forMs);
    return run;
  };
  let drained: ReturnType<RunCallRecorder['drain']> = [];
  const windows = () => {
    drained = [...drained, ...recorder.drain()];
    return drained.filter(({ key }) => key.source === 'load');
  };
  return {
    clock,
    server,
    generator,
    podInstants,
    another,
    runPhase,
    calls: server.seen,
    /** Runs a phase of `actions` for `forMs` of virtual time; `known` pods exist before it. */
    async run(actions: LoadPhase['actions'], forMs: number, before: { known: number } = { known: 0 }) {
      if (before.known === 0) return runPhase(phaseOf(actions), forMs);
      await runPhase(phaseOf([create({ objectCount: before.known, ratePerSecond: 1_000 })]), 500);
      recorder.drain();
      server.seen.length = 0;
      // Back to the phase's own time, so that expectations need no offset.
      const offsetUs = clock.nowUs();
      const outcome = await runPhase(phaseOf(actions), forMs);
      for (const call of server.seen) call.sentUs -= offsetUs;
      return outcome;
    },
    totals() {
      const sum = { offered: 0, done: 0, failed: 0, dropped: 0 };
      for (const window of windows()) {
        sum.offered += window.offeredCount;
        sum.done += window.doneCount;
        sum.failed += window.failedCount;
        sum.dropped += window.droppedCount;
      }
      return sum;
    },
    seriesKeys: () => windows().map(({ key }) => key),
    latencies(verb?: string) {
      const wanted = windows().filter(({ key }) => verb === undefined || key.verb === verb);
      const merged = (pick: 'response' | 'service') =>
        LatencyHistogram.merged(
          wanted.flatMap((window) => {
            const wire = window[pick];
            return wire === undefined ? [] : [LatencyHistogram.fromWire(wire)];
          }),
        );
      return { response: merged('response'), service: merged('service'), slipMaxUs: generator.slip().maxUs };
    },
  };
}

/** A connection whose calls go to `server`, and whose watches are `watch`. */
export function connectionTo(server: ScriptedDispatcher, watch?: Connection['watch']): Connection {
  return {
    dispatch: (request, handler) => server.dispatch(request, handler),
    request: (request, signal) =>
      request.path === '/version'
        ? Promise.resolve({ status: 200, body: '', receivedBytes: 0 })
        : new Promise((resolve, reject) => {
            const call = server.dispatch(request, { onSent: () => {}, onReply: resolve, onFailure: reject });
            signal?.addEventListener('abort', () => call.cancel());
          }),
    watch:
      watch ??
      (() => {
        throw new Error('no watches here');
      }),
    stats: () => ({
      openConnectionCount: 0,
      connectCount: 0,
      reconnectCount: 0,
      openStreamCount: 0,
      receivedBytes: 0,
      sentBytes: 0,
    }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

export function phaseOf(actions: LoadPhase['actions']): LoadPhase {
  return { name: 'phase', measured: true, durationMs: 0, settleTimeoutMs: 10_000, actions };
}

export function create(part: Partial<CreateAction>): CreateAction {
  return {
    action: 'create',
    name: 'create',
    object: POD_TEMPLATE,
    objectCount: 1,
    ratePerSecond: 1,
    arrival: 'constant',
    waitFor: 'nothing',
    ...part,
  };
}

export function churn(part: Partial<ChurnAction>): ChurnAction {
  return {
    action: 'churn',
    name: 'churn',
    object: POD_TEMPLATE,
    ratePerSecond: 1,
    arrival: 'constant',
    durationMs: 1_000,
    lifetimeMs: 100,
    ...part,
  };
}

export function reads(
  part: Partial<ReadsAction> & { verb?: 'get' | 'list'; consistency?: 'cached' | 'paged' },
): ReadsAction {
  const { verb = 'get', consistency = 'cached', ...rest } = part;
  return {
    action: 'reads',
    name: 'reads',
    ratePerSecond: 1,
    arrival: 'constant',
    durationMs: 1_000,
    mix: [
      {
        verb,
        resource: PODS,
        scope: 'namespace',
        consistency,
        limit: 500,
        labelSelector: verb === 'list' ? 'app=web' : '',
        fieldSelector: '',
        weight: 1,
      },
    ],
    ...rest,
  };
}
