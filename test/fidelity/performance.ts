/**
 * One performance: the cluster, its players, every scenario, and at the end what the logs say that each player asked for.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BinarySet, FIDELITY_PROGRAMS, resolveBinaries } from '../../src/controlplane/index.ts';
import { PortReservation } from '../../src/controlplane/ports.ts';
import { systemClock } from '../../src/core/index.ts';
import { conditionTrue } from '../helpers/cluster-admin.ts';
import { until } from '../helpers/until.ts';
import { type Bindings, type PlayerRequest, readRequests } from './audit/requests.ts';
import { AuditedPlane } from './cluster/plane.ts';
import { hollowmarkPlayer } from './players/hollowmark.ts';
import { kubemarkPlayer } from './players/kubemark.ts';
import type { Player, PlayerContext, PlayerName } from './players/player.ts';
import { realKubeletPlayer } from './players/real-kubelet.ts';
import { IDLE, POD_SCENARIOS, REGISTRATION, RESTART, SCENARIOS } from './scenarios/catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { namespaceOf, playScenario, prepareNamespace } from './scenarios/stage.ts';

/** What one player asked for in one scenario, in order. */
export interface Act {
  readonly scenario: Scenario;
  readonly player: Player;
  readonly requests: readonly PlayerRequest[];
  readonly durationMs: number;
}

export interface Performance {
  readonly acts: readonly Act[];
  readonly bindings: Bindings;
  readonly kubernetesVersion: string;
}

/** After the API server is back: long enough for every back-off and the next leases. */
const AFTER_RESTART_MS = 25_000;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** Plays everything with these players, in a folder that is left to the caller. */
export async function perform(directory: string, names: readonly PlayerName[]): Promise<Performance> {
  const programs = await fidelityPrograms();
  const plane = await AuditedPlane.start(directory);
  const ports = new PortReservation();
  const players = names.map((name) => {
    const own = join(directory, name);
    mkdirSync(own, { recursive: true });
    return makePlayer(name, { plane, ports, programs, directory: own });
  });
  const windows = new Map<Scenario, { fromMs: number; toMs: number }>();
  const during = async (scenario: Scenario, play: () => Promise<unknown>) => {
    const fromMs = Date.now();
    await play();
    windows.set(scenario, { fromMs, toMs: Date.now() });
  };
  try {
    await prepareCluster(plane, players);
    await during(REGISTRATION, async () => {
      await Promise.all(players.map((player) => player.start()));
      await Promise.all(players.map((player) => registered(plane, player)));
    });
    await during(IDLE, () => sleep(idleMs()));
    const played = players.map(async (player) => {
      for (const scenario of POD_SCENARIOS.filter((one) => isPlayedBy(one, player))) {
        await playScenario(plane.admin, scenario, player);
      }
    });
    await Promise.all(played);
    await during(RESTART, async () => {
      await plane.restartApiServer();
      await sleep(AFTER_RESTART_MS);
      await Promise.all(players.map((player) => ready(plane, player)));
    });
    for (const player of players) await player.stop();
    // The request log has a line for a watch only once it has ended.
    await sleep(1_000);
  } finally {
    for (const player of players) await player.stop();
    await plane.stop();
    ports[Symbol.dispose]();
  }
  const { requests, bindings } = readRequests(plane, players);
  const acts = players.flatMap((player) =>
    SCENARIOS.filter((scenario) => isPlayedBy(scenario, player)).map((scenario): Act => {
      const own = requests.get(player.name) ?? [];
      const window = windows.get(scenario);
      const isIn =
        scenario.scope === 'namespace'
          ? (request: PlayerRequest) =>
              request.namespace === namespaceOf(scenario, player) || isNodeEventOf(request, scenario)
          : (request: PlayerRequest) =>
              window !== undefined &&
              request.atMs >= window.fromMs &&
              request.atMs < window.toMs &&
              !isOfPods(request, player) &&
              !POD_SCENARIOS.some((one) => isNodeEventOf(request, one));
      const durationMs = window === undefined ? 0 : window.toMs - window.fromMs;
      return { scenario, player, requests: own.filter(isIn), durationMs };
    }),
  );
  return { acts, bindings, kubernetesVersion: plane.plane.kubernetesVersion };
}

/** Programs of the upstream players, built if they are not there. */
async function fidelityPrograms(): Promise<Readonly<Record<'kubelet' | 'kubemark', string>>> {
  const { paths }: BinarySet = await resolveBinaries(
    { programs: FIDELITY_PROGRAMS, routes: ['go-build'] },
    { env: process.env, signal: new AbortController().signal, clock: systemClock, progress: () => {} },
  );
  const { kubelet, kubemark } = paths;
  if (kubelet === undefined || kubemark === undefined) throw new Error('kubelet or kubemark is missing');
  return { kubelet, kubemark };
}

function makePlayer(name: PlayerName, context: PlayerContext): Player {
  if (name === 'kubelet') return realKubeletPlayer(context, 'real-1');
  if (name === 'kubemark') return kubemarkPlayer(context, 'kubemark-1');
  return hollowmarkPlayer(
    context,
    name === 'compat' ? 'compat-' : 'ours-',
    name === 'compat' ? 'kubemark' : 'none',
  );
}

/** What a cluster has before nodes come: the kube-proxy's identity, and the namespaces of the scenarios. */
async function prepareCluster(plane: AuditedPlane, players: readonly Player[]): Promise<void> {
  const { admin } = plane;
  await admin.create('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'kube-proxy' } });
  await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'fidelity:node-proxier' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
    subjects: [{ kind: 'ServiceAccount', name: 'kube-proxy', namespace: 'kube-system' }],
  });
  const namespaces = players.flatMap((player) =>
    POD_SCENARIOS.filter((one) => isPlayedBy(one, player)).map((one) => namespaceOf(one, player)),
  );
  await Promise.all(namespaces.map((namespace) => prepareNamespace(admin, namespace)));
}

async function registered(plane: AuditedPlane, player: Player): Promise<void> {
  await ready(plane, player);
  const path = `${LEASES}/${player.nodeName}`;
  await until(async () => (await plane.admin.find(path)) !== undefined, `the lease of ${player.nodeName}`);
}

async function ready(plane: AuditedPlane, player: Player): Promise<void> {
  const path = `/api/v1/nodes/${player.nodeName}`;
  await until(
    async () => conditionTrue(await plane.admin.find(path), 'Ready'),
    `${player.nodeName} to be Ready`,
  );
}

function isPlayedBy(scenario: Scenario, player: Player): boolean {
  return scenario.players === undefined || scenario.players.includes(player.name);
}

function isNodeEventOf({ resource, body }: PlayerRequest, { nodeEvents = [] }: Scenario): boolean {
  if (resource !== 'events') return false;
  const { involvedObject, reason } = body as { involvedObject?: { kind?: string }; reason?: string };
  return involvedObject?.kind === 'Node' && nodeEvents.includes(reason ?? '');
}

function isOfPods(request: PlayerRequest, player: Player): boolean {
  return POD_SCENARIOS.some((scenario) => request.namespace === namespaceOf(scenario, player));
}

function idleMs(): number {
  return IDLE.steps.reduce((sum, step) => sum + (step.step === 'wait' ? step.ms : 0), 0);
}
