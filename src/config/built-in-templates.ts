/**
 * Templates that a suite can name instead of writing a manifest. Their pods ask for little, have no probes and no
 * volumes, count as stateless, and are admitted by Pod Security's `restricted` level.
 */

export interface TemplateSettings {
  /** Pods of one object, where it makes several. */
  replicas: number;
  /** Length of what a ConfigMap or Secret holds. */
  dataBytes: number;
}

interface BuiltInTemplate {
  /** A few words for the reference page. */
  description: string;
  /** The key of the suite that means something here. */
  setting?: 'replicas' | 'size';
  manifest(settings: TemplateSettings): Record<string, unknown>;
}

export const DEFAULT_REPLICAS = 1;
/** As ClusterLoader2's load test: small, since most are. */
export const DEFAULT_DATA_BYTES = 1_024;

/** The image that the pause container of a real node runs; hollow nodes pull nothing. */
const IMAGE = 'registry.k8s.io/pause:3.10';
/**
 * A deletion goes the graceful way (the kubelet stops the containers and then removes the pod), and no pod lingers:
 * one second is longer than a hollow container takes to stop by default, and it is what ClusterLoader2's own load
 * test gives its pods.
 */
const GRACE_PERIOD_SECONDS = 1;
const LABELS = { app: '${name}' } as const;

export const BUILT_IN_TEMPLATES: Readonly<Record<TemplateName, BuiltInTemplate>> = {
  pod: {
    description: 'a bare pod',
    manifest: () => ({ apiVersion: 'v1', kind: 'Pod', metadata: labelled(), spec: podSpec() }),
  },
  deployment: {
    description: 'a Deployment of `replicas` such pods',
    setting: 'replicas',
    manifest: ({ replicas }) => workload('Deployment', { replicas }),
  },
  statefulset: {
    description: 'a StatefulSet of `replicas` such pods without volumes, started side by side',
    setting: 'replicas',
    manifest: ({ replicas }) =>
      workload('StatefulSet', { replicas, serviceName: '${name}', podManagementPolicy: 'Parallel' }),
  },
  daemonset: {
    description: 'a DaemonSet: one such pod on each node',
    manifest: () => workload('DaemonSet', {}),
  },
  job: {
    description: 'a Job of `replicas` such pods side by side, which run until it is deleted',
    setting: 'replicas',
    manifest: ({ replicas }) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: labelled(),
      spec: {
        parallelism: replicas,
        completions: replicas,
        template: { metadata: { labels: LABELS }, spec: { ...podSpec(), restartPolicy: 'Never' } },
      },
    }),
  },
  service: {
    description: 'a Service for the pods of the same name',
    manifest: () => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: labelled(),
      spec: { selector: LABELS, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    }),
  },
  configmap: {
    description: 'a ConfigMap with `size` bytes of data',
    setting: 'size',
    manifest: ({ dataBytes }) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: labelled(),
      data: { payload: 'x'.repeat(dataBytes) },
    }),
  },
  secret: {
    description: 'a Secret with `size` bytes of data',
    setting: 'size',
    manifest: ({ dataBytes }) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: labelled(),
      stringData: { payload: 'x'.repeat(dataBytes) },
    }),
  },
  namespace: {
    description: 'an empty Namespace',
    manifest: () => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: '${name}', labels: LABELS } }),
  },
};

export type TemplateName =
  | 'pod'
  | 'deployment'
  | 'statefulset'
  | 'daemonset'
  | 'job'
  | 'service'
  | 'configmap'
  | 'secret'
  | 'namespace';

function labelled(): Record<string, unknown> {
  return { name: '${name}', namespace: '${namespace}', labels: LABELS };
}

function workload(kind: string, settings: Record<string, unknown>): Record<string, unknown> {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: labelled(),
    spec: {
      ...settings,
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: podSpec() },
    },
  };
}

function podSpec(): Record<string, unknown> {
  return {
    containers: [
      {
        name: 'main',
        image: IMAGE,
        resources: { requests: { cpu: '10m', memory: '16Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
      },
    ],
    securityContext: { runAsNonRoot: true, runAsUser: 65_535, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: GRACE_PERIOD_SECONDS,
  };
}
