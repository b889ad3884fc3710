/**
 * The suite's `controlPlane` section.
 */
import { z } from 'zod';
import { DEFAULT_KUBERNETES_VERSION } from './defaults.ts';
import { choice, flag } from './quantities.ts';
import { topologySchema } from './schema-topology.ts';
import type { ControlPlaneSettings } from './suite.ts';

/** Components of the local provider whose flags a suite may set. */
export const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** Settings that only a control plane started by hollowmark can have. */
export const LOCAL_ONLY_KEYS = ['version', 'profile', 'flags', 'eventsEtcd', 'topology'] as const;

const flagValue = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected the value of a flag' })
  .transform(String);

const componentFlags = z.record(
  z.string().regex(/^[a-z][a-z0-9-]*$/, { error: 'expected the name of a flag without its dashes' }),
  flagValue,
);

export const controlPlaneSchema = z
  .strictObject({
    provider: choice(['local', 'kubeconfig'])
      .default('local')
      .describe(
        '`local` starts real binaries on 127.0.0.1; `kubeconfig` attaches to the cluster that `--kubeconfig` names, which also needs `--allow-cluster`.',
      ),
    version: z
      .string({ error: 'expected a version such as v1.36.3' })
      .regex(/^v1\.\d+\.\d+$/, { error: 'expected a version such as v1.36.3' })
      .default(DEFAULT_KUBERNETES_VERSION)
      .describe('Kubernetes version. Local provider only.'),
    profile: choice(['production-like', 'fast'])
      .default('production-like')
      .describe(
        '`production-like`: upstream defaults, fsync on. `fast`: etcd without fsync and no client limits in the controller manager and the scheduler; never compared with the other. Local provider only.',
      ),
    flags: z
      .partialRecord(z.enum(COMPONENTS), componentFlags)
      .prefault({})
      .describe(
        'Extra flags by component, names without dashes: `{ kube-apiserver: { max-requests-inflight: 800 } }`. Local provider only.',
      ),
    eventsEtcd: flag()
      .default(false)
      .describe('A separate etcd for events, as the official SLOs assume. Local provider only.'),
    topology: topologySchema
      .prefault({})
      .describe('How many members of each component there are, and where. Local provider only.'),
  })
  .transform(
    (section): ControlPlaneSettings => ({
      provider: section.provider,
      version: section.version,
      profile: section.profile,
      flags: Object.fromEntries(
        Object.entries(section.flags).flatMap(([component, flags]) => (flags ? [[component, flags]] : [])),
      ),
      eventsEtcd: section.eventsEtcd,
      topology: section.topology,
    }),
  );
