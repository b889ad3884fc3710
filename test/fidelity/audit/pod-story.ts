/**
 * The story of one pod as its kubelet tells it: what each status patch changed, in order, and the final DELETE.
 */
import type { PlayerRequest } from './requests.ts';

const CONDITIONS: Readonly<Record<string, string>> = {
  PodReadyToStartContainers: 'sandbox',
  Initialized: 'initialized',
  Ready: 'ready',
  ContainersReady: 'containers-ready',
  PodScheduled: 'scheduled',
  DisruptionTarget: 'disruption-target',
};

interface StatusPatch {
  metadata?: { uid?: string };
  status?: {
    phase?: string;
    reason?: string;
    observedGeneration?: number;
    podIP?: string;
    conditions?: { type: string; status?: string; observedGeneration?: number }[];
    containerStatuses?: ContainerState[];
    initContainerStatuses?: ContainerState[];
  };
}

interface ContainerState {
  name: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: Record<string, { reason?: string; exitCode?: number } | null>;
}

/** What one request changed, by what it is about. */
export type StoryStep = readonly (readonly [thing: string, value: string])[];

/** The steps in order; `requests` are those of one pod. What stands already is left out. */
export function podStory(requests: readonly PlayerRequest[]): StoryStep[] {
  const known = new Map<string, string>();
  const steps: StoryStep[] = [];
  for (const request of requests) {
    if (request.code >= 300) continue;
    if (request.verb === 'delete') {
      steps.push([['object', 'deleted']]);
      continue;
    }
    if (request.verb !== 'patch' || request.resource !== 'pods/status') continue;
    const changes: [string, string][] = [];
    for (const [thing, value] of statements((request.body ?? {}) as StatusPatch)) {
      if (known.get(thing) === value) continue;
      known.set(thing, value);
      changes.push([thing, value]);
    }
    if (changes.length > 0) steps.push(changes);
  }
  return steps;
}

/** `phase Running, ready yes, main (running ready started)`. */
export function sayStep(step: StoryStep): string {
  return step.map(([thing, value]) => `${thing} ${value}`).join(', ');
}

/** What a story says of each thing, in order. */
export function valuesOf(story: readonly StoryStep[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [thing, value] of story.flat()) {
    // The first patch may come after the sandbox is there: that it was not yet is then never said.
    if (thing === 'sandbox' && value === 'no' && !values.has(thing)) continue;
    values.set(thing, [...(values.get(thing) ?? []), value]);
  }
  return values;
}

function* statements(patch: StatusPatch): Generator<[string, string]> {
  const status = patch.status ?? {};
  if (status.phase !== undefined) yield ['phase', status.phase];
  if (status.reason !== undefined) yield ['reason', status.reason];
  if (status.observedGeneration !== undefined) yield ['generation', String(status.observedGeneration)];
  if (status.podIP !== undefined) yield ['ip', 'yes'];
  for (const { type, status: value } of status.conditions ?? []) {
    if (value !== undefined) yield [CONDITIONS[type] ?? type, value === 'True' ? 'yes' : 'no'];
  }
  for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    yield [container.name, containerState(container)];
  }
}

function containerState({ ready, restartCount = 0, started, state = {} }: ContainerState): string {
  const [kind, detail] = Object.entries(state).find(([, value]) => value !== null) ?? ['none', null];
  const parts = [kind];
  if (detail?.reason !== undefined) parts.push(detail.reason);
  if (detail?.exitCode !== undefined) parts.push(`exit ${detail.exitCode}`);
  if (ready === true) parts.push('ready');
  if (started === undefined) parts.push('started?');
  else if (started) parts.push('started');
  if (restartCount > 0) parts.push(`restarts ${restartCount}`);
  return `(${parts.join(' ')})`;
}
