/**
 * What all hollow nodes of a process share, made once by the fleet and handed down: nodes keep a reference to it and
 * as little else as they can.
 */
import type { FleetSettings } from '../src/config/index.ts';
import type { Clock, Logger } from '../src/core/index.ts';
import type { PodInstantSink } from '../src/measure/index.ts';
import type { FleetCalls } from './calls.ts';
import type { FleetCounters } from './counters.ts';
import type { NodeShape } from './kubelet/node-object.ts';
import type { ProfileOf } from './kubelet/pods/pod-behaviour.ts';
import type { NetworkProgramming } from './proxy/network-programming.ts';
import type { ServiceNetwork } from './proxy/service-network.ts';
import type { Timers } from './timers.ts';
import type { WireForm } from './wire-form.ts';

export interface FleetContext {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly seed: string;
  readonly settings: FleetSettings;
  readonly form: WireForm;
  readonly shape: NodeShape;
  readonly calls: FleetCalls;
  readonly counters: FleetCounters;
  readonly instants: PodInstantSink;
  readonly profileOf: ProfileOf;
  /** What the proxies see, decoded once for all of them. */
  readonly network: ServiceNetwork;
  readonly programming: NetworkProgramming;
  /** The one copy of a string that many objects have in common. */
  readonly intern: (text: string) => string;
}

/** A table of strings seen before; cleared when it grows past `limit`, because names of pods' objects come and go. */
export function internTable(limit = 20_000): (text: string) => string {
  const table = new Map<string, string>();
  return (text) => {
    const known = table.get(text);
    if (known !== undefined) return known;
    if (table.size >= limit) table.clear();
    table.set(text, text);
    return text;
  };
}
