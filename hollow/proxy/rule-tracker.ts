/**
 * What one proxy has yet to put into its rules: changes of EndpointSlices since its last sync, each with its trigger
 * time, and whether it has seen enough to sync at all. Kept per node, so it holds references to shared versions and
 * nothing of its own but numbers.
 *
 * A change counts as upstream counts it: every new version of a slice with a trigger time after the proxy's start. Every
 * waiting time of a Service is forgotten when one of its slices is deleted. What a list shows again is no change.
 * Source: pkg/proxy/endpointschangetracker.go, endpointslicecache.go (esDataChanged), iptables/proxier.go v1.36.3.
 */
import { frameResourceVersion } from '../../src/kube/index.ts';
import type { FleetContext } from '../context.ts';
import type { ResourceSink } from '../resource-watch.ts';
import type { ListNote, SliceVersion } from './service-network.ts';
import { SyncRunner, type SyncWork } from './sync-runner.ts';

type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Changes that wait for a sync, or for the end of one. */
interface Changes {
  readonly slices: SliceVersion[];
  readonly seenUs: number[];
}

export class RuleTracker implements SyncWork {
  readonly slices: SharedSink;
  readonly services: SharedSink;
  readonly #context: FleetContext;
  readonly #runner: SyncRunner;
  readonly #startWallMs: number;
  #pending: Changes | undefined;
  #syncing: Changes | undefined;
  #syncingRuleCount = 0;

  /** Trigger times before now are not this proxy's doing. */
  constructor(context: FleetContext) {
    this.#context = context;
    this.#startWallMs = context.clock.wallMs();
    this.#runner = new SyncRunner(context.timers, context.clock, this);
    this.slices = new SharedSink(context, 'slices', this);
    this.services = new SharedSink(context, 'services', this);
  }

  /** True once Services and EndpointSlices have been listed: before, nothing is synced. */
  get isInitialized(): boolean {
    return this.slices.synced && this.services.synced;
  }

  stop(): void {
    this.#runner.stop();
    this.slices.stop();
    this.services.stop();
  }

  /** The zone of the node turned, or the first lists are complete. */
  requestSync(): void {
    if (this.isInitialized) this.#runner.request();
  }

  /** A slice has a new version, or is gone. */
  sliceChanged(type: ChangeType, slice: SliceVersion): void {
    if (slice.service === '') return;
    if (type === 'DELETED') this.#forget(slice.service);
    else if (slice.triggerWallMs > this.#startWallMs) {
      this.#pending ??= { slices: [], seenUs: [] };
      this.#pending.slices.push(slice);
      this.#pending.seenUs.push(this.#context.clock.nowUs());
    }
    this.requestSync();
  }

  beginSync(): number {
    const { network, settings } = this.#context;
    this.#syncing = this.#pending;
    this.#pending = undefined;
    this.#syncingRuleCount = network.ruleCount;
    return settings.proxySync.baseUs + settings.proxySync.perRuleUs * this.#syncingRuleCount;
  }

  endSync(): void {
    const { clock, programming } = this.#context;
    programming.synced(this.#syncingRuleCount);
    const done = this.#syncing;
    if (done === undefined) return;
    this.#syncing = undefined;
    const nowUs = clock.nowUs();
    const nowWallMs = clock.wallMs();
    for (const [index, slice] of done.slices.entries()) {
      const delayUs = nowUs - (done.seenUs[index] ?? nowUs);
      programming.record((nowWallMs - slice.triggerWallMs) * 1_000, delayUs);
    }
  }

  #forget(service: string): void {
    const before = this.#pending;
    if (before === undefined) return;
    const kept: Changes = { slices: [], seenUs: [] };
    for (const [index, slice] of before.slices.entries()) {
      if (slice.service === service) continue;
      kept.slices.push(slice);
      kept.seenUs.push(before.seenUs[index] ?? 0);
    }
    this.#pending = kept.slices.length === 0 ? undefined : kept;
  }
}

/** Hands each event's shared version to one proxy. */
class SharedSink implements ResourceSink {
  readonly wantsObjects = false;
  synced = false;
  readonly #context: FleetContext;
  readonly #kind: 'slices' | 'services';
  readonly #tracker: RuleTracker;
  /** The newest version that this proxy has acted on. */
  #seenVersion = 0;
  #note: ListNote | undefined;

  constructor(context: FleetContext, kind: 'slices' | 'services', tracker: RuleTracker) {
    this.#context = context;
    this.#kind = kind;
    this.#tracker = tracker;
  }

  onListBegin(): void {
    // The first list of a proxy finds nothing that could be gone.
    if (this.synced) this.#note ??= this.#context.network.noteList(this.#kind);
    this.#note?.begin();
  }

  onFrame(type: ChangeType, frame: Buffer, initial: boolean): void {
    const version = Number(frameResourceVersion(frame));
    if (initial) this.#note?.show(version);
    const { network } = this.#context;
    const isNew = version > this.#seenVersion;
    // Within a list versions come in no order: what is new is told by the version before the list.
    if (!initial) this.#seenVersion = version;
    if (this.#kind === 'slices') {
      const slice = network.slice(type, frame, version);
      if (isNew) this.#tracker.sliceChanged(type, slice);
    } else {
      const service = network.service(type, frame, version);
      if (isNew && (service.changed || type === 'DELETED')) this.#tracker.requestSync();
    }
  }

  onListEnd(resourceVersion: string): void {
    this.#seenVersion = Number(resourceVersion);
    this.#note?.end(this.#seenVersion);
    this.#note = undefined;
    if (this.synced) return;
    this.synced = true;
    this.#tracker.requestSync();
  }

  stop(): void {
    this.#note?.cancel();
    this.#note = undefined;
  }
}
