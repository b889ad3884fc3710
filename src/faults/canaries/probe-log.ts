/**
 * Everything that the prober has sent, put together in the run's process: calls, the ledger, the stretches of each
 * watch, sightings. Only asked, never judging.
 */
import { WriteLedger } from '../ledger/ledger.ts';
import type {
  DeploymentCanary,
  LeaseSample,
  MasterSample,
  NodeSighting,
  PodSighting,
  ProbeBatch,
  ProbeCall,
  WatchIncident,
  WatchStretch,
  WokenLeader,
} from './records.ts';

export class ProbeLog {
  readonly ledger = new WriteLedger();
  readonly calls: ProbeCall[] = [];
  readonly incidents: WatchIncident[] = [];
  readonly leases: LeaseSample[] = [];
  readonly masters: MasterSample[] = [];
  readonly woken: WokenLeader[] = [];
  readonly pods: PodSighting[] = [];
  readonly nodes: NodeSighting[] = [];
  readonly deployments = new Map<string, DeploymentCanary>();
  /** By path, then by version: when its event was here. */
  readonly seenUs = new Map<string, Map<number, number>>();
  readonly #stretches = new Map<string, WatchStretch>();

  /** Stretches of all watches, each watch's in order. */
  get stretches(): WatchStretch[] {
    return [...this.#stretches.values()];
  }

  add(batch: ProbeBatch): void {
    for (const call of batch.calls) {
      this.calls.push(call);
      if (call.write !== undefined) this.ledger.add(call.write);
    }
    for (const incident of batch.incidents) this.incidents.push(incident);
    for (const lease of batch.leases) this.leases.push(lease);
    for (const pod of batch.pods) this.pods.push(pod);
    for (const node of batch.nodes) this.nodes.push(node);
    for (const canary of batch.deployments) this.deployments.set(canary.name, canary);
    for (const { watch, stretch, listedVersion, events, highWaterVersion } of batch.watches) {
      const key = `${watch}/${stretch}`;
      const known = this.#stretches.get(key) ?? { watch, listedVersion, versions: [], highWaterVersion };
      this.#stretches.set(key, known);
      known.highWaterVersion = Math.max(known.highWaterVersion, highWaterVersion);
      const seen = this.seenUs.get(watch) ?? new Map<number, number>();
      this.seenUs.set(watch, seen);
      for (const [version, seenUs] of events) {
        known.versions.push(version);
        if (!seen.has(version)) seen.set(version, seenUs);
      }
    }
  }
}
