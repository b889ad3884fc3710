/**
 * What a player did, as a set of statements that can be held against another player's: which requests, in which form,
 * as whom, under which flow schema, with which bodies, in which order, and what its pods' statuses told. Statements are
 * plain lines, so that a difference can be read, listed and given a reason.
 */
import { bodyShape } from '../audit/body-shape.ts';
import { podStory, type StoryStep, sayStep, valuesOf } from '../audit/pod-story.ts';
import { queryForm } from '../audit/query-form.ts';
import type { PlayerRequest } from '../audit/requests.ts';
import type { Act } from '../performance.ts';
import type { Manifest, Scenario } from '../scenarios/scenario.ts';
import { heldOrders } from './order.ts';

export interface Facts {
  /** `facet | subject | detail`. */
  readonly statements: ReadonlySet<string>;
  /** Requests by `scenario | kind`. */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Requests that say more about the state of the server than about the client: an authorizer that has not yet heard of a
 * pod or a role answers 403, a server that is coming up 429 and 5xx.
 */
const isAboutServer = (code: number) => code === 403 || code === 429 || code >= 500;

/** Statements of one player over all scenarios of one performance. */
export function factsOf(acts: readonly Act[]): Facts {
  const statements = new Set<string>();
  const counts: Record<string, number> = {};
  for (const act of acts) {
    const { scenario, player, requests } = act;
    for (const request of withoutFallbacks(requests)) {
      const kind = kindOf(request);
      const inScenario = `${scenario.name} | ${kind}`;
      statements.add(`request | ${inScenario}`);
      counts[inScenario] = (counts[inScenario] ?? 0) + 1;
      const { component } = request;
      statements.add(`identity | ${component} | ${shapeOfUser(request, player.nodeName)}`);
      statements.add(`agent | ${component} | ${request.userAgent.replace(/\b[0-9a-f]{7,40}\b/, 'COMMIT')}`);
      if (!isRelist(request)) statements.add(`query | ${kind} | ${queryForm(request, player.nodeName)}`);
      // A server that has just come up knows no flow schemas yet.
      if (request.flowSchema !== undefined && scenario.name !== 'api-server-restart') {
        statements.add(`flow | ${kind} | ${request.flowSchema}`);
      }
      if (!isAboutServer(request.code) && request.verb !== 'watch') {
        statements.add(`answer | ${kind} | ${request.code}`);
      }
      const message = messageForm(request, player.nodeName);
      if (message !== undefined) statements.add(`message | ${kind} | ${message}`);
      if (request.body === undefined) continue;
      for (const path of bodyShape(request.body)) {
        if (!isClockWork(request, path)) statements.add(`body | ${kind} | ${path}`);
      }
    }
    for (const { workload, story } of storiesOf(scenario, requests)) {
      // For people: patches that come close together coalesce, so it is what they say of each thing that is compared.
      statements.add(`patches | ${scenario.name}, ${workload} | ${story.map(sayStep).join(' → ')}`);
      for (const [thing, values] of valuesOf(story)) {
        statements.add(`story | ${scenario.name}, ${workload} | ${thing}: ${values.join(' → ')}`);
      }
    }
  }
  for (const order of heldOrders(acts)) statements.add(`order | ${order.component} | ${order.name}`);
  return { statements, counts };
}

/**
 * Requests without what a 403 to a watch makes every client do: LIST at once, and watch from there. Which client meets an
 * authorizer that has not heard of a pod yet is chance.
 */
function withoutFallbacks(requests: readonly PlayerRequest[]): PlayerRequest[] {
  const falling = new Set<string>();
  return requests.filter((request) => {
    if (request.verb !== 'watch' && request.verb !== 'list') return true;
    const { component, resource, namespace, query } = request;
    const what = `${component} ${namespace} ${resource} ${query.get('fieldSelector')} ${query.get('labelSelector')}`;
    if (query.has('sendInitialEvents')) falling.delete(what);
    const isFallback = falling.has(what);
    if (request.code === 403) falling.add(what);
    return !isFallback;
  });
}

/** `kubelet create events Pod/Started`, `kubelet patch pods/status`. */
export function kindOf(request: PlayerRequest): string {
  const kind = `${request.component} ${request.verb} ${request.resource}`;
  if (request.verb !== 'create' || !request.resource.startsWith('events')) return kind;
  const event = request.body as {
    reason?: string;
    involvedObject?: { kind?: string };
    regarding?: { kind?: string };
  };
  return `${kind} ${event.involvedObject?.kind ?? event.regarding?.kind}/${event.reason}`;
}

/** A watch that starts anew at a version it has: whether the server still knows that version is the server's matter. */
function isRelist({ query }: PlayerRequest): boolean {
  return query.has('sendInitialEvents') && query.has('resourceVersion');
}

/** Times of conditions have whole seconds: whether one is in a patch depends on when the second turned. */
function isClockWork(request: PlayerRequest, path: string): boolean {
  if (request.verb !== 'patch') return false;
  return (
    path === ': {}' || /conditions\[type=\w+\]\.(lastHeartbeatTime|lastTransitionTime|type): /.test(path)
  );
}

/** What an event says, without names and numbers of this run. */
function messageForm(request: PlayerRequest, nodeName: string): string | undefined {
  const { message, involvedObject } = (request.body ?? {}) as {
    message?: string;
    involvedObject?: { name?: string };
  };
  if (request.verb !== 'create' || request.resource !== 'events' || message === undefined) return undefined;
  return message
    .replaceAll(nodeName, 'NODE')
    .replaceAll(involvedObject?.name ?? nodeName, 'POD')
    .replaceAll(request.namespace, 'NAMESPACE')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replace(/\b\d+(\.\d+)*\b/g, 'N');
}

function shapeOfUser(request: PlayerRequest, nodeName: string): string {
  return `${request.user.replaceAll(nodeName, 'NODE')} in ${request.groups.join(', ')}`;
}

/** The story of each pod of the scenario, under the name of what made it. */
function storiesOf(
  scenario: Scenario,
  requests: readonly PlayerRequest[],
): { workload: string; story: StoryStep[] }[] {
  const pods = new Map<string, PlayerRequest[]>();
  for (const request of requests) {
    if (!/^pods(\/status)?$/.test(request.resource) || request.name === '') continue;
    pods.set(request.name, [...(pods.get(request.name) ?? []), request]);
  }
  const workloads = workloadsOf(scenario);
  return [...pods].map(([name, own]) => ({
    workload: workloads.find((one) => name === one || name.startsWith(`${one}-`)) ?? name,
    story: podStory(own),
  }));
}

/** Names of what makes pods in a scenario, longest first. */
export function workloadsOf(scenario: Scenario): string[] {
  const made: Manifest[] = scenario.steps.flatMap((step) =>
    step.step === 'create' ? [...step.objects] : [],
  );
  return made
    .filter(({ kind }) => kind === 'Pod' || kind === 'Deployment' || kind === 'Job')
    .map(({ metadata }) => metadata.name)
    .sort((a, b) => b.length - a.length);
}
