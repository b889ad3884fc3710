/**
 * Templates that a suite can name instead of writing a manifest. Their pods ask for little, have no probes and no
 * volumes, count as stateless, and are admitted by Pod Security's `restricted` level.
 */

export interface TemplateSettings {
  /** Pods of one object, where it makes several. */
  replicas: number;
}

interface BuiltInTemplate {
  /** A few words for the reference page. */
  description: string;
  /** Whether `replicas` means anything. */
  replicated: boolean;
  manifest(settings: TemplateSettings): Record<string, unknown>;
}

/** The image that the pause container of a real node runs; hollow nodes pull nothing. */
const IMAGE = 'registry.k8s.io/pause:3.10';
/**
 * A deletion goes the graceful way (the kubelet stops the containers and then removes the pod), and no pod lingers:
 * one second is longer than a hollow container takes to stop by default, and it is what ClusterLoader2's own load
 * test gives its pods.
 */
const GRACE_PERIOD_SECONDS = 1;

export const BUILT_IN_TEMPLATES = {
  pod: {
    description: 'a bare pod',
    replicated: false,
    manifest: () => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: '${name}', namespace: '${namespace}', labels: { app: '${name}' } },
      spec: podSpec(),
    }),
  },
  deployment: {
    description: 'a Deployment of `replicas` such pods',
    replicated: true,
    manifest: ({ replicas }) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: '${name}', namespace: '${namespace}', labels: { app: '${name}' } },
      spec: {
        replicas,
        selector: { matchLabels: { app: '${name}' } },
        template: { metadata: { labels: { app: '${name}' } }, spec: podSpec() },
      },
    }),
  },
} as const satisfies Record<string, BuiltInTemplate>;

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
