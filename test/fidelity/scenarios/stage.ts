/**
 * Carries out the steps of a scenario for one player.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiObject, type ClusterAdmin, conditionTrue } from '../../helpers/cluster-admin.ts';
import { until } from '../../helpers/until.ts';
import type { Player } from '../players/player.ts';
import type { Manifest, PodCondition, Scenario, Step } from './scenario.ts';

const GROUPS: Readonly<Record<Manifest['kind'], string>> = {
  Pod: '/api/v1',
  ConfigMap: '/api/v1',
  Secret: '/api/v1',
  Service: '/api/v1',
  Deployment: '/apis/apps/v1',
  Job: '/apis/batch/v1',
};

export function namespaceOf(scenario: Scenario, player: Player): string {
  return `${scenario.name}-${player.name}`;
}

/** Makes the namespace and waits for what pods in it need: its ServiceAccount and its root certificate. */
export async function prepareNamespace(admin: ClusterAdmin, namespace: string): Promise<void> {
  await admin.create('/api/v1/namespaces', { metadata: { name: namespace } });
  const needed = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'];
  for (const path of needed) {
    await until(
      async () => (await admin.find(`/api/v1/namespaces/${namespace}/${path}`)) !== undefined,
      `${path} in ${namespace}`,
    );
  }
}

/** Plays the whole scenario. @throws Error that names player and step */
export async function playScenario(admin: ClusterAdmin, scenario: Scenario, player: Player): Promise<void> {
  const stage = new Stage(admin, player, namespaceOf(scenario, player));
  for (const step of scenario.steps) {
    try {
      await stage.take(step);
    } catch (cause) {
      const where = `${scenario.name} with ${player.name}, step ${step.step}`;
      throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
}

class Stage {
  readonly #admin: ClusterAdmin;
  readonly #player: Player;
  readonly #namespace: string;

  constructor(admin: ClusterAdmin, player: Player, namespace: string) {
    this.#admin = admin;
    this.#player = player;
    this.#namespace = namespace;
  }

  async take(step: Step): Promise<void> {
    const admin = this.#admin;
    if (step.step === 'wait') await sleep(step.ms);
    else if (step.step === 'create') for (const object of step.objects) await this.#create(object);
    else if (step.step === 'scale') {
      await admin.merge(this.#path('Deployment', step.deployment), { spec: { replicas: step.replicas } });
    } else if (step.step === 'delete') await admin.delete(this.#path(step.kind, step.name));
    else if (step.step === 'await') await this.#await(step.app, step.pods, step.count);
    else if (step.step === 'restarted') await this.#restarted(step.app, step.count);
    else if (step.step === 'endpoints') await this.#endpoints(step.service, step.count);
    else if (step.step === 'evict') await this.#evict(step.app);
    else {
      const { unschedulable } = step;
      await admin.merge(`/api/v1/nodes/${this.#player.nodeName}`, { spec: { unschedulable } });
    }
  }

  #create(manifest: Manifest): Promise<void> {
    const text = JSON.stringify(manifest).replaceAll('"NODE"', JSON.stringify(this.#player.nodeName));
    const apiVersion = GROUPS[manifest.kind].replace(/^\/apis?\//, '');
    return this.#admin.create(this.#path(manifest.kind), { apiVersion, ...(JSON.parse(text) as object) });
  }

  async #await(app: string, wanted: PodCondition, count: number): Promise<void> {
    let last: ApiObject[] = [];
    const done = async () => {
      last = await this.#pods(app);
      return (
        last.filter((one) => isAs(one, wanted)).length === count && (wanted !== 'gone' || last.length === 0)
      );
    };
    await until(done, `${count} pods of ${app} to be ${wanted}`).catch((error: Error) => {
      const states = last.map(({ metadata, status }) => `${metadata.name} ${JSON.stringify(status)}`);
      throw new Error(`${error.message}; there were: ${states.join('\n')}`);
    });
  }

  async #restarted(app: string, count: number): Promise<void> {
    await until(async () => {
      const pods = await this.#pods(app);
      return pods.some(({ status }) => status?.containerStatuses?.some((one) => one.restartCount >= count));
    }, `${count} restarts in a pod of ${app}`);
  }

  async #endpoints(service: string, count: number): Promise<void> {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${this.#namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${service}`;
    await until(async () => {
      const slices = await this.#admin.list(path);
      const endpoints = slices.flatMap(
        (slice) => (slice['endpoints'] ?? []) as { conditions?: { ready?: boolean } }[],
      );
      return endpoints.filter(({ conditions }) => conditions?.ready === true).length === count;
    }, `${count} endpoints of ${service}`);
  }

  async #evict(app: string): Promise<void> {
    for (const { metadata } of await this.#pods(app)) {
      const status = await this.#admin.evict(this.#path('Pod', metadata.name));
      if (status >= 300) throw new Error(`the eviction of ${metadata.name} was answered with ${status}`);
    }
  }

  #pods(app: string): Promise<ApiObject[]> {
    return this.#admin.list(`${this.#path('Pod')}?labelSelector=app%3D${app}`);
  }

  #path(kind: Manifest['kind'], name?: string): string {
    const folder = `${GROUPS[kind]}/namespaces/${this.#namespace}/${kind.toLowerCase()}s`;
    return name === undefined ? folder : `${folder}/${name}`;
  }
}

function isAs(pod: ApiObject, wanted: PodCondition): boolean {
  // Upstream's hollow node calls pods Ready before they run.
  if (wanted === 'ready') return conditionTrue(pod, 'Ready') && pod.status?.phase === 'Running';
  if (wanted === 'gone') return false;
  return pod.status?.phase === (wanted === 'succeeded' ? 'Succeeded' : 'Failed');
}
