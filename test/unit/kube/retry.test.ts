import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/index.ts';
import {
  ApiError,
  type ApiReply,
  classifyOutcome,
  encodeQuery,
  freshBackoff,
  goDuration,
  nextBackoffMs,
  REFLECTOR_BACKOFF,
  replyError,
  resourcePath,
  retryDelayMs,
  TokenBucket,
  TransportError,
  takeToken,
} from '../../../src/kube/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

const reply = (status: number, retryAfterMs?: number, body = ''): ApiReply => ({
  status,
  body,
  receivedBytes: body.length,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** Source: withRetry.IsNextRetry and checkWait, client-go rest/with_retry.go v0.36.3. */
describe('repeating a request', () => {
  const reset = new TransportError('connection', 'reset');
  const refused = new TransportError('connection', 'refused', {
    cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  });
  it.each([
    ['429 with Retry-After', 'POST', reply(429, 2_000), 0, 2_000],
    ['503 with Retry-After', 'PUT', reply(503, 1_000), 9, 1_000],
    ['the eleventh time', 'GET', reply(429, 1_000), 10, undefined],
    ['429 without Retry-After', 'GET', reply(429), 0, undefined],
    ['500 without Retry-After', 'GET', reply(500), 0, undefined],
    ['409 even with Retry-After', 'PUT', reply(409, 1_000), 0, undefined],
    ['GET on a reset connection', 'GET', reset, 0, 0],
    ['POST on a reset connection', 'POST', reset, 0, undefined],
    ['GET on a refused connection', 'GET', refused, 0, undefined],
    ['GET after a deadline', 'GET', new TransportError('timeout', 'late'), 0, undefined],
  ] as const)('%s', (_why, method, outcome, attempt, expected) => {
    expect(retryDelayMs(method, outcome, attempt)).toBe(expected);
  });
});

describe('backing off', () => {
  it('doubles from 800 ms to 30 s, each up to twice as long, and starts over after two calm minutes', () => {
    const random = { ...seededRandom(1), next: () => 0 };
    const state = freshBackoff();
    const delays = [0, 1, 2, 3, 4, 5, 6, 7].map((second) =>
      nextBackoffMs(state, REFLECTOR_BACKOFF, second * 1e6, random),
    );
    expect(delays).toEqual([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
    expect(nextBackoffMs(state, REFLECTOR_BACKOFF, 127e6, { ...random, next: () => 0.5 })).toBe(45_000);
    expect(nextBackoffMs(state, REFLECTOR_BACKOFF, 248e6, random)).toBe(800);
  });
});

describe('errors', () => {
  it('say what failed, on what and why', () => {
    const body = JSON.stringify({
      kind: 'Status',
      reason: 'Expired',
      message: 'too old resource version: 812 (900)',
      code: 410,
    });
    const error = replyError({ verb: 'watch', subject: 'pods rv=812' }, reply(410, undefined, body));
    expect(error.message).toBe('watch pods rv=812 failed: 410 Expired (too old resource version: 812 (900))');
    expect(error).toMatchObject({ code: 'HM_API_ERROR', status: 410, reason: 'Expired', verb: 'watch' });
  });

  it('quote a body that is no Status', () => {
    const error = replyError(
      { verb: 'get', subject: '/x' },
      reply(502, undefined, '<html>bad gateway</html>\n'),
    );
    expect(error.message).toBe('get /x failed: 502 (<html>bad gateway</html>)');
  });

  it('take the delay from the Status where the header has none', () => {
    const body = JSON.stringify({
      kind: 'Status',
      reason: 'ServerTimeout',
      details: { retryAfterSeconds: 5 },
    });
    expect(replyError({ verb: 'list', subject: '/x' }, reply(504, undefined, body)).retryAfterMs).toBe(5_000);
  });

  it.each([
    [reply(201), 'ok'],
    [reply(404), 'http-4xx'],
    [reply(409), 'http-409'],
    [reply(429), 'http-429'],
    [reply(503), 'http-5xx'],
    [new TransportError('timeout', ''), 'timeout'],
    [new TransportError('cancelled', ''), 'cancelled'],
    [replyError({ verb: 'get', subject: '' }, reply(500)), 'http-5xx'],
    [new Error('odd'), 'protocol'],
  ] as const)('are counted by class (%#)', (outcome, expected) => {
    expect(classifyOutcome(outcome)).toBe(expected);
    expect(outcome instanceof ApiError ? outcome.exitCode : 5).toBe(5);
  });
});

describe('paths', () => {
  const pods = { group: '', version: 'v1', plural: 'pods', namespaced: true };
  it('are written as Go writes them', () => {
    expect(resourcePath(pods)).toBe('/api/v1/pods');
    expect(
      resourcePath(pods, { namespace: 'ns', name: 'p', subresource: 'status' }, { timeout: '10s' }),
    ).toBe('/api/v1/namespaces/ns/pods/p/status?timeout=10s');
    const nodes = { group: 'apps', version: 'v1', plural: 'nodes', namespaced: false };
    expect(resourcePath(nodes, { namespace: 'ignored' })).toBe('/apis/apps/v1/nodes');
  });

  it('match the query strings that a real kubelet sent', () => {
    // From reference/real-kubelet-v1.36.3.ndjson.
    expect(
      encodeQuery({
        watch: true,
        timeoutSeconds: 459,
        timeout: goDuration(459),
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        fieldSelector: 'spec.clusterIP!=None',
        allowWatchBookmarks: true,
        resourceVersion: '',
      }),
    ).toBe(
      'allowWatchBookmarks=true&fieldSelector=spec.clusterIP%21%3DNone&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeout=7m39s&timeoutSeconds=459&watch=true',
    );
    expect([goDuration(2_173), goDuration(10), goDuration(3_600), goDuration(60)]).toEqual([
      '36m13s',
      '10s',
      '1h0m0s',
      '1m0s',
    ]);
  });

  it('can be read back by any URL parser', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), (query) => {
        const back = Object.fromEntries(new URLSearchParams(encodeQuery(query)));
        expect(back).toEqual({ ...query });
      }),
    );
  });
});

describe('the token bucket', () => {
  it('lets a burst through and then spaces out in the order of asking', () => {
    const bucket = new TokenBucket(10, 3);
    expect([0, 0, 0, 0, 0].map((at) => bucket.reserveMs(at))).toEqual([0, 0, 0, 100, 200]);
    expect(bucket.reserveMs(1_000_000)).toBe(0);
  });

  it('never lets through more than burst + rate x time', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (steps, qps, burst) => {
          const bucket = new TokenBucket(qps, burst);
          let nowUs = 0;
          const usableUs: number[] = [];
          for (const step of steps) {
            nowUs += step;
            usableUs.push(nowUs + bucket.reserveMs(nowUs) * 1_000);
          }
          usableUs.forEach((instantUs, i) => {
            expect(i + 1).toBeLessThanOrEqual(burst + (instantUs / 1e6) * qps + 1e-6);
          });
        },
      ),
    );
  });

  it('gives a token back when the wait for it is called off', async () => {
    const clock = virtualClock();
    const bucket = new TokenBucket(1, 1);
    const controller = new AbortController();
    await takeToken(bucket, { signal: controller.signal, clock });
    const waiting = takeToken(bucket, { signal: controller.signal, clock });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(bucket.reserveMs(clock.nowUs() + 1_000_000)).toBe(0);
  });
});
