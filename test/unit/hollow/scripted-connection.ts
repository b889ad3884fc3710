/**
 * A connection whose replies a test writes: for faults and races that a real API server cannot be asked for. What the
 * server really does is tested against a real one (test/integration/fleet.test.ts).
 */
import { FleetCalls } from '../../../hollow/calls.ts';
import { NodeClient } from '../../../hollow/client.ts';
import { type FleetContext, internTable } from '../../../hollow/context.ts';
import { FleetCounters } from '../../../hollow/counters.ts';
import { imageListJson } from '../../../hollow/kubelet/node-object.ts';
import { defaultProfiles } from '../../../hollow/kubelet/pods/pod-behaviour.ts';
import { NetworkProgramming } from '../../../hollow/proxy/network-programming.ts';
import { ServiceNetwork } from '../../../hollow/proxy/service-network.ts';
import { NodeDisturbance } from '../../../hollow/storms/node-disturbance.ts';
import { Timers } from '../../../hollow/timers.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import type { FleetSettings } from '../../../src/config/index.ts';
import { silentLogger } from '../../../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallHandle,
  type CallHandler,
  type Connection,
  TransportError,
  type WatchHandle,
} from '../../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../../src/measure/index.ts';
import { type VirtualClock, virtualClock } from '../../helpers/virtual-clock.ts';

/** Status and body of a reply; `undefined` stands for a connection that breaks. */
export type Answer = { status: number; body?: unknown; retryAfterMs?: number; afterMs?: number } | undefined;
export type Script = (request: ApiRequest, count: number) => Answer;

export class ScriptedConnection implements Connection {
  /** `PUT /apis/…/leases/n1`, without queries, in the order sent. */
  readonly calls: string[] = [];
  readonly requests: ApiRequest[] = [];
  readonly sentAtMs: number[] = [];
  readonly #clock: VirtualClock;
  readonly #script: Script;

  constructor(clock: VirtualClock, script: Script) {
    this.#clock = clock;
    this.#script = script;
  }

  async request(request: ApiRequest): Promise<ApiReply> {
    this.calls.push(`${request.method} ${request.path.split('?')[0]}`);
    this.requests.push(request);
    this.sentAtMs.push(this.#clock.nowUs() / 1_000);
    const sentUs = this.#clock.nowUs();
    const answer = this.#script(request, this.calls.length);
    if (answer?.afterMs !== undefined) {
      await new Promise<void>((resolve) => {
        this.#clock.setTimer(resolve, answer.afterMs ?? 0);
      });
    }
    if (answer === undefined)
      throw new TransportError('connection', `${request.path} failed: connection reset`);
    const { status, body, retryAfterMs } = answer;
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
    return {
      status,
      body: text,
      receivedBytes: text.length,
      sentUs,
      doneUs: this.#clock.nowUs(),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    this.request(request).then(
      (reply) => handler.onReply(reply),
      (error: unknown) => {
        if (error instanceof TransportError) handler.onFailure(error);
      },
    );
    return { cancel() {} };
  }

  /** Watches stay open and say nothing. */
  watch(path: string): WatchHandle {
    this.calls.push(`WATCH ${path.split('?')[0]}`);
    this.requests.push({ method: 'GET', path });
    this.sentAtMs.push(this.#clock.nowUs() / 1_000);
    return { close() {} };
  }

  stats() {
    return {
      openConnectionCount: 1,
      connectCount: 1,
      reconnectCount: 0,
      openStreamCount: 0,
      receivedBytes: 0,
      sentBytes: 0,
    };
  }

  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

export const SETTINGS: FleetSettings = {
  nodeCount: 1,
  agentCount: 1,
  identity: 'impersonation',
  connections: 'per-node',
  fidelity: 'full',
  compat: 'none',
  rampPerSecond: 10,
  readyTimeoutMs: 60_000,
  nodeObjectBytes: 15_000,
  leaseDurationMs: 40_000,
  statusReportMs: 300_000,
  events: true,
  proxy: true,
  kubeletApi: false,
  proxySync: { baseUs: 0, perRuleUs: 0 },
  capacity: { cpu: '4', memory: '16Gi', podCount: 110, ephemeralStorage: '100Gi' },
  labels: {},
  zones: [],
  behaviours: {},
  pods: {
    sandboxMs: { low: 300, high: 300 },
    startMs: { low: 100, high: 100 },
    stopMs: { low: 100, high: 100 },
  },
  compression: false,
};

/** Everything a hollow component needs, over a script. */
export function scriptedFleet(script: Script, settings: FleetSettings = SETTINGS) {
  const clock = virtualClock();
  const abort = new AbortController();
  const errors: unknown[] = [];
  const timers = new Timers(clock, (error) => errors.push(error));
  const form = wireForm(settings.compat, 'v1.36.3');
  const context: FleetContext = {
    clock,
    timers,
    log: silentLogger(),
    seed: '1',
    settings,
    form,
    shape: {
      form,
      kubernetesVersion: 'v1.36.3',
      capacity: settings.capacity,
      labels: { type: 'hollow' },
      taints: [],
      imagesJson: imageListJson(settings.nodeObjectBytes),
    },
    calls: new FleetCalls(new RunCallRecorder(), 'test'),
    counters: new FleetCounters(),
    instants: new PodInstantBuffer(),
    profileOf: defaultProfiles(1, settings),
    intern: internTable(),
    network: new ServiceNetwork(),
    programming: new NetworkProgramming('test'),
  };
  const disturbance = new NodeDisturbance();
  const connection = new ScriptedConnection(clock, script);
  const client = new NodeClient({
    source: 'kubelet',
    connection,
    calls: context.calls,
    clock,
    signal: abort.signal,
    disturbance,
  });
  return { abort, disturbance, client, clock, connection, context, errors };
}

/** Moves time on in small steps: a chain of calls that are answered at once needs many turns within one instant. */
export async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const stepCount = 20;
  for (let step = 0; step < stepCount; step++) await clock.advance(ms / stepCount);
}
