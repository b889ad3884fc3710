/**
 * Load with a known answer: LISTs at a constant rate over a real transport against a scripted server, through the real
 * generator, pacer and recorders. Every call is recorded twice: in the run's histograms, window by window and over the
 * wire as an agent sends them, and as a raw sample beside them. The server keeps what it did with each request too.
 */
import { LoadGenerator, type LoadPhaseOutcome } from '../../loadgen/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { openConnection } from '../../src/kube/index.ts';
import {
  CallCollector,
  type CallRecorder,
  type CallSeriesRecorder,
  type CallWindow,
  type Outcome,
  PodInstantBuffer,
  RunCallRecorder,
} from '../../src/measure/index.ts';
import { type CallSeries, OFFICIAL_LIMITS, rankOf } from '../../src/result/index.ts';
import { NEVER, phaseOf, reads } from './load-world.ts';
import { type ScriptedServer, scriptedHttp1Server, scriptedHttp2Server } from './scripted-server.ts';

export type Transport = 'http1' | 'http2';

/** What the server does with one request. */
export interface ScriptedReply {
  /** Until the first byte. @default 0 */
  delayMs?: number;
  /** @default 200 */
  status?: number;
  headers?: Record<string, string>;
  /** The body comes in `count` pieces, one every `everyMs`. @default the whole body at once */
  pieces?: { count: number; everyMs: number };
  /** Instead of an answer the connection (HTTP/1.1) or the stream (HTTP/2) is cut; after half of the body if `mid-body`. */
  cut?: 'before-reply' | 'mid-body';
}

export interface KnownLoad {
  transport: Transport;
  ratePerSecond: number;
  durationMs: number;
  /** Calls at once: connections of HTTP/1.1, streams that the HTTP/2 server allows. */
  connectionCount: number;
  /** @default 10_000 */
  maxInFlightCount?: number;
  /** @default 10_000 */
  requestTimeoutMs?: number;
  /** How long calls in flight may take after the schedule's end. @default 10_000 */
  settleTimeoutMs?: number;
  /** `number` counts requests from 0 in order of arrival, `sinceStartMs` is since the first arrival was due. */
  reply: (number: number, sinceStartMs: number) => ScriptedReply;
}

/** A call as it was, beside the histograms; monotonic microseconds. */
export interface RawSample {
  intendedUs: number;
  sentUs: number;
  doneUs: number;
  outcome: Outcome;
}

export interface KnownRun {
  samples: RawSample[];
  /** The one series of the run, as the coordinator has it at the end. */
  series: CallSeries;
  outcome: LoadPhaseOutcome['actions'][number];
  startUs: number;
  /** From a request's arrival to the answer's last byte handed over, microseconds, by the server's own reckoning. */
  serverUs: number[];
  /** At each window's end: offered - done - failed - dropped so far, and the calls then in flight. */
  ledger: { openCount: number; inFlightCount: number }[];
}

const BODY = Buffer.alloc(4_000, 'x');
const WINDOW_MS = 200;

/** Runs the load to its end. */
export async function runKnownLoad(load: KnownLoad): Promise<KnownRun> {
  const serverUs: number[] = [];
  let startUs = Number.POSITIVE_INFINITY;
  let number = 0;
  const next = () => load.reply(number++, (systemClock.nowUs() - startUs) / 1_000);
  await using server = await serve(load, next, serverUs);
  const recorder = new RunCallRecorder();
  const samples: RawSample[] = [];
  const generator = new LoadGenerator(shardOf(load, server), {
    clock: systemClock,
    log: silentLogger(),
    recorder: beside(recorder, samples),
    podInstants: new PodInstantBuffer(),
    ...(load.transport === 'http2' ? { connect: (access) => openConnection(access) } : {}),
  });
  await generator.start(NEVER);
  const collector = new CallCollector({ windowMs: WINDOW_MS, limits: OFFICIAL_LIMITS });
  const ledger: KnownRun['ledger'] = [];
  const sums = { offered: 0, settled: 0 };
  let index = 0;
  const closeWindow = () => {
    const windows = recorder.drain().filter(({ key }) => key.verb === 'list');
    for (const window of windows) {
      sums.offered += window.offeredCount;
      sums.settled += window.doneCount + window.failedCount + window.droppedCount;
    }
    ledger.push({ openCount: sums.offered - sums.settled, inFlightCount: generator.stats().inFlightCount });
    collector.add('load-0', index, overTheWire(windows));
    collector.closeWindow(index++);
  };
  const timer = setInterval(closeWindow, WINDOW_MS);
  try {
    startUs = systemClock.nowUs() + 20_000;
    const { ratePerSecond, durationMs, settleTimeoutMs = 10_000 } = load;
    const phase = phaseOf([reads({ verb: 'list', ratePerSecond, durationMs })]);
    const outcome = await generator.runPhase({ ...phase, settleTimeoutMs }, startUs, NEVER);
    closeWindow();
    const [series] = collector.series();
    const [action] = outcome.actions;
    if (series === undefined || action === undefined) throw new Error('the load made no call');
    return { samples, series, outcome: action, startUs, serverUs, ledger };
  } finally {
    clearInterval(timer);
    await generator.stop();
  }
}

/** The exact quantile (nearest rank) of `values`. */
export function exactQuantile(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[rankOf(quantile, sorted.length) - 1];
  if (value === undefined) throw new Error('no samples');
  return value;
}

function overTheWire(windows: CallWindow[]): CallWindow[] {
  return JSON.parse(JSON.stringify(windows));
}

/** Records into `recorder`, and what is recorded of LISTs into `samples` too. */
function beside(recorder: RunCallRecorder, samples: RawSample[]): CallRecorder {
  return {
    series(key): CallSeriesRecorder {
      const series = recorder.series(key);
      if (key.verb !== 'list') return series;
      return {
        offer: (count) => series.offer(count),
        drop: (count) => series.drop(count),
        record(intendedUs, sentUs, doneUs, outcome, receivedBytes, sentBytes) {
          samples.push({ intendedUs, sentUs, doneUs, outcome });
          series.record(intendedUs, sentUs, doneUs, outcome, receivedBytes, sentBytes);
        },
      };
    },
  };
}

function shardOf(load: KnownLoad, server: ScriptedServer) {
  return {
    runId: 'run-1',
    seed: 1,
    shard: { index: 0, count: 1 },
    settings: {
      agentCount: 1,
      namespaceCount: 1,
      identity: { user: 'load', groups: [] },
      connectionCount: load.connectionCount,
      maxInFlightCount: load.maxInFlightCount ?? 10_000,
      requestTimeoutMs: load.requestTimeoutMs ?? 10_000,
      honourRetryAfter: true,
      phases: [],
    },
    access: server.access,
    namespaces: ['ns-0'],
    labels: {},
    podPlacement: { nodeSelector: {}, tolerations: [] },
  };
}

/** One request on either transport. */
interface Peer {
  respond(status: number, headers: Record<string, string>): void;
  write(piece: Buffer): void;
  end(piece?: Buffer): void;
  cut(): void;
}

function serve(load: KnownLoad, next: () => ScriptedReply, serverUs: number[]): Promise<ScriptedServer> {
  if (load.transport === 'http1') {
    return scriptedHttp1Server((request, response) => {
      const peer: Peer = {
        respond: (status, headers) => response.writeHead(status, headers),
        write: (piece) => response.write(piece),
        end: (piece) => response.end(piece),
        cut: () => request.socket.destroy(),
      };
      if (request.url === '/version') response.end('{}');
      else answer(peer, next(), serverUs);
    });
  }
  return scriptedHttp2Server(
    (stream, headers) => {
      const peer: Peer = {
        respond: (status, extra) => stream.respond({ ':status': status, ...extra }),
        write: (piece) => stream.write(piece),
        end: (piece) => stream.end(piece),
        // close() would end the body in good order first; destroying resets the stream.
        cut: () => stream.destroy(new Error('cut by the script')),
      };
      if (headers[':path'] === '/version') {
        peer.respond(200, {});
        peer.end();
      } else answer(peer, next(), serverUs);
    },
    { maxConcurrentStreams: load.connectionCount },
  );
}

function answer(peer: Peer, reply: ScriptedReply, serverUs: number[]): void {
  const arrivedUs = systemClock.nowUs();
  const { delayMs = 0, status = 200, headers = {}, pieces, cut } = reply;
  const begin = () => {
    if (cut === 'before-reply') {
      peer.cut();
      return;
    }
    peer.respond(status, { 'content-length': String(BODY.length), ...headers });
    if (cut === 'mid-body') {
      peer.write(BODY.subarray(0, BODY.length / 2));
      setTimeout(() => peer.cut(), 20);
    } else if (pieces === undefined) finish(BODY);
    else piece(0, pieces);
  };
  const piece = (sent: number, plan: { count: number; everyMs: number }) => {
    const length = BODY.length / plan.count;
    const part = BODY.subarray(Math.round(sent * length), Math.round((sent + 1) * length));
    if (sent + 1 === plan.count) finish(part);
    else {
      peer.write(part);
      setTimeout(() => piece(sent + 1, plan), plan.everyMs);
    }
  };
  const finish = (part: Buffer) => {
    serverUs.push(systemClock.nowUs() - arrivedUs);
    peer.end(part);
  };
  if (delayMs > 0) setTimeout(begin, delayMs);
  else begin();
}
