/** What config says of the API, held against a real API server: built-in templates and the table of resources. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUILT_IN_RESOURCE_NAMES,
  loadSuite,
  parseResource,
  type ResourceRef,
} from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, JsonClient, openConnection } from '../../src/kube/index.ts';
import { createAction, plainSuite, suiteText } from '../unit/config/suite-text.ts';

const NAMESPACE = 'restricted';

let directory: string;
let plane: LocalControlPlane;
let connection: Connection;
let client: JsonClient;

const resource = (name: string): ResourceRef => {
  const found = parseResource(name, undefined);
  if (found === undefined) throw new Error(`expected ${name} to be built in`);
  return found;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hollowmark-config-'));
  plane = await startLocalControlPlane(
    { directory, profile: 'fast' },
    { signal: new AbortController().signal, clock: systemClock, log: silentLogger(), env: process.env },
  );
  connection = await openConnection(plane.admin);
  client = new JsonClient(connection, systemClock);
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await client.create(resource('namespaces'), { metadata: { name: NAMESPACE, labels } });
  // The admission of pods waits for the ServiceAccount that the controller manager makes.
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      await client.get(resource('serviceaccounts'), { namespace: NAMESPACE, name: 'default' });
      break;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}, 600_000);

afterAll(async () => {
  await connection?.close();
  await plane?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('config against a real API server', () => {
  it.each([{ template: 'pod' }, { template: 'deployment', replicas: 3 }])(
    'has templates that are valid field by field and admitted where Pod Security is restricted: %j',
    async (object) => {
      const { suite } = loadSuite({
        path: 's.yaml',
        text: suiteText(plainSuite([createAction({ object })])),
      });
      const action = suite.load.phases[0]?.actions[0];
      if (action?.action !== 'create') throw new Error('expected the create action');
      const manifest: object = JSON.parse(
        JSON.stringify(action.object.manifest)
          .replaceAll('${name}', 'an-object')
          .replaceAll('${namespace}', NAMESPACE),
      );
      const target = { namespace: NAMESPACE };
      const created = await client.create(action.object.resource, manifest, target, {
        query: { fieldValidation: 'Strict' },
      });
      expect(created.metadata.name).toBe('an-object');
      // Nothing runs here; what the spec asks for comes back as it was sent.
      expect(created).toMatchObject(manifest);
    },
  );

  it('knows every built-in resource as the server does: version, plural and scope', async () => {
    const served = new Map<string, unknown>();
    for (const name of BUILT_IN_RESOURCE_NAMES) {
      const { group, version } = resource(name);
      const path = group === '' ? '/api/v1' : `/apis/${group}/${version}`;
      if (!served.has(path)) served.set(path, (await client.getJson(path))['resources']);
      const { plural, namespaced } = resource(name);
      expect({ name, resources: served.get(path) }).toEqual({
        name,
        resources: expect.arrayContaining([expect.objectContaining({ name: plural, namespaced })]),
      });
    }
  });
});
