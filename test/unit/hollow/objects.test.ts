import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeAddress, PodAddresses } from '../../../hollow/addresses.ts';
import { EventLedger } from '../../../hollow/kubelet/event-ledger.ts';
import { eventName } from '../../../hollow/kubelet/event-name.ts';
import { leaseBody, renewedLease } from '../../../hollow/kubelet/lease-object.ts';
import {
  csiNodeBody,
  imageListJson,
  nodeBody,
  nodeStatusPatch,
} from '../../../hollow/kubelet/node-object.ts';
import { isReady, readNode } from '../../../hollow/kubelet/own-node.ts';
import { rfc3339Micros, rfc3339Seconds } from '../../../hollow/kubelet/timestamps.ts';
import { nodeName, shardNodeIndexes } from '../../../hollow/shard.ts';
import { wireForm } from '../../../hollow/wire-form.ts';

type Json = { [key: string]: unknown };
interface Captured {
  verb: string;
  uri: string;
  body?: Json;
}

const captured = readFileSync(new URL('../../fixtures/real-kubelet-v1.36.3.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Captured);
const capturedBody = (verb: string, uri: string) =>
  captured.find((call) => call.verb === verb && call.uri.startsWith(uri) && call.body !== undefined)?.body;

/** Paths of all values of a JSON value: `status.conditions[].type`. */
function pathsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => pathsOf(item, `${path}[]`)))];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) => pathsOf(item, path === '' ? key : `${path}.${key}`));
}

const form = wireForm('none', 'v1.36.3');
const shape = {
  form,
  kubernetesVersion: 'v1.36.3',
  capacity: { cpu: '2', memory: '24684092Ki', podCount: 110, ephemeralStorage: '264212084Ki' },
  labels: {},
  taints: [],
  imagesJson: imageListJson(15_000),
};
const identity = {
  name: 'real-1',
  address: '192.0.2.2',
  kubeletPort: 10_250,
  hostNetworkAddress: '192.0.2.2',
  zone: undefined,
};
const WALL_MS = Date.parse('2026-11-21T08:38:10.763Z') + 0.291;

describe('the Node object', () => {
  const ours = JSON.parse(nodeBody(shape, identity, WALL_MS)) as Json & { status: Json; metadata: Json };
  const theirs = capturedBody('create', '/api/v1/nodes') as Json & { status: Json; metadata: Json };

  it('has metadata, conditions and addresses as a real kubelet posts them', () => {
    const stamped = (value: unknown) => JSON.stringify(value).replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME');
    expect(ours.metadata).toEqual(theirs.metadata);
    expect(stamped(ours.status['conditions'])).toBe(stamped(theirs.status['conditions']));
    expect(ours.status['addresses']).toEqual(theirs.status['addresses']);
    expect(ours.status['capacity']).toEqual(theirs.status['capacity']);
  });

  it('leaves out only what a hollow node does not have', () => {
    const missing = pathsOf(theirs).filter((path) => !pathsOf(ours).includes(path));
    expect(
      missing.filter(
        (path) => !/^status\.(runtimeHandlers|features|declaredFeatures|nodeInfo\.swap)/.test(path),
      ),
    ).toEqual([]);
  });

  it.each([6_000, 15_000, 20_000, 40_000])('is padded to about %i bytes', (wanted) => {
    const body = nodeBody({ ...shape, imagesJson: imageListJson(wanted) }, identity, WALL_MS);
    const images = (JSON.parse(body) as { status: { images: unknown[] } }).status.images;
    expect(images.length).toBeLessThanOrEqual(50);
    expect(Math.abs(body.length + 1_400 - wanted) / wanted).toBeLessThan(0.1);
  });
});

describe('node status patches', () => {
  const seen = readNode({
    metadata: { uid: 'u' },
    status: {
      conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
        type,
        status: 'False',
        lastHeartbeatTime: '2026-11-21T08:38:00Z',
      })),
    },
  });

  it('turn Ready exactly as a real kubelet does', () => {
    const theirs = capturedBody('patch', '/api/v1/nodes/real-1/status');
    const { body, turnedCount } = nodeStatusPatch(seen.conditions, true, Date.parse('2026-11-21T08:38:01Z'));
    expect(JSON.parse(body)).toEqual(theirs);
    expect(turnedCount).toBe(1);
  });

  it('are empty within the second of the last heartbeat', () => {
    const { body } = nodeStatusPatch(seen.conditions, false, Date.parse('2026-11-21T08:38:00.9Z'));
    expect(body).toBe('{}');
    expect(isReady(seen)).toBe(false);
  });
});

describe('leases', () => {
  it('are created as captured', () => {
    const theirs = capturedBody('create', '/apis/coordination.k8s.io') as {
      metadata: { ownerReferences: Json[] };
    };
    const uid = String(theirs.metadata.ownerReferences[0]?.['uid']);
    expect(JSON.parse(leaseBody('real-1', uid, 40, WALL_MS))).toEqual(theirs);
  });

  it('go back whole with another renew time', () => {
    const [first, second] = captured.filter(({ verb }) => verb === 'update').map(({ body }) => body);
    const renewed = renewedLease(JSON.stringify(first), WALL_MS);
    expect(JSON.parse(renewed ?? '')).toEqual({
      ...first,
      spec: { ...(first?.['spec'] as Json), renewTime: '2026-11-21T08:38:10.763291Z' },
    });
    expect(pathsOf(JSON.parse(renewed ?? ''))).toEqual(pathsOf(second));
    expect(renewedLease('{}', WALL_MS)).toBeUndefined();
  });
});

describe('the CSINode', () => {
  it('is created as captured', () => {
    const theirs = capturedBody('create', '/apis/storage.k8s.io') as {
      metadata: { ownerReferences: Json[] };
    };
    const uid = String(theirs.metadata.ownerReferences[0]?.['uid']);
    expect(JSON.parse(csiNodeBody('real-1', uid))).toEqual(theirs);
  });
});

describe('timestamps', () => {
  it('have seconds or microseconds, rounded down', () => {
    expect(rfc3339Seconds(WALL_MS)).toBe('2026-11-21T08:38:10Z');
    expect(rfc3339Micros(WALL_MS)).toBe('2026-11-21T08:38:10.763291Z');
    expect(rfc3339Micros(1_000)).toBe('1970-01-01T00:00:01.000000Z');
  });
});

describe('events about one object', () => {
  const request = (message: string) => ({ reason: 'R', message, type: 'Normal' as const, fieldPath: '' });

  it('are created once and counted afterwards', () => {
    const ledger = new EventLedger();
    const first = ledger.decide(request('a'), 1_000);
    expect(first).toMatchObject({ action: 'create', record: { count: 1 } });
    if (first.action === 'create') first.record.name = 'n.1';
    expect(ledger.decide(request('a'), 2_000)).toMatchObject({
      action: 'patch',
      record: { name: 'n.1', count: 2 },
    });
    expect(ledger.decide(request('b'), 2_000)).toMatchObject({ action: 'create' });
  });

  it('are merged after ten that differ in their message only', () => {
    const ledger = new EventLedger();
    const decisions = Array.from({ length: 12 }, (_, i) => ledger.decide(request(`m${i}`), 1_000 + i));
    const merged = decisions.filter((d) => d.action !== 'drop' && d.message.startsWith('(combined'));
    expect(merged).toHaveLength(2);
  });

  it('are cut off after 25, and let through again one each five minutes', () => {
    const ledger = new EventLedger();
    const actions = Array.from({ length: 40 }, () => ledger.decide(request('a'), 1_000).action);
    expect(actions.filter((action) => action !== 'drop')).toHaveLength(25);
    expect(ledger.decide(request('a'), 1_000 + 301_000).action).not.toBe('drop');
    expect(ledger.decide(request('a'), 1_000 + 302_000).action).toBe('drop');
  });

  it('never have the same name twice', () => {
    const names = Array.from({ length: 1_000 }, (_, i) => eventName(`o${i % 3}`, 1_763_714_300_000));
    expect(new Set(names).size).toBe(1_000);
    expect(names[0]).toMatch(/^o0\.[0-9a-f]{16}$/);
  });
});

describe('addresses', () => {
  it('are unique over nodes and their pods', () => {
    const nodes = Array.from({ length: 5_000 }, (_, index) => nodeAddress(index));
    expect(new Set(nodes).size).toBe(5_000);
    const pods = [0, 1, 2, 4_999].flatMap((index) => {
      const addresses = new PodAddresses(index, 110);
      return Array.from({ length: 110 }, () => addresses.take(undefined));
    });
    expect(new Set(pods).size).toBe(440);
  });

  it('come from the pod CIDR where the node has one', () => {
    const addresses = new PodAddresses(7, 110);
    expect(addresses.take('10.1.2.0/24')).toBe('10.1.2.1');
    expect(addresses.take('10.1.2.0/24')).toBe('10.1.2.2');
  });

  it('are used again only once they were freed, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 600 }), (takes) => {
        const addresses = new PodAddresses(3, 110);
        const held: string[] = [];
        for (const take of takes) {
          if (take && held.length < 110) {
            const address = addresses.take(undefined);
            expect(held).not.toContain(address);
            held.push(address);
          } else {
            const freed = held.shift();
            if (freed !== undefined) addresses.free(freed);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are not given out while an older pod has them', () => {
    const addresses = new PodAddresses(0, 110);
    addresses.claim('10.1.2.1');
    expect(addresses.take('10.1.2.0/24')).toBe('10.1.2.2');
  });
});

describe('shards', () => {
  it('cover every node once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 9 }), (nodeCount, count) => {
        const all = Array.from({ length: count }, (_, index) =>
          shardNodeIndexes(nodeCount, { index, count }),
        ).flat();
        expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: nodeCount }, (_, i) => i));
      }),
    );
  });

  it('name nodes so that they sort', () => {
    expect(nodeName('hollow-', 42)).toBe('hollow-00042');
  });
});
