import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  containerPlane,
  DEFAULT_ETCD_VERSION,
  DEFAULT_KUBERNETES_VERSION,
} from '../../../src/controlplane/index.ts';
import { shapePlane } from '../../../src/controlplane/topology/shape.ts';
import { packageRoot } from '../../../src/core/index.ts';

interface Service {
  image: string;
  entrypoint?: string[];
  command?: string[];
  network_mode?: string;
  ports?: string[];
}

const compose: { services: Record<string, Service> } = parse(
  readFileSync(join(packageRoot(), 'docker-compose.yml'), 'utf8'),
  { merge: true },
);

/** Paths, ports and addresses are what may differ between a container and this machine. */
function normalise(args: readonly string[] | undefined): string[] {
  return (args ?? [])
    .map((arg) =>
      arg
        .replace(/\/(?:hollowmark|run\/plane)\//g, 'DIR/')
        .replace(/(127\.0\.0\.1|0\.0\.0\.0)(?=:|$)/g, 'ADDRESS')
        .replace(/ADDRESS:\d+/g, 'ADDRESS:PORT')
        .replace(/(?<=^--secure-port=)\d+$/, 'PORT')
        .replace(/(?<=^--initial-cluster-token=).*/, 'TOKEN'),
    )
    .sort();
}

describe('docker-compose.yml', () => {
  const local = shapePlane({
    directory: '/run/plane',
    profile: 'production-like',
    flags: {},
    ports: {
      apiservers: [20_000],
      controllerManagers: [20_001],
      schedulers: [20_002],
      etcd: [{ client: 20_003, peer: 20_004 }],
      eventsEtcd: [],
    },
  });

  it.each(local.stages.flat().map((instance) => [instance.component, instance] as const))(
    'gives %s the flags of the local provider, paths, ports and addresses apart',
    (component, instance) => {
      const service = compose.services[component];
      expect(service?.entrypoint).toEqual([component]);
      expect(normalise(service?.command)).toEqual(normalise(instance.args));
    },
  );

  it('uses exactly the paths and ports that `up --write-pki` and the volumes provide', () => {
    for (const instance of containerPlane('production-like').stages.flat())
      expect(compose.services[instance.component]?.command).toEqual(instance.args);
  });

  it('runs no component that the local provider does not have, but the one that holds the network', () => {
    const components = local.stages.flat().map(({ component }) => component);
    expect(Object.keys(compose.services).sort()).toEqual([...components, 'network'].sort());
  });

  it('keeps every component in one network namespace and publishes the API server on 127.0.0.1 only', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      if (name === 'network') expect(service.ports).toEqual(['127.0.0.1:6443:6443']);
      else expect(service).toMatchObject({ network_mode: 'service:network' });
      if (name !== 'network') expect(service.ports).toBeUndefined();
    }
  });

  it('names images of the versions that the local provider starts', () => {
    expect(compose.services['etcd']?.image).toMatch(new RegExp(`:${DEFAULT_ETCD_VERSION}$`));
    expect(compose.services['kube-apiserver']?.image).toBe(
      `registry.k8s.io/kube-apiserver:${DEFAULT_KUBERNETES_VERSION}`,
    );
  });
});
