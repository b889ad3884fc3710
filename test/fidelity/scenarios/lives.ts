/**
 * Pods that do more than start and stay: what upstream's hollow node cannot play. The real kubelet's containers run the
 * command, hollow ones are told the same by annotation.
 */
import { container, type Manifest, pod, podSpec, type Scenario } from './scenario.ts';
import { clear, create, pods } from './steps.ts';

const PORT = 8_080;
const run = (...args: string[]) => ({ command: ['/pause', ...args] });
const serve = (unreadySeconds: number, healthySeconds: number) =>
  run('serve', String(PORT), String(unreadySeconds), String(healthySeconds));
const probe = (rest: object = {}) => ({ httpGet: { path: '/', port: PORT }, periodSeconds: 1, ...rest });
const does = (settings: Record<string, string>) =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [`hollowmark.dev/${key}`, value]));

/** Init containers end well after a moment; a sidecar outlives the main container. */
const INITIALISED = pod(
  'initialised',
  podSpec([container('main')], {
    initContainers: [
      container('first', run('exit', '0.2', '0')),
      container('sidecar', { restartPolicy: 'Always' }),
      container('second', run('exit', '0.2', '0')),
    ],
  }),
);

const PROBED = pod(
  'probed',
  podSpec([container('main', { ...serve(3, 0), readinessProbe: probe() })]),
  does({ ready: '3s' }),
);

const SLOW = pod(
  'slow',
  podSpec([container('main', { ...serve(3, 0), startupProbe: probe({ failureThreshold: 30 }) })]),
  does({ started: '3s' }),
);

const SICK = pod(
  'sick',
  podSpec([container('main', { ...serve(0, 4), livenessProbe: probe({ failureThreshold: 1 }) })]),
  does({ hang: '4s' }),
);

const CRASHING = pod(
  'crashing',
  podSpec([container('main', run('exit', '1', '1'))]),
  does({ run: '1s', 'exit-code': '1' }),
);

const FAILING = pod(
  'failing',
  podSpec([container('main', run('exit', '1', '3'))], { restartPolicy: 'Never' }),
  does({ run: '1s', 'exit-code': '3' }),
);

const COMPLETING: Manifest = {
  kind: 'Job',
  metadata: { name: 'completing' },
  spec: {
    completions: 2,
    parallelism: 2,
    template: {
      metadata: { labels: { app: 'completing' }, annotations: does({ run: '1s' }) },
      spec: podSpec([container('main', run('exit', '1', '0'))], { restartPolicy: 'Never' }),
    },
  },
};

const PODS = [INITIALISED, PROBED, SLOW, SICK, CRASHING, FAILING];

export const LIVES: Scenario = {
  name: 'lives',
  title:
    'init and sidecar containers, readiness, startup and liveness probes, a Job that completes, a pod that fails, a crash loop',
  scope: 'namespace',
  players: ['kubelet', 'hollowmark'],
  steps: [
    create(...PODS, COMPLETING),
    pods('initialised', 'ready', 1),
    pods('probed', 'ready', 1),
    pods('slow', 'ready', 1),
    pods('completing', 'succeeded', 2),
    pods('failing', 'failed', 1),
    { step: 'restarted', app: 'sick', count: 1 },
    { step: 'restarted', app: 'crashing', count: 2 },
    ...clear(...PODS.map(({ metadata }) => ['Pod', metadata.name] as const), ['Job', 'completing']),
  ],
};
