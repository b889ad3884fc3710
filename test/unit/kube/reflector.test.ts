import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/index.ts';
import {
  ApiError,
  type ApiReply,
  type ApiRequest,
  type CallHandler,
  Reflector,
  type ReflectorTarget,
  TransportError,
  type WatchHandlers,
  type WatchMode,
} from '../../../src/kube/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

/** Takes down what a reflector asks for, and answers as the test says. */
function scriptedReflector(mode: WatchMode, target: Partial<ReflectorTarget> = {}) {
  const clock = virtualClock();
  const log: string[] = [];
  const requests: {
    path: string;
    watch?: WatchHandlers;
    call?: CallHandler;
    atMs: number;
    closed: boolean;
  }[] = [];
  const connection = {
    watch(path: string, watch: WatchHandlers) {
      const request = { path, watch, atMs: clock.nowUs() / 1_000, closed: false };
      requests.push(request);
      return {
        close: () => {
          if (request.closed) return;
          request.closed = true;
          watch.onEnd(new TransportError('cancelled', 'cancelled'));
        },
      };
    },
    dispatch(request: ApiRequest, call: CallHandler) {
      const entry = { path: request.path, call, atMs: clock.nowUs() / 1_000, closed: false };
      requests.push(entry);
      return { cancel: () => call.onFailure(new TransportError('cancelled', 'cancelled')) };
    },
  };
  // The generator is fixed at 0.5: watches last 7.5 min, delays are 1.5 times their base.
  const random = { ...seededRandom(1), next: () => 0.5 };
  const reflector = new Reflector(
    connection,
    { path: '/api/v1/pods', fieldSelector: 'spec.nodeName=n1', clientTimeout: false, ...target },
    {
      onReplace: () => log.push('replace'),
      onEvent: (type, frame, initial) => {
        const name = JSON.parse(frame.toString('utf8')).object.metadata.name;
        log.push(`${initial ? 'initial ' : ''}${type} ${name}`);
      },
      onSynced: () => log.push('synced'),
      onFailure: (error, next) =>
        log.push(`${error.message.slice(0, 60)} -> ${next.phase} rv=${next.resourceVersion}`),
      onResume: () => log.push('resume'),
    },
    { mode, clock, random },
  );
  const last = () => {
    const request = requests.at(-1);
    if (request === undefined) throw new Error('nothing was asked for');
    return request;
  };
  const frame = (type: string, name: string, resourceVersion: string, more: object = {}) => {
    const object = { kind: 'Pod', metadata: { name, resourceVersion, ...more } };
    last().watch?.onFrame(Buffer.from(JSON.stringify({ type, object })));
  };
  const bookmark = (resourceVersion: string, end = false) =>
    frame(
      'BOOKMARK',
      '',
      resourceVersion,
      end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {},
    );
  const errorEvent = (code: number, reason: string) => {
    const object = { kind: 'Status', code, reason, message: reason };
    last().watch?.onFrame(Buffer.from(JSON.stringify({ type: 'ERROR', object })));
  };
  const end = (error?: Error) => last().watch?.onEnd(error);
  const reply = (status: number, body: unknown, retryAfterMs?: number) => {
    const text = JSON.stringify(body);
    const whole: ApiReply = { status, body: text, receivedBytes: text.length };
    if (retryAfterMs !== undefined) whole.retryAfterMs = retryAfterMs;
    last().call?.onReply(whole);
  };
  const paths = () => requests.map((request) => request.path.replace('/api/v1/pods?', ''));
  return { clock, log, requests, reflector, last, frame, bookmark, errorEvent, end, reply, paths };
}

const STREAM =
  'allowWatchBookmarks=true&fieldSelector=spec.nodeName%3Dn1&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=450&watch=true';
const streamAt = (rv: string) =>
  `allowWatchBookmarks=true&fieldSelector=spec.nodeName%3Dn1&resourceVersion=${rv}&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=450&watch=true`;
const watchAt = (rv: string) =>
  `allowWatchBookmarks=true&fieldSelector=spec.nodeName%3Dn1&resourceVersion=${rv}&timeoutSeconds=450&watch=true`;
const listAt = (rv: string) => `fieldSelector=spec.nodeName%3Dn1&limit=500&resourceVersion=${rv}`;
const apiError = (
  status: number,
  reason: string,
  more: Partial<{ retryAfterMs: number; message: string; causes: string[] }> = {},
) =>
  new ApiError(
    { verb: 'watch', subject: 'pods' },
    {
      status,
      reason,
      message: more.message ?? '',
      retryAfterMs: more.retryAfterMs,
      causes: more.causes ?? [],
    },
  );
const refused = () =>
  new TransportError('connection', 'connect ECONNREFUSED', {
    cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  });
const podList = (rv: string, names: string[], token = '') => ({
  kind: 'PodList',
  metadata: { resourceVersion: rv, continue: token },
  items: names.map((name) => ({ metadata: { name, resourceVersion: '1' } })),
});

/** A reflector that is synced at rv 10 and has seen an event at rv 12. */
function synced(mode: WatchMode = 'watch-list') {
  const run = scriptedReflector(mode);
  run.reflector.start();
  run.frame('ADDED', 'a', '5');
  run.bookmark('10', true);
  run.frame('MODIFIED', 'a', '12');
  return run;
}

describe('a reflector of Kubernetes 1.35 and later', () => {
  it('asks for the initial events in its watch, and goes on with the same stream', async () => {
    const run = synced();
    expect(run.paths()).toEqual([STREAM]);
    expect(run.log).toEqual(['replace', 'initial ADDED a', 'synced', 'MODIFIED a']);
    expect(run.reflector.resourceVersion).toBe('12');
  });

  it('sends the timeout of a typed client twice', () => {
    const run = scriptedReflector('watch-list', { clientTimeout: true, minWatchTimeoutMs: 1_800_000 });
    run.reflector.start();
    expect(run.paths()[0]).toContain('&timeout=45m0s&timeoutSeconds=2700&watch=true');
  });

  it('does not take the versions of initial events for its own', () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    run.frame('ADDED', 'a', '99');
    run.bookmark('10', true);
    expect(run.reflector.resourceVersion).toBe('10');
  });

  it('resumes from the last bookmark, without a list, when the server ends the watch', async () => {
    const run = synced();
    run.bookmark('40');
    await run.clock.advance(450_000);
    run.end();
    expect(run.paths().slice(1)).toEqual([watchAt('40')]);
    expect(run.log.at(-1)).toBe('resume');
  });

  it('resumes at once when the connection breaks in mid-stream', async () => {
    const run = synced();
    await run.clock.advance(5_000);
    run.end(new TransportError('connection', 'reset'));
    expect(run.paths().slice(1)).toEqual([watchAt('12')]);
  });

  it('falls back to LIST and WATCH on an error that is no reason to wait', async () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    run.end(apiError(422, 'Invalid'));
    expect(run.paths()).toEqual([STREAM, listAt('0')]);
    run.reply(200, podList('20', ['a', 'b']));
    expect(run.paths().at(-1)).toBe(watchAt('20'));
    expect(run.log).toEqual([
      'replace',
      'watch pods failed: 422 Invalid -> list rv=0',
      'replace',
      'initial ADDED a',
      'initial ADDED b',
      'synced',
    ]);
  });

  it('backs off and streams again when the connection is refused', async () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    run.end(refused());
    expect(run.requests).toHaveLength(1);
    await run.clock.advance(1_199);
    expect(run.requests).toHaveLength(1);
    await run.clock.advance(1);
    expect(run.paths()).toEqual([STREAM, STREAM]);
    run.end(refused());
    await run.clock.advance(2_399);
    expect(run.requests).toHaveLength(2);
    await run.clock.advance(1);
    expect(run.requests).toHaveLength(3);
  });

  // Source: watchList, rewatchResourceVersion and isExpiredError, client-go tools/cache/reflector.go v0.36.3.
  it('streams at its last version after 410 in a watch, and with none when that is expired too', async () => {
    const run = synced();
    run.errorEvent(410, 'Expired');
    expect(run.requests).toHaveLength(1);
    await run.clock.advance(1_200);
    expect(run.paths().at(-1)).toBe(streamAt('12'));
    run.end(apiError(410, 'Expired'));
    expect(run.paths().at(-1)).toBe(STREAM);
    run.bookmark('50', true);
    run.frame('ADDED', 'z', '51');
    run.errorEvent(410, 'Expired');
    await run.clock.advance(60_000);
    expect(run.paths().at(-1)).toBe(streamAt('51'));
  });

  it('streams anew when the server does not know its version yet', () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    run.end(apiError(504, 'Timeout', { message: 'Too large resource version: 9, current: 3' }));
    expect(run.paths()).toEqual([STREAM, STREAM]);
  });

  // Source: withRetry.IsNextRetry and checkWait, client-go rest/with_retry.go v0.36.3; maxRetries, rest/request.go.
  it('repeats a 429 after the Retry-After of the server, ten times, then backs off', async () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    for (let i = 0; i < 10; i++) {
      run.end(apiError(429, 'TooManyRequests', { retryAfterMs: 1_000 }));
      await run.clock.advance(1_000);
    }
    expect(run.requests).toHaveLength(11);
    expect(run.log.filter((line) => line.includes('429'))).toEqual([]);
    run.end(apiError(429, 'TooManyRequests', { retryAfterMs: 1_000 }));
    expect(run.log.at(-1)).toBe('watch pods failed: 429 TooManyRequests -> stream rv=');
    await run.clock.advance(1_199);
    expect(run.requests).toHaveLength(11);
    await run.clock.advance(1);
    expect(run.requests).toHaveLength(12);
  });

  it('begins anew after a back-off on a 500 inside the stream', async () => {
    const run = synced();
    run.errorEvent(500, 'InternalError');
    run.frame('ADDED', 'late', '13');
    await run.clock.advance(1_200);
    expect(run.paths().at(-1)).toBe(streamAt('12'));
    expect(run.log).not.toContain('ADDED late');
  });

  it('takes a watch that ends at once for a failure', async () => {
    const run = synced();
    await run.clock.advance(450_000);
    run.end();
    run.end();
    expect(run.paths()).toHaveLength(2);
    await run.clock.advance(1_200);
    expect(run.paths().at(-1)).toBe(streamAt('12'));
  });

  it('streams again when the stream ends before the initial events are complete', async () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    run.frame('ADDED', 'a', '5');
    await run.clock.advance(3_000);
    run.end();
    expect(run.paths()).toEqual([STREAM, STREAM]);
    expect(run.log).toEqual(['replace', 'initial ADDED a', 'resume', 'replace']);
  });
});

describe('a reflector of Kubernetes 1.34 and before', () => {
  it('lists in pages from the cache, then watches', () => {
    const run = scriptedReflector('list-watch');
    run.reflector.start();
    run.reply(200, podList('20', ['a'], 'tok/=='));
    run.reply(200, podList('20', ['b']));
    expect(run.paths()).toEqual([
      listAt('0'),
      'continue=tok%2F%3D%3D&fieldSelector=spec.nodeName%3Dn1&limit=500',
      watchAt('20'),
    ]);
    expect(run.log).toEqual(['replace', 'initial ADDED a', 'initial ADDED b', 'synced']);
  });

  // Source: list, relistResourceVersion and isExpiredError, client-go tools/cache/reflector.go v0.36.3.
  it('lists whole at its last version after 410, and consistently when that is expired too', async () => {
    const run = scriptedReflector('list-watch');
    run.reflector.start();
    run.reply(200, podList('20', []));
    run.frame('ADDED', 'a', '21');
    run.errorEvent(410, 'Expired');
    await run.clock.advance(1_200);
    expect(run.paths().at(-1)).toBe('fieldSelector=spec.nodeName%3Dn1&resourceVersion=21');
    run.reply(410, { kind: 'Status', reason: 'Expired', code: 410 });
    expect(run.paths().at(-1)).toBe('fieldSelector=spec.nodeName%3Dn1&limit=500');
    const before = run.requests.length;
    run.reply(410, { kind: 'Status', reason: 'Expired', code: 410 });
    expect(run.requests).toHaveLength(before);
    await run.clock.advance(60_000);
    expect(run.requests).toHaveLength(before + 1);
  });

  it('backs off and lists again when the list is refused', async () => {
    const run = scriptedReflector('list-watch');
    run.reflector.start();
    run.last().call?.onFailure(refused());
    await run.clock.advance(1_200);
    expect(run.paths()).toEqual([listAt('0'), listAt('0')]);
  });
});

describe('stopping', () => {
  it('closes the stream, leaves no timer and says nothing more', async () => {
    const run = synced();
    const before = [...run.log];
    run.reflector.stop();
    run.reflector.stop();
    expect(run.last().closed).toBe(true);
    await run.clock.advance(600_000);
    expect(run.log).toEqual(before);
    expect(run.requests).toHaveLength(1);
    expect(run.clock.pending()).toBe(0);
  });

  it('ends a wait', () => {
    const run = scriptedReflector('watch-list');
    run.reflector.start();
    run.end(refused());
    expect(run.clock.pending()).toBe(1);
    run.reflector.stop();
    expect(run.clock.pending()).toBe(0);
  });
});
