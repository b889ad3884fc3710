/**
 * The scenarios, in the order in which they are played.
 */
import { LIVES } from './lives.ts';
import { container, deployment, type Manifest, pod, podSpec, type Scenario, type Step } from './scenario.ts';
import { clear, create, inNamespace, inWindow, pods, scaleTo } from './steps.ts';

export const REGISTRATION = inWindow(
  'registration',
  'a node starts, registers, becomes Ready and takes out its lease',
);

export const IDLE = inWindow('idle', 'nothing happens for three lease periods', { step: 'wait', ms: 32_000 });

export const RESTART = inWindow('api-server-restart', 'the API server ends and comes back');

const PAUSE = podSpec([container('main')]);

const DEPLOYMENT = inNamespace(
  'deployment',
  'a Deployment of two pods comes up, grows to three, shrinks to one and is deleted',
  [
    create(deployment('web', 2, PAUSE)),
    pods('web', 'ready', 2),
    ...scaleTo('web', 3),
    ...scaleTo('web', 1),
    ...clear(['Deployment', 'web']),
  ],
);

/** What the pod `mounts` mounts, each at `/NAME`. */
const VOLUMES = [
  { name: 'settings', configMap: { name: 'settings' } },
  { name: 'password', secret: { secretName: 'password' } },
  { name: 'frozen', configMap: { name: 'frozen' } },
  { name: 'scratch', emptyDir: {} },
  {
    name: 'token',
    projected: {
      sources: [{ serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7_200 } }],
    },
  },
];

const MOUNTS = pod(
  'mounts',
  podSpec(
    [
      container('main', {
        env: [{ name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } }],
        envFrom: [{ secretRef: { name: 'password' } }],
        volumeMounts: VOLUMES.map(({ name }) => ({ name, mountPath: `/${name}` })),
      }),
    ],
    { volumes: VOLUMES },
  ),
);

const OBJECTS = inNamespace(
  'objects',
  'a pod with a ConfigMap and a Secret as volumes and variables, and a projected token of an audience',
  [
    create(
      configMap('settings', { data: { level: 'high' } }),
      { kind: 'Secret', metadata: { name: 'password' }, stringData: { word: 'sesame' } },
      configMap('frozen', { data: { level: 'low' }, immutable: true }),
      MOUNTS,
    ),
    pods('mounts', 'ready', 1),
    ...clear(['Pod', 'mounts']),
  ],
);

const SERVICE = inNamespace('service', 'a Service gets its endpoints, loses one and is deleted', [
  create(deployment('back', 2, podSpec([container('main', { ports: [{ containerPort: 8080 }] })])), {
    kind: 'Service',
    metadata: { name: 'back' },
    spec: { selector: { app: 'back' }, ports: [{ port: 80, targetPort: 8080 }] },
  }),
  { step: 'endpoints', service: 'back', count: 2 },
  { step: 'scale', deployment: 'back', replicas: 1 },
  { step: 'endpoints', service: 'back', count: 1 },
  { step: 'delete', kind: 'Service', name: 'back' },
  ...clear(['Deployment', 'back']),
]);

/** A kubelet looks once in 10.0-10.4 s whether it was cordoned. */
const NODE_STATUS_TICK: Step = { step: 'wait', ms: 11_500 };

const DRAIN: Scenario = {
  ...inNamespace(
    'drain',
    'the node is cordoned, its pods are evicted by the Eviction API, and it is uncordoned',
    [
      create(deployment('leaving', 2, PAUSE)),
      pods('leaving', 'ready', 2),
      { step: 'cordon', unschedulable: true },
      { step: 'evict', app: 'leaving' },
      // Two that were evicted are gone; their replacements wait for a node.
      pods('leaving', 'ready', 0),
      ...clear(['Deployment', 'leaving']),
      NODE_STATUS_TICK,
      { step: 'cordon', unschedulable: false },
      NODE_STATUS_TICK,
    ],
  ),
  nodeEvents: ['NodeNotSchedulable', 'NodeSchedulable'],
};

/** Played one after the other by each player, all players at the same time. */
export const POD_SCENARIOS: readonly Scenario[] = [DEPLOYMENT, OBJECTS, SERVICE, DRAIN, LIVES];

/** Everything that is played. */
export const SCENARIOS: readonly Scenario[] = [REGISTRATION, IDLE, ...POD_SCENARIOS, RESTART];

function configMap(name: string, rest: object): Manifest {
  return { kind: 'ConfigMap', metadata: { name }, ...rest };
}
