import { describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../../src/core/index.ts';
import { PodInstantBuffer, PodTracker, ServerMetrics } from '../../../src/measure/index.ts';
import { scriptedHttp1Server, scriptedHttp2Server } from '../../helpers/scripted-server.ts';

const parts = { clock: systemClock, log: silentLogger() };
const scrapeOnce = { measured: true, signal: new AbortController().signal };

describe('scrapes', () => {
  it('keep the figures of a component over a scrape that failed, and count the gap', async () => {
    let scrape = 0;
    await using server = await scriptedHttp1Server((_request, response) => {
      scrape++;
      response.statusCode = scrape === 2 ? 500 : 200;
      response.end(`process_cpu_seconds_total ${scrape}\n`);
    });
    await using metrics = new ServerMetrics(
      [{ component: 'etcd', name: 'etcd-0', metrics: server.access }],
      parts,
    );
    for (let i = 0; i < 3; i++) await metrics.scrape(scrapeOnce);
    expect(metrics.components()).toEqual([
      expect.objectContaining({ name: 'etcd-0', scrapeCount: 2, scrapeGapCount: 1, cpuSeconds: 2 }),
    ]);
    expect(metrics.components()[0]).not.toHaveProperty('unreachable');
  });

  it('read the path that a component gives', async () => {
    const paths: (string | undefined)[] = [];
    await using server = await scriptedHttp1Server((request, response) => {
      paths.push(request.url);
      response.end('up 1\n');
    });
    const target = { component: 'kube-scheduler', name: 's', metrics: server.access };
    await using metrics = new ServerMetrics([target, { ...target, metricsPath: '/proxy/metrics' }], parts);
    await metrics.scrape(scrapeOnce);
    expect(paths.sort()).toEqual(['/metrics', '/proxy/metrics']);
  });

  it('name what cannot be read, with the reason, and read the rest', async () => {
    await using good = await scriptedHttp1Server((_request, response) => response.end('up 1\n'));
    const closed = await scriptedHttp1Server(() => {});
    await closed.close();
    await using forbidding = await scriptedHttp1Server((_request, response) => {
      response.statusCode = 403;
      response.end();
    });
    await using metrics = new ServerMetrics(
      [
        { component: 'etcd', name: 'hidden', unreachable: 'managed by the provider' },
        { component: 'etcd', name: 'closed', metrics: closed.access },
        { component: 'etcd', name: 'forbidding', metrics: forbidding.access },
        { component: 'etcd', name: 'good', metrics: good.access },
      ],
      parts,
    );
    await metrics.scrape(scrapeOnce);
    const [hidden, shut, forbidden, read] = metrics.components();
    expect(hidden).toMatchObject({
      unreachable: 'managed by the provider',
      scrapeCount: 0,
      scrapeGapCount: 0,
    });
    expect(shut?.unreachable).toContain('ECONNREFUSED');
    expect(forbidden?.unreachable).toBe('GET /metrics answers 403');
    expect(read).toMatchObject({ scrapeCount: 1 });
  });

  it('end when they are told to', async () => {
    await using silent = await scriptedHttp1Server(() => {});
    await using metrics = new ServerMetrics(
      [{ component: 'etcd', name: 'silent', metrics: silent.access }],
      parts,
    );
    const stop = new AbortController();
    const scraping = metrics.scrape({ measured: true, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await scraping;
    expect(metrics.components()[0]?.unreachable).toBeDefined();
  });
});

describe('pod tracker', () => {
  const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
  const pod = (name: string) => ({ metadata: { name, namespace: 'ns', uid: name, resourceVersion: '5' } });
  const bookmark = event('BOOKMARK', {
    metadata: { resourceVersion: '4', annotations: { 'k8s.io/initial-events-end': 'true' } },
  });

  it('is in step after the first sync and hands on what comes then', async () => {
    const paths: (string | undefined)[] = [];
    await using server = await scriptedHttp2Server((stream, headers) => {
      paths.push(headers[':path']);
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.write(event('ADDED', pod('old')) + bookmark);
      setTimeout(() => stream.write(event('ADDED', pod('new'))), 100);
    });
    const podInstants = new PodInstantBuffer();
    const tracker = new PodTracker(
      { access: server.access, labelSelector: 'hollowmark.dev/run=x', seed: 1 },
      { ...parts, podInstants },
    );
    await tracker.start(new AbortController().signal);
    for (let i = 0; i < 100 && podInstants.depth === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await tracker.stop();
    await tracker.stop();
    expect(podInstants.drain()?.pods).toEqual(['ns/new']);
    expect(paths[0]).toContain('labelSelector=hollowmark.dev%2Frun%3Dx');
  });

  it('stops waiting for a cluster that does not answer when it is told to', async () => {
    await using server = await scriptedHttp2Server(() => {});
    const tracker = new PodTracker(
      { access: server.access, labelSelector: 'a=b', seed: 1 },
      { ...parts, podInstants: new PodInstantBuffer() },
    );
    const stop = new AbortController();
    const starting = tracker.start(stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(starting).rejects.toThrow('enough');
    await tracker.stop();
    await expect(tracker.start(stop.signal)).rejects.toThrow('enough');
  });
});
