/**
 * Timelines of pods, joined from what load, fleet and observer noted. A pod is kept until it is gone and late
 * reports of it have had time to arrive; then it is judged, added to its phase's sums, handed to `onFinished` and
 * forgotten, so that memory follows the pods alive, not the pods that ever were.
 *
 * A pod's start is the instant its create was sent; for pods that a controller made it is the observer's first sight
 * of them, as in ClusterLoader2. Outcome of a pod, where life is start to deletion (asked for or seen) or to the end:
 *
 * | Running seen | life         | outcome       |
 * |--------------|--------------|---------------|
 * | yes          | any          | started       |
 * | no           | >= the limit | never-started |
 * | no           | < the limit  | censored      |
 */
import type { PodAudit, PodKind, PodOutcome, PodRecord, PodStartup, RunResult } from '../result/index.ts';
import {
  type PodDetail,
  type PodInstant,
  type PodInstantBatch,
  type PodInstantSink,
  replayBatch,
} from './pod-instants.ts';
import { PodSlots } from './pod-slots.ts';
import { type FinishedPod, PodStartupSums } from './pod-startup-sums.ts';
import { SchedulingMeter } from './scheduling-meter.ts';

/** A pod that is gone is kept this long for reports that are still on their way. */
export const LATE_REPORT_MS = 30_000;

export interface PodTimelinesOptions {
  /** Monotonic instant of the run's start: instants of records and results count from here. */
  epochUs: number;
  /** `slo.podStartupLimitMs`. */
  startupLimitMs: number;
  /** Each pod once, when its story is over; for pods.ndjson.gz. */
  onFinished: (record: PodRecord) => void;
}

/** How far the pods of a phase are; pods whose creation failed are in none of these. */
export interface PodProgress {
  /** Acknowledged, or seen by the observer. */
  createdCount: number;
  /** Seen Running, ever. */
  runningCount: number;
  /** Created, not yet seen Running, and nobody is deleting them. */
  notRunningCount: number;
}

/** Instants with which a pod's story begins: after `gone` they begin another pod's. */
const FIRST_INSTANTS: ReadonlySet<PodInstant> = new Set(['intended', 'sent', 'seen']);

interface LivePod {
  readonly slot: number;
  readonly key: string;
  uid: string | undefined;
  node: string | undefined;
  kind: PodKind;
  phase: string;
  serverClockDifferenceMs: number | undefined;
  counted: 'nowhere' | 'waiting' | 'running' | 'created';
}

export class PodTimelines implements PodInstantSink {
  readonly #options: PodTimelinesOptions;
  readonly #slots = new PodSlots();
  readonly #pods = new Map<string, LivePod>();
  #leaving: { pod: LivePod; atUs: number }[] = [];
  #started: LivePod[] = [];
  readonly #sums = new Map<string, PodStartupSums>();
  readonly #progress = new Map<string, PodProgress>();
  readonly #phases: { name: string; startUs: number }[] = [];
  readonly #scheduling = new SchedulingMeter();
  /** Names repeat by the thousand; one string each is enough. */
  readonly #interned = new Map<string, string>();
  readonly #audit: PodAudit = { createdCount: 0, missingCount: 0, lostInstantCount: 0, observerGapCount: 0 };
  #pendingCount = 0;
  #runningCount = 0;
  #latestUs = 0;

  constructor(options: PodTimelinesOptions) {
    this.#options = options;
  }

  /** Pods that appear from `startUs` on without a phase of their own (made by controllers) belong to `name`. */
  beginPhase(name: string, startUs: number): void {
    this.#phases.push({ name, startUs });
  }

  /** Takes an agent's batch. */
  add(batch: PodInstantBatch): void {
    const { malformedCount } = replayBatch(batch, this);
    this.#audit.lostInstantCount += batch.lostCount + malformedCount;
    this.#audit.observerGapCount += batch.gapCount;
    this.#sweep(this.#latestUs - LATE_REPORT_MS * 1_000);
  }

  note(instant: PodInstant, namespace: string, name: string, atUs: number, detail?: PodDetail): void {
    const key = `${namespace}/${name}`;
    let pod = this.#pods.get(key);
    if (pod !== undefined && this.#isAnother(pod, instant, atUs, detail)) {
      // Another pod of the same name: the former one's story is over, whatever is missing of it.
      this.#finish(pod, atUs);
      pod = undefined;
    }
    pod ??= this.#newPod(key, atUs);
    if (detail !== undefined) this.#learn(pod, detail);
    if (!this.#slots.setOnce(pod.slot, instant, atUs)) return;
    this.#latestUs = Math.max(this.#latestUs, atUs);
    this.#observe(pod, instant, atUs);
    this.#recount(pod);
    if (instant === 'running-seen') this.#started.push(pod);
    if (instant === 'gone' || instant === 'create-failed') this.#leaving.push({ pod, atUs });
  }

  /** Progress of a phase's pods. */
  progress(phase: string): PodProgress {
    return { ...this.#progressOf(phase) };
  }

  /** Pods that the observer has seen and that are Pending, and Running, now. */
  gauges(): { podsPending: number; podsRunning: number } {
    return { podsPending: this.#pendingCount, podsRunning: this.#runningCount };
  }

  /** Pods kept in memory. */
  get liveCount(): number {
    return this.#pods.size;
  }

  /** Ends every story that is still open, as of `endUs`. Call once, before the figures are read for the last time. */
  finish(endUs: number): void {
    for (const pod of [...this.#pods.values()]) this.#finish(pod, endUs);
    this.#leaving = [];
    this.#latestUs = Math.max(this.#latestUs, endUs);
  }

  /** Startup figures per phase and kind, of the pods whose story is over. */
  startups(): PodStartup[] {
    const endMs = this.#sinceStartMs(this.#latestUs);
    return [...this.#sums.values()].map((sums) => sums.toPodStartup(endMs));
  }

  /** As startups(), with the pods that still live as they stand at `nowUs`. */
  startupsSoFar(nowUs: number): PodStartup[] {
    const open = new Map([...this.#sums].map(([id, sums]) => [id, sums.copy()]));
    for (const pod of this.#pods.values()) {
      const { finished } = this.#judge(pod, nowUs);
      if (finished !== undefined) this.#sumsIn(open, finished).add(finished);
    }
    const endMs = this.#sinceStartMs(nowUs);
    return [...open.values()].map((sums) => sums.toPodStartup(endMs));
  }

  /** Records, as they stand, of the pods first seen Running since the last call that still live. */
  takeStarted(nowUs: number): PodRecord[] {
    const started = this.#started.filter((pod) => this.#pods.get(pod.key) === pod);
    this.#started = [];
    return started.flatMap((pod) => this.#judge(pod, nowUs).finished?.record ?? []);
  }

  scheduling(): RunResult['scheduling'] {
    return this.#scheduling.figures();
  }

  /** What is missing, for the trust verdict. */
  audit(): PodAudit {
    return { ...this.#audit };
  }

  #isAnother(pod: LivePod, instant: PodInstant, atUs: number, detail: PodDetail | undefined): boolean {
    if (detail?.uid !== undefined && pod.uid !== undefined) return pod.uid !== detail.uid;
    // Compared by instant, not by arrival: the load's report of a short life may come after the observer's.
    return FIRST_INSTANTS.has(instant) && atUs > this.#slots.get(pod.slot, 'gone');
  }

  #newPod(key: string, atUs: number): LivePod {
    const pod: LivePod = {
      slot: this.#slots.take(),
      key,
      uid: undefined,
      node: undefined,
      kind: 'stateless',
      phase: this.#phases.findLast(({ startUs }) => startUs <= atUs)?.name ?? '',
      serverClockDifferenceMs: undefined,
      counted: 'nowhere',
    };
    this.#pods.set(key, pod);
    return pod;
  }

  #learn(pod: LivePod, detail: PodDetail): void {
    pod.uid ??= detail.uid;
    pod.serverClockDifferenceMs ??= detail.serverClockDifferenceMs;
    if (detail.node !== undefined) pod.node ??= this.#intern(detail.node);
    if (detail.kind !== undefined) pod.kind = detail.kind;
    if (detail.phase !== undefined && detail.phase !== pod.phase) {
      this.#uncount(pod);
      pod.phase = this.#intern(detail.phase);
    }
  }

  /** Gauges and scheduling: the observer's instants, which come in the order of its watch. */
  #observe({ slot }: LivePod, instant: PodInstant, atUs: number): void {
    const seen = this.#slots.has(slot, 'seen');
    const running = this.#slots.has(slot, 'running-seen');
    const scheduled = this.#slots.has(slot, 'scheduled');
    if (instant === 'seen') {
      this.#pendingCount++;
      this.#scheduling.waits(atUs);
    } else if (instant === 'scheduled' && seen) {
      this.#scheduling.bound(atUs);
    } else if (instant === 'running-seen' && seen) {
      this.#pendingCount--;
      this.#runningCount++;
    } else if (instant === 'gone' && seen) {
      if (running) this.#runningCount--;
      else this.#pendingCount--;
      if (!scheduled) this.#scheduling.left(atUs);
    }
  }

  #recount(pod: LivePod): void {
    const has = (instant: PodInstant) => this.#slots.has(pod.slot, instant);
    const created = has('created') || has('seen');
    const running = has('running-seen');
    const leaving = has('delete-sent') || has('delete-seen') || has('gone');
    const state = !created ? 'nowhere' : running ? 'running' : leaving ? 'created' : 'waiting';
    if (state === pod.counted) return;
    this.#uncount(pod);
    const progress = this.#progressOf(pod.phase);
    if (state !== 'nowhere') progress.createdCount++;
    if (state === 'running') progress.runningCount++;
    if (state === 'waiting') progress.notRunningCount++;
    pod.counted = state;
  }

  #uncount(pod: LivePod): void {
    const progress = this.#progressOf(pod.phase);
    if (pod.counted !== 'nowhere') progress.createdCount--;
    if (pod.counted === 'running') progress.runningCount--;
    if (pod.counted === 'waiting') progress.notRunningCount--;
    pod.counted = 'nowhere';
  }

  #progressOf(phase: string): PodProgress {
    let progress = this.#progress.get(phase);
    if (progress === undefined) {
      progress = { createdCount: 0, runningCount: 0, notRunningCount: 0 };
      this.#progress.set(phase, progress);
    }
    return progress;
  }

  #sweep(beforeUs: number): void {
    const due = this.#leaving.findIndex(({ atUs }) => atUs > beforeUs);
    const left = this.#leaving.splice(0, due === -1 ? this.#leaving.length : due);
    for (const { pod, atUs } of left) {
      if (this.#pods.get(pod.key) === pod) this.#finish(pod, atUs);
    }
  }

  #finish(pod: LivePod, endUs: number): void {
    this.#pods.delete(pod.key);
    const { finished, acknowledged, missing } = this.#judge(pod, endUs);
    if (acknowledged) this.#audit.createdCount++;
    if (missing) this.#audit.missingCount++;
    if (finished !== undefined) {
      this.#sumsIn(this.#sums, finished).add(finished);
      this.#options.onFinished(finished.record);
      if (pod.counted === 'waiting') this.#progressOf(finished.record.phase).notRunningCount--;
    } else {
      // Never created: it must not keep a phase waiting.
      this.#uncount(pod);
    }
    this.#slots.release(pod.slot);
  }

  #sumsIn(all: Map<string, PodStartupSums>, { record: { phase, kind } }: FinishedPod): PodStartupSums {
    const id = `${kind}/${phase}`;
    let sums = all.get(id);
    if (sums === undefined) {
      sums = new PodStartupSums(phase, kind, this.#options.startupLimitMs * 1_000);
      all.set(id, sums);
    }
    return sums;
  }

  /** `finished` is undefined for pods that were never created, as far as anybody knows. Changes nothing. */
  #judge(
    pod: LivePod,
    endUs: number,
  ): { finished: FinishedPod | undefined; acknowledged: boolean; missing: boolean } {
    const at = (instant: PodInstant) => known(this.#slots.get(pod.slot, instant));
    const seenUs = at('seen') ?? at('scheduled') ?? at('running-seen') ?? at('gone');
    const acknowledged = at('created') !== undefined;
    if (!acknowledged && seenUs === undefined) return { finished: undefined, acknowledged, missing: false };
    const startUs = at('sent') ?? at('created') ?? seenUs ?? endUs;
    const runningUs = at('running-seen');
    const lifeEndUs = Math.min(at('delete-sent') ?? endUs, at('delete-seen') ?? endUs, at('gone') ?? endUs);
    const outlived = lifeEndUs - startUs >= this.#options.startupLimitMs * 1_000;
    const outcome: PodOutcome = runningUs !== undefined ? 'started' : outlived ? 'never-started' : 'censored';
    const missing = acknowledged && seenUs === undefined && outlived;
    const scheduledUs = at('scheduled');
    const kubeletSeenUs = at('kubelet-seen');
    const runningSentUs = at('running-sent');
    const initUs = between(at('init-started'), at('initialized'));
    const durationsUs: FinishedPod['durationsUs'] = {
      ...duration('create_to_schedule', startUs, scheduledUs),
      ...duration('schedule_to_kubelet', scheduledUs, kubeletSeenUs),
      ...duration('kubelet_to_run', kubeletSeenUs, runningSentUs),
      ...duration('run_to_watch', runningSentUs, runningUs),
      ...duration('schedule_to_watch', scheduledUs, runningUs),
      ...duration('schedule_to_run', scheduledUs, runningSentUs),
      ...duration('create_to_run', startUs, runningSentUs),
      // Init containers are no part of startup.
      ...duration('pod_startup', startUs + (initUs ?? 0), runningUs),
    };
    const slash = pod.key.indexOf('/');
    const ms = (name: keyof PodRecord, atUs: number | undefined) =>
      atUs === undefined ? {} : { [name]: this.#sinceStartMs(atUs) };
    const record: PodRecord = {
      namespace: this.#intern(pod.key.slice(0, slash)),
      name: pod.key.slice(slash + 1),
      phase: pod.phase,
      kind: pod.kind,
      outcome,
      ...(pod.node === undefined ? {} : { node: pod.node }),
      ...ms('intendedMs', at('intended')),
      ...ms('sentMs', at('sent')),
      ...ms('createdMs', at('created')),
      ...ms('scheduledMs', scheduledUs),
      ...ms('kubeletSeenMs', kubeletSeenUs),
      ...ms('runningSentMs', runningSentUs),
      ...ms('runningSeenMs', runningUs),
      ...(initUs === undefined ? {} : { initMs: Math.round(initUs) / 1_000 }),
      ...ms('deletedMs', at('delete-sent') ?? at('delete-seen')),
      ...ms('goneMs', at('gone')),
    };
    const finished: FinishedPod = {
      record,
      startMs: this.#sinceStartMs(startUs),
      startupUs: durationsUs.pod_startup,
      durationsUs,
      serverClockDifferenceMs: pod.serverClockDifferenceMs,
    };
    return { finished, acknowledged, missing };
  }

  /** Whole microseconds, as milliseconds. */
  #sinceStartMs(atUs: number): number {
    return Math.round(atUs - this.#options.epochUs) / 1_000;
  }

  #intern(text: string): string {
    const known = this.#interned.get(text);
    if (known !== undefined) return known;
    this.#interned.set(text, text);
    return text;
  }
}

function known(atUs: number): number | undefined {
  return Number.isNaN(atUs) ? undefined : atUs;
}

function between(fromUs: number | undefined, toUs: number | undefined): number | undefined {
  return fromUs === undefined || toUs === undefined ? undefined : Math.max(0, toUs - fromUs);
}

// Two watchers of one change may hear of it in either order: less than nothing counts as nothing.
function duration<P extends string>(phase: P, fromUs: number | undefined, toUs: number | undefined) {
  return fromUs === undefined || toUs === undefined ? {} : { [phase]: Math.max(0, toUs - fromUs) };
}
