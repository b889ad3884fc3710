/**
 * The scenarios, in the order in which they are played.
 */
import { LIVES } from './lives.ts';
import { container, deployment, pod, podSpec, type Scenario } from './scenario.ts';

export const REGISTRATION: Scenario = {
  name: 'registration',
  title: 'a node starts, registers, becomes Ready and takes out its lease',
  scope: 'window',
  steps: [],
};

export const IDLE: Scenario = {
  name: 'idle',
  title: 'nothing happens for three lease periods',
  scope: 'window',
  steps: [{ step: 'wait', ms: 32_000 }],
};

export const RESTART: Scenario = {
  name: 'api-server-restart',
  title: 'the API server ends and comes back',
  scope: 'window',
  steps: [],
};

const DEPLOYMENT: Scenario = {
  name: 'deployment',
  title: 'a Deployment of two pods comes up, grows to three, shrinks to one and is deleted',
  scope: 'namespace',
  steps: [
    { step: 'create', objects: [deployment('web', 2, podSpec([container('main')]))] },
    { step: 'await', app: 'web', pods: 'ready', count: 2 },
    { step: 'scale', deployment: 'web', replicas: 3 },
    { step: 'await', app: 'web', pods: 'ready', count: 3 },
    { step: 'scale', deployment: 'web', replicas: 1 },
    { step: 'await', app: 'web', pods: 'ready', count: 1 },
    { step: 'delete', kind: 'Deployment', name: 'web' },
    { step: 'await', app: 'web', pods: 'gone', count: 0 },
  ],
};

const OBJECTS: Scenario = {
  name: 'objects',
  title: 'a pod with a ConfigMap and a Secret as volumes and variables, and a projected token of an audience',
  scope: 'namespace',
  steps: [
    {
      step: 'create',
      objects: [
        { kind: 'ConfigMap', metadata: { name: 'settings' }, data: { level: 'high' } },
        { kind: 'Secret', metadata: { name: 'password' }, stringData: { word: 'sesame' } },
        {
          kind: 'ConfigMap',
          metadata: { name: 'frozen' },
          data: { level: 'low' },
          immutable: true,
        },
        pod(
          'mounts',
          podSpec(
            [
              container('main', {
                env: [{ name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } }],
                envFrom: [{ secretRef: { name: 'password' } }],
                volumeMounts: [
                  { name: 'settings', mountPath: '/settings' },
                  { name: 'password', mountPath: '/password' },
                  { name: 'frozen', mountPath: '/frozen' },
                  { name: 'token', mountPath: '/token' },
                  { name: 'scratch', mountPath: '/scratch' },
                ],
              }),
            ],
            {
              volumes: [
                { name: 'settings', configMap: { name: 'settings' } },
                { name: 'password', secret: { secretName: 'password' } },
                { name: 'frozen', configMap: { name: 'frozen' } },
                { name: 'scratch', emptyDir: {} },
                {
                  name: 'token',
                  projected: {
                    sources: [
                      { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7_200 } },
                    ],
                  },
                },
              ],
            },
          ),
        ),
      ],
    },
    { step: 'await', app: 'mounts', pods: 'ready', count: 1 },
    { step: 'delete', kind: 'Pod', name: 'mounts' },
    { step: 'await', app: 'mounts', pods: 'gone', count: 0 },
  ],
};

const SERVICE: Scenario = {
  name: 'service',
  title: 'a Service gets its endpoints, loses one and is deleted',
  scope: 'namespace',
  steps: [
    {
      step: 'create',
      objects: [
        deployment('back', 2, podSpec([container('main', { ports: [{ containerPort: 8080 }] })])),
        {
          kind: 'Service',
          metadata: { name: 'back' },
          spec: { selector: { app: 'back' }, ports: [{ port: 80, targetPort: 8080 }] },
        },
      ],
    },
    { step: 'endpoints', service: 'back', count: 2 },
    { step: 'scale', deployment: 'back', replicas: 1 },
    { step: 'endpoints', service: 'back', count: 1 },
    { step: 'delete', kind: 'Service', name: 'back' },
    { step: 'delete', kind: 'Deployment', name: 'back' },
    { step: 'await', app: 'back', pods: 'gone', count: 0 },
  ],
};

const DRAIN: Scenario = {
  name: 'drain',
  title: 'the node is cordoned, its pods are evicted by the Eviction API, and it is uncordoned',
  scope: 'namespace',
  steps: [
    { step: 'create', objects: [deployment('leaving', 2, podSpec([container('main')]))] },
    { step: 'await', app: 'leaving', pods: 'ready', count: 2 },
    { step: 'cordon', unschedulable: true },
    { step: 'evict', app: 'leaving' },
    // Two that were evicted are gone; their replacements wait for a node.
    { step: 'await', app: 'leaving', pods: 'ready', count: 0 },
    { step: 'delete', kind: 'Deployment', name: 'leaving' },
    { step: 'await', app: 'leaving', pods: 'gone', count: 0 },
    { step: 'cordon', unschedulable: false },
  ],
};

/** Played one after the other by each player, all players at the same time. */
export const POD_SCENARIOS: readonly Scenario[] = [DEPLOYMENT, OBJECTS, SERVICE, DRAIN, LIVES];

/** Everything that is played. */
export const SCENARIOS: readonly Scenario[] = [REGISTRATION, IDLE, ...POD_SCENARIOS, RESTART];
