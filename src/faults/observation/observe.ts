/**
 * What was seen of one fault: pure, from the records of the canaries and the notices of the system. Whether that is as
 * it should be is for judge.ts.
 */

import type { PlaneEvent } from '../../controlplane/index.ts';
import {
  BALANCED_PATH,
  type FaultFinding,
  type FaultObservation,
  type PathObservation,
} from '../../result/index.ts';
import type { ProbeLog } from '../canaries/probe-log.ts';
import type { LeaseSample, ProbeCall } from '../canaries/records.ts';
import { availability, errorsOf, partsOf, secondsOf } from './calls.ts';
import { longestGapMs, recoveredUs } from './gaps.ts';
import { type FaultWindow, isGood, type ProbeLimits, sentOf } from './window.ts';

/** The system itself noticed something: a backend went down, a member started an election. */
export interface Notice {
  atUs: number;
  by: string;
}

/** Counters of the fleet, read at the fault and at the end of its window. */
export interface FleetCounts {
  reconnectCount: number;
  relistCount: number;
}

export interface ObservationInput {
  log: ProbeLog;
  window: FaultWindow;
  limits: ProbeLimits;
  /** Of load balancer, etcd and processes, in any order; those of the API are taken from the log. */
  notices: readonly Notice[];
  /** Events of the plane's processes, of any time. */
  processes: readonly PlaneEvent[];
  /** Of the fault itself. */
  findings: readonly FaultFinding[];
  /** Leader changes of etcd between the fault and the end. */
  etcdLeaderChangeCount: number;
  fleet: { before: FleetCounts; after: FleetCounts };
  /** Writes of unknown outcome sent in the window, and how many the cluster turned out to have. */
  unknown: { unknownCount: number; appliedCount: number };
}

/** Everything there is to say about the fault. */
export function observe(input: ObservationInput): FaultObservation {
  const { log, window, limits, fleet, unknown } = input;
  const sinceMs = (atUs: number) => Math.round((atUs - window.inducedUs) / 1_000);
  const inWindow = (atUs: number) => atUs >= window.inducedUs && atUs < window.endUs;
  const calls = log.calls.filter((call) => sentOf(call) >= window.beforeUs && sentOf(call) < window.endUs);
  const balanced = calls.filter(({ path }) => path === BALANCED_PATH);
  const writes = balanced.filter(({ kind }) => kind === 'write');
  const reads = balanced.filter(({ kind }) => kind === 'read');
  const firstWrong = calls
    .filter((call) => inWindow(sentOf(call)) && !isGood(call, limits))
    .reduce((first, call) => Math.min(first, sentOf(call)), Number.POSITIVE_INFINITY);
  const notices = [...input.notices, ...leaseNotices(log, window), ...nodeNotices(log, window)]
    .filter(({ atUs }) => inWindow(atUs))
    .sort((a, b) => a.atUs - b.atUs)
    .map(({ atUs, by }) => ({ afterMs: sinceMs(atUs), by }));
  const recovered = [recoveredUs(writes, window, limits), recoveredUs(reads, window, limits)];
  const recoveredAtUs = recovered.includes(undefined)
    ? undefined
    : Math.max(...recovered.map((atUs) => atUs ?? 0));
  const [firstNotice] = notices;
  const writeRatio = availability(writes, window, limits);
  const readRatio = availability(reads, window, limits);
  return {
    ...(firstWrong === Number.POSITIVE_INFINITY ? {} : { firstWrongAnswerMs: sinceMs(firstWrong) }),
    ...(firstNotice === undefined ? {} : { noticed: firstNotice }),
    notices,
    writeGapMs: Math.round(longestGapMs(writes, window)),
    readGapMs: Math.round(longestGapMs(reads, window)),
    ...(recoveredAtUs === undefined
      ? {}
      : {
          recoveredMs: sinceMs(recoveredAtUs),
          recoveredAfterHealMs: Math.max(0, Math.round((recoveredAtUs - window.healedUs) / 1_000)),
        }),
    ...(writeRatio === undefined ? {} : { writeAvailabilityRatio: writeRatio }),
    ...(readRatio === undefined ? {} : { readAvailabilityRatio: readRatio }),
    errors: errorsOf(balanced, window),
    unknownWriteCount: unknown.unknownCount,
    unknownAppliedCount: unknown.appliedCount,
    paths: pathsOf(log, calls, window),
    series: secondsOf(balanced, window),
    leaderChanges: {
      etcd: input.etcdLeaderChangeCount,
      controllerManager: holderChanges(log.leases, 'kube-controller-manager', window).length,
      scheduler: holderChanges(log.leases, 'kube-scheduler', window).length,
    },
    ...wokenFigures(log, window),
    ...deploymentFigures(log, window),
    ...nodeFigures(log, window),
    ...podFigures(log, window),
    processes: input.processes
      .filter(({ atUs }) => inWindow(atUs))
      .map(({ atUs, name, kind, induced, detail }) => ({
        afterMs: sinceMs(atUs),
        name,
        what: kind,
        induced,
        detail,
      })),
    findings: [...input.findings],
    fleetReconnectCount: fleet.after.reconnectCount - fleet.before.reconnectCount,
    fleetRelistCount: fleet.after.relistCount - fleet.before.relistCount,
  };
}

function pathsOf(log: ProbeLog, calls: readonly ProbeCall[], window: FaultWindow): PathObservation[] {
  const paths = [...new Set(log.calls.map(({ path }) => path))];
  return paths.map((path) => {
    const own = calls.filter((call) => call.path === path);
    const writes = own.filter(({ kind }) => kind === 'write');
    const reads = own.filter(({ kind }) => kind === 'read');
    const incidents = log.incidents.filter(
      ({ watch, atUs }) => watch === path && atUs >= window.inducedUs && atUs < window.endUs,
    );
    const relists = incidents.filter(({ what }) => what === 'relisted');
    return {
      path,
      writeGapMs: Math.round(longestGapMs(writes, window)),
      readGapMs: Math.round(longestGapMs(reads, window)),
      writes: partsOf(writes, window),
      reads: partsOf(reads, window),
      watch: {
        longestDelayMs: watchDelayMs(log, path, window),
        cutCount: incidents.filter(({ what }) => what === 'ended').length,
        relistCount: relists.length,
        relistBytes: relists.reduce((sum, { receivedBytes }) => sum + (receivedBytes ?? 0), 0),
      },
    };
  });
}

/** Longest time from a write's acknowledgement to its event on one path; writes acknowledged in the window. */
function watchDelayMs(log: ProbeLog, path: string, window: FaultWindow): number {
  const seen = log.seenUs.get(path);
  let longestUs = 0;
  for (const { resourceVersion, outcome, endedUs } of log.ledger.writes) {
    if (outcome !== 'acknowledged' || resourceVersion === undefined) continue;
    if (endedUs < window.inducedUs || endedUs >= window.endUs) continue;
    const seenUs = seen?.get(Number(resourceVersion)) ?? window.endUs;
    longestUs = Math.max(longestUs, seenUs - endedUs);
  }
  return Math.round(longestUs / 1_000);
}

function holderChanges(leases: readonly LeaseSample[], lease: string, window: FaultWindow): LeaseSample[] {
  const changes: LeaseSample[] = [];
  let holder: string | undefined;
  for (const sample of leases) {
    if (sample.lease !== lease || sample.holder === '') continue;
    const changed = holder !== undefined && sample.holder !== holder;
    if (changed && sample.atUs >= window.inducedUs && sample.atUs < window.endUs) changes.push(sample);
    holder = sample.holder;
  }
  return changes;
}

function leaseNotices(log: ProbeLog, window: FaultWindow): Notice[] {
  return ['kube-controller-manager', 'kube-scheduler'].flatMap((lease) =>
    holderChanges(log.leases, lease, window).map(({ atUs, holder }) => ({
      atUs,
      by: `the lease ${lease} passed to ${holder.replace(/_.*$/, '')}`,
    })),
  );
}

function nodeNotices(log: ProbeLog, window: FaultWindow): Notice[] {
  const first = log.nodes.find(
    ({ atUs, ready, gone }) => atUs >= window.inducedUs && (gone || ready !== 'True'),
  );
  return first === undefined ? [] : [{ atUs: first.atUs, by: `node ${first.name} is not Ready` }];
}

function wokenFigures(log: ProbeLog, window: FaultWindow): Pick<FaultObservation, 'wokenLeaders'> {
  const woken = log.woken.filter(({ wokeUs }) => wokeUs >= window.inducedUs && wokeUs < window.endUs);
  if (woken.length === 0) return {};
  return {
    wokenLeaders: woken.map(({ name, wokeUs, ledUntilUs, changeCount, endedUs, ended }) => ({
      name,
      ledForMs: Math.round(((ledUntilUs ?? wokeUs) - wokeUs) / 1_000),
      ...(changeCount === undefined ? {} : { changeCount }),
      ...(endedUs === undefined ? {} : { endedAfterMs: Math.round((endedUs - wokeUs) / 1_000) }),
      ...(ended === undefined ? {} : { ended }),
    })),
  };
}

function nodeFigures(
  log: ProbeLog,
  window: FaultWindow,
): Pick<FaultObservation, 'nodesNotReadyCount' | 'firstNodeNotReadyMs' | 'allNodesReadyMs'> {
  const lost = new Map<string, boolean>();
  let firstUs: number | undefined;
  let lastBackUs: number | undefined;
  for (const { atUs, name, ready, gone } of log.nodes) {
    if (atUs < window.inducedUs || atUs >= window.endUs) continue;
    const isLost = gone || ready !== 'True';
    if (isLost) {
      firstUs ??= atUs;
      lost.set(name, true);
    } else if (lost.get(name) === true) {
      lost.set(name, false);
      lastBackUs = atUs;
    }
  }
  const allBack = [...lost.values()].every((isLost) => !isLost);
  const sinceMs = (atUs: number) => Math.round((atUs - window.inducedUs) / 1_000);
  return {
    nodesNotReadyCount: lost.size,
    ...(firstUs === undefined ? {} : { firstNodeNotReadyMs: sinceMs(firstUs) }),
    ...(lastBackUs === undefined || !allBack ? {} : { allNodesReadyMs: sinceMs(lastBackUs) }),
  };
}

function podFigures(
  log: ProbeLog,
  window: FaultWindow,
): Pick<FaultObservation, 'podsEvictedCount' | 'podsRescheduledCount'> {
  const inWindow = log.pods.filter(({ atUs }) => atUs >= window.inducedUs && atUs < window.endUs);
  const evicted = new Set(inWindow.filter(({ disruption }) => disruption !== '').map(({ uid }) => uid));
  const knownBefore = new Set(log.pods.filter(({ atUs }) => atUs < window.inducedUs).map(({ uid }) => uid));
  const owners = new Set(inWindow.filter(({ uid }) => evicted.has(uid)).map((pod) => ownerOf(pod.name)));
  // Replacements of evicted pods: new pods of the same ReplicaSet that have a node.
  const replaced = new Set(
    inWindow
      .filter(({ uid, name, node }) => node !== '' && !knownBefore.has(uid) && owners.has(ownerOf(name)))
      .map(({ uid }) => uid),
  );
  for (const uid of evicted) replaced.delete(uid);
  return { podsEvictedCount: evicted.size, podsRescheduledCount: replaced.size };
}

function ownerOf(podName: string): string {
  return podName.slice(0, podName.lastIndexOf('-'));
}

function deploymentFigures(
  log: ProbeLog,
  window: FaultWindow,
): Pick<FaultObservation, 'podMadeMs' | 'podBoundMs' | 'deploymentsStuckCount'> {
  let madeUs: number | undefined;
  let boundUs: number | undefined;
  let stuckCount = 0;
  for (const { createdUs, podSeenUs, boundUs: bindUs } of log.deployments.values()) {
    if (createdUs === undefined || createdUs < window.inducedUs || createdUs >= window.endUs) continue;
    const isStuck = bindUs === undefined || bindUs > window.endUs;
    // One that was made a moment ago has not been slow yet.
    if (isStuck && window.endUs - createdUs > STUCK_AFTER_US) stuckCount++;
    if (isStuck && window.endUs - createdUs <= STUCK_AFTER_US) continue;
    const madeAtUs = Math.min(podSeenUs ?? window.endUs, window.endUs);
    madeUs = Math.max(madeUs ?? 0, madeAtUs - createdUs);
    boundUs = Math.max(boundUs ?? 0, Math.min(bindUs ?? window.endUs, window.endUs) - createdUs);
  }
  return {
    ...(madeUs === undefined ? {} : { podMadeMs: Math.round(madeUs / 1_000) }),
    ...(boundUs === undefined ? {} : { podBoundMs: Math.round(boundUs / 1_000) }),
    deploymentsStuckCount: stuckCount,
  };
}

/** A canary Deployment without a bound pod for this long is stuck. */
const STUCK_AFTER_US = 5e6;
