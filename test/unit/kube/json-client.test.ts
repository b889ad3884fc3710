import { describe, expect, it } from 'vitest';
import {
  ApiError,
  type ApiReply,
  type ApiRequest,
  clusterUid,
  JsonClient,
  requestClientCertificates,
  serverVersion,
  TransportError,
  watchModeOf,
} from '../../../src/kube/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true } as const;

/** A connection that answers from `script` and takes down what it was asked. */
function scripted(script: (request: ApiRequest, index: number) => Partial<ApiReply> | Error) {
  const requests: ApiRequest[] = [];
  return {
    requests,
    async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiReply> {
      signal?.throwIfAborted();
      requests.push(request);
      const outcome = script(request, requests.length - 1);
      if (outcome instanceof Error) throw outcome;
      return { status: 200, body: '{}', receivedBytes: 0, ...outcome };
    },
  };
}

const pod = (name: string) => ({ metadata: { name } });
const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) });
const notFound = json(404, { kind: 'Status', reason: 'NotFound', message: 'pods "x" not found', code: 404 });

describe('the client for set-up code', () => {
  it('lists page by page and joins the pages', async () => {
    const connection = scripted((_request, index) =>
      json(200, {
        metadata: { resourceVersion: '7', ...(index < 2 ? { continue: `t${index}` } : {}) },
        items: [pod(`p${index}`)],
      }),
    );
    const list = await new JsonClient(connection).list(PODS, {
      namespace: 'ns',
      labelSelector: 'a=b',
      limit: 1,
    });
    expect(list.resourceVersion).toBe('7');
    expect(list.items.map((item) => item.metadata.name)).toEqual(['p0', 'p1', 'p2']);
    expect(connection.requests.map((request) => request.path)).toEqual([
      '/api/v1/namespaces/ns/pods?labelSelector=a%3Db&limit=1',
      '/api/v1/namespaces/ns/pods?continue=t0&labelSelector=a%3Db&limit=1',
      '/api/v1/namespaces/ns/pods?continue=t1&labelSelector=a%3Db&limit=1',
    ]);
  });

  it('names patch types and preconditions as the API wants them', async () => {
    const connection = scripted(() => json(200, pod('p')));
    const client = new JsonClient(connection);
    const target = { namespace: 'ns', name: 'p' };
    await client.patch(PODS, { ...target, subresource: 'status' }, { a: 1 }, 'strategic');
    await client.delete(PODS, target, { gracePeriodSeconds: 0, uid: 'u-1' });
    await client.create(PODS, pod('p'), { namespace: 'ns' });
    await client.update(PODS, target, pod('p'));
    expect(connection.requests.map(({ method, path, contentType }) => [method, path, contentType])).toEqual([
      ['PATCH', '/api/v1/namespaces/ns/pods/p/status', 'application/strategic-merge-patch+json'],
      ['DELETE', '/api/v1/namespaces/ns/pods/p', undefined],
      ['POST', '/api/v1/namespaces/ns/pods', undefined],
      ['PUT', '/api/v1/namespaces/ns/pods/p', undefined],
    ]);
    expect(JSON.parse(connection.requests[1]?.body ?? '')).toMatchObject({
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u-1' },
    });
  });

  it('tells what is missing from what fails', async () => {
    const client = new JsonClient(scripted(() => notFound));
    const target = { namespace: 'ns', name: 'x' };
    expect(await client.find(PODS, target)).toBeUndefined();
    expect(await client.delete(PODS, target)).toBe(false);
    await expect(client.get(PODS, target)).rejects.toThrow(
      'get /api/v1/namespaces/ns/pods/x failed: 404 NotFound (pods "x" not found)',
    );
    await expect(client.get(PODS, target)).rejects.toBeInstanceOf(ApiError);
    await expect(new JsonClient(scripted(() => ({ body: '<html>' }))).get(PODS, target)).rejects.toThrow(
      'is no JSON',
    );
  });

  it('waits as the server says before it repeats', async () => {
    const clock = virtualClock();
    const connection = scripted((_request, index) =>
      index < 2 ? { status: 429, retryAfterMs: 3_000 } : json(200, pod('p')),
    );
    const work = new JsonClient(connection, clock).create(PODS, pod('p'), { namespace: 'ns' });
    await clock.advance(2_999);
    expect(connection.requests).toHaveLength(1);
    await clock.advance(3_001);
    expect((await work).metadata.name).toBe('p');
    expect(connection.requests).toHaveLength(3);
  });

  it('stops waiting when its signal aborts', async () => {
    const clock = virtualClock();
    const controller = new AbortController();
    const connection = scripted(() => ({ status: 503, retryAfterMs: 60_000 }));
    const work = new JsonClient(connection, clock).getJson('/version', { signal: controller.signal });
    await clock.advance(10);
    controller.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    expect(clock.pending()).toBe(0);
  });

  it('repeats a GET on a broken connection, never a POST', async () => {
    const broken = new TransportError('connection', 'reset');
    const connection = scripted((_request, index) => (index < 2 ? broken : json(200, pod('p'))));
    expect((await new JsonClient(connection).get(PODS, { namespace: 'ns', name: 'p' })).metadata.name).toBe(
      'p',
    );
    await expect(new JsonClient(scripted(() => broken)).create(PODS, pod('p'))).rejects.toBe(broken);
  });
});

describe('cluster facts', () => {
  it('read version and identity, and tell how informers of that version begin', async () => {
    const client = new JsonClient(
      scripted(({ path }) =>
        path === '/version'
          ? json(200, {
              major: '1',
              minor: '34+',
              gitVersion: 'v1.34.2-eks',
              goVersion: 'go1.24',
              platform: 'linux/amd64',
            })
          : json(200, { metadata: { name: 'kube-system', uid: 'u-9' } }),
      ),
    );
    const version = await serverVersion(client);
    expect(version).toMatchObject({ gitVersion: 'v1.34.2-eks', major: 1, minor: 34 });
    expect(watchModeOf(version)).toBe('list-watch');
    expect(watchModeOf({ major: 1, minor: 35 })).toBe('watch-list');
    expect(await clusterUid(client)).toBe('u-9');
  });
});

describe('client certificates', () => {
  const wanted = [{ requestName: 'r', commonName: 'system:node:n1', organizations: ['system:nodes'] }];
  const options = { signal: new AbortController().signal };

  it('say that the signer refused, and take their request away', async () => {
    const connection = scripted(({ method, body }) => {
      if (method === 'DELETE') return notFound;
      if (method === 'GET')
        return json(200, {
          metadata: { name: 'r' },
          status: { conditions: [{ type: 'Failed', message: 'bad usages' }] },
        });
      return json(201, JSON.parse(body ?? '{}'));
    });
    await expect(requestClientCertificates(new JsonClient(connection), wanted, options)).rejects.toThrow(
      'certificate for system:node:n1 not issued: Failed: bad usages',
    );
    expect(connection.requests.map((request) => request.method)).toEqual([
      'DELETE',
      'POST',
      'PUT',
      'GET',
      'DELETE',
    ]);
    const created = JSON.parse(connection.requests[1]?.body ?? '');
    expect(created.spec).toMatchObject({
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    });
    expect(Buffer.from(created.spec.request, 'base64').toString('utf8')).toContain(
      'BEGIN CERTIFICATE REQUEST',
    );
  });
});
