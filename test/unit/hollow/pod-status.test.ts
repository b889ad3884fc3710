import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seePod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { ApiPod } from '../../../hollow/kubelet/pods/pod-object.ts';
import { readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { statusPatch } from '../../../hollow/kubelet/pods/status-patch.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { at, boundPod, deletedPod, machineOf, POD_UID, profile } from './pod-fixtures.ts';

interface Captured {
  verb: string;
  uri: string;
  body?: unknown;
}
type Json = { [key: string]: unknown };

/** The status patches that a real kubelet sent for one pod, in order. */
function capturedPatches(file: string, pod: string): Json[] {
  return readFileSync(new URL(`../../fixtures/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Captured)
    .filter(({ verb, uri }) => verb === 'patch' && uri.endsWith(`/pods/${pod}/status`))
    .map(({ body }) => body as Json);
}

const IMAGE_ID = 'sha256:2c08df9e899ddd9fffd37fad9d6140f22ff8f344802aa7b0c31ba8da5faa2f40';
const CONTAINER_ID = 'containerd://bd63aee64d9b8f72e29c9f164f5b8a3efe5b74bc2d753f1a392a0a72c90eda2a';

/** What is another value on every machine, made equal. */
function normalised(patch: unknown): unknown {
  const text = JSON.stringify(patch)
    .replaceAll(/containerd:\/\/[0-9a-f]{64}/g, 'CONTAINER')
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'IMAGE')
    .replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, '"TIME"');
  return JSON.parse(text);
}

/** Applies a status patch as the API server would, as far as these patches go. */
function applied(pod: ApiPod, patch: Json): ApiPod {
  const change = patch['status'] as Json;
  const status: Json = { ...pod.status };
  for (const [field, value] of Object.entries(change)) {
    if (field === 'conditions') status[field] = mergedConditions(status[field] as Json[], value as Json[]);
    else if (!field.startsWith('$')) status[field] = value;
  }
  return { ...pod, status };
}

function mergedConditions(current: Json[], changes: Json[]): Json[] {
  const merged = current.map((condition) => ({ ...condition }));
  for (const change of changes) {
    let target = merged.find((condition) => condition['type'] === change['type']);
    if (target === undefined) {
      target = {};
      merged.push(target);
    }
    for (const [field, value] of Object.entries(change)) {
      if (value === null && field !== 'lastProbeTime') delete target[field];
      else target[field] = value;
    }
  }
  return merged;
}

const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };

/** The patch the writer would send now, applied to what the server has. */
function write(machine: PodMachine, server: ApiPod): { patch: Json | undefined; server: ApiPod } {
  const body = statusPatch(POD_UID, server.status ?? {}, buildStatus(machine, server, context));
  if (body === undefined) return { patch: undefined, server };
  const patch = JSON.parse(body) as Json;
  return { patch, server: applied(server, patch) };
}

describe('status patches of a plain pod against those of a real kubelet', () => {
  const captured = capturedPatches('real-kubelet-v1.36.3.ndjson', 'web-847f49cc4d-7j768');

  it('are the same from the first sight to the end, one by one', () => {
    const { pod } = machineOf(boundPod(), profile());
    let server = boundPod();
    const patches: (Json | undefined)[] = [];
    const step = () => {
      const written = write(pod, server);
      patches.push(written.patch);
      server = written.server;
    };
    step();
    tickPod(pod, at(500));
    step();
    tickPod(pod, at(700));
    step();
    server = deletedPod(server, 30);
    seePod(pod, readPodSighting(server), at(8_000));
    step();
    tickPod(pod, at(8_300));
    step();
    expect(captured).toHaveLength(5);
    expect(patches.map(normalised)).toEqual(captured.map(normalised));
    expect(JSON.stringify(captured)).toContain(IMAGE_ID);
    expect(JSON.stringify(captured)).toContain(CONTAINER_ID);
    tickPod(pod, at(10_000));
    expect(write(pod, server).patch).toBeUndefined();
  });

  it('of the hollow node in compat kubemark follow upstream', () => {
    const upstream = capturedPatches('hollow-node-v1.36.3.ndjson', 'web-847f49cc4d-vqzds');
    const { pod } = machineOf(boundPod());
    const hollow = { form: wireForm('kubemark', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };
    const body = statusPatch(POD_UID, boundPod().status ?? {}, buildStatus(pod, boundPod(), hollow));
    const first = JSON.parse(body ?? '{}') as { status: { conditions: Json[]; containerStatuses: Json[] } };
    const theirs = upstream[0] as unknown as typeof first;
    const states = (conditions: Json[]) =>
      conditions.map(({ type, status, reason }) => [type, status, reason]);
    expect(states(first.status.conditions)).toEqual(states(theirs.status.conditions));
    expect(Object.keys(first.status.containerStatuses[0] ?? {})).toEqual(
      Object.keys(theirs.status.containerStatuses[0] ?? {}),
    );
    expect(first.status.containerStatuses[0]?.['ready']).toBe(true);
  });
});

describe('status patches of a pod with an init container that does not end', () => {
  const captured = capturedPatches('real-kubelet-v1.36.3.ndjson', 'mixed');

  it('are the same as a real kubelet sends', () => {
    const token = {
      name: 'kube-api-access-56lfh',
      readOnly: true,
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    };
    const mixed = boundPod((pod) => {
      const main = pod.spec.containers?.[0];
      pod.spec.initContainers = [
        { name: 'init', image: 'registry.k8s.io/pause:3.10', resources: {}, volumeMounts: [token] },
      ];
      if (main === undefined) return;
      main.name = 'c';
      main.volumeMounts = [{ name: 'v', mountPath: '/v' }, { name: 's', mountPath: '/s' }, token];
    });
    const { pod } = machineOf(mixed);
    pod.podIp = '10.88.0.12';
    let server = mixed;
    const patches: (Json | undefined)[] = [];
    for (const ms of [0, 1_500, 1_700]) {
      tickPod(pod, at(ms));
      const written = write(pod, server);
      patches.push(written.patch);
      server = written.server;
    }
    const ours = patches.map((patch) => ({
      ...patch,
      metadata: { uid: '632416d9-2d93-4520-8f0e-71cb6d2f370e' },
    }));
    expect(ours.map(normalised)).toEqual(captured.map(normalised));
  });
});

describe('what the server has', () => {
  it('keeps a terminal phase, whatever the kubelet would say', () => {
    const body = statusPatch('u', { phase: 'Failed' }, { phase: 'Running', podIP: '10.0.0.1' });
    expect(JSON.parse(body ?? '')).toEqual({ metadata: { uid: 'u' }, status: { podIP: '10.0.0.1' } });
  });

  it('keeps conditions of others, first and untouched', () => {
    const gated = boundPod((pod) => {
      pod.status.conditions?.unshift({ type: 'example.com/gate', status: 'True' });
    });
    const { pod } = machineOf(gated);
    const { patch } = write(pod, gated);
    const status = patch?.['status'] as { conditions: Json[]; '$setElementOrder/conditions': Json[] };
    expect(status['$setElementOrder/conditions'][0]).toEqual({ type: 'example.com/gate' });
    expect(status.conditions.map(({ type }) => type)).not.toContain('example.com/gate');
  });
});
