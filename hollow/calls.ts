/**
 * The calls that hollow nodes make, by kind, and where they are recorded. Series are looked up once per phase and kind
 * and shared by all nodes of the process.
 */
import type { CallRecorder, CallSeriesRecorder, Outcome } from '../src/measure/index.ts';
import type { CallSource, Scope, Verb } from '../src/result/index.ts';

interface KindFacts {
  readonly verb: Verb;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: Scope;
}

const kind = (verb: Verb, resource: string, subresource = '', scope: Scope = 'resource'): KindFacts => ({
  verb,
  resource,
  subresource,
  scope,
});

export const CALL_KINDS = {
  getNode: kind('get', 'nodes'),
  createNode: kind('create', 'nodes'),
  patchNodeStatus: kind('patch', 'nodes', 'status'),
  getCsiNode: kind('get', 'csinodes.storage.k8s.io'),
  createCsiNode: kind('create', 'csinodes.storage.k8s.io'),
  deleteResourceSlices: kind('deletecollection', 'resourceslices.resource.k8s.io', '', 'cluster'),
  getLease: kind('get', 'leases.coordination.k8s.io'),
  createLease: kind('create', 'leases.coordination.k8s.io'),
  updateLease: kind('update', 'leases.coordination.k8s.io'),
  getPod: kind('get', 'pods'),
  /** Light nodes only. */
  listPods: kind('list', 'pods', '', 'cluster'),
  patchPodStatus: kind('patch', 'pods', 'status'),
  deletePod: kind('delete', 'pods'),
  createToken: kind('create', 'serviceaccounts', 'token'),
  createTokenReview: kind('create', 'tokenreviews.authentication.k8s.io'),
  createSubjectAccessReview: kind('create', 'subjectaccessreviews.authorization.k8s.io'),
  createEvent: kind('create', 'events'),
  patchEvent: kind('patch', 'events'),
  createProxyEvent: kind('create', 'events.events.k8s.io'),
} as const;
export type CallKind = keyof typeof CALL_KINDS;

/** Hands out the series of the current phase. */
export class FleetCalls {
  readonly #recorder: CallRecorder;
  #phase: string;
  #series: Partial<Record<string, CallSeriesRecorder>> = {};
  /** Calls sent and not answered. */
  inFlightCount = 0;

  constructor(recorder: CallRecorder, phase: string) {
    this.#recorder = recorder;
    this.#phase = phase;
  }

  /** Calls that end from now on belong to `phase`. */
  setPhase(phase: string): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#series = {};
  }

  offer(source: CallSource, callKind: CallKind): CallSeriesRecorder {
    const id = `${source} ${callKind}`;
    let series = this.#series[id];
    if (series === undefined) {
      series = this.#recorder.series({ source, ...CALL_KINDS[callKind], variant: '', phase: this.#phase });
      this.#series[id] = series;
    }
    series.offer();
    this.inFlightCount++;
    return series;
  }

  /** Records a call that offer() announced. All instants in monotonic µs. */
  done(
    series: CallSeriesRecorder,
    times: { intendedUs: number; sentUs: number; doneUs: number },
    outcome: Outcome,
    receivedBytes: number,
    sentBytes: number,
  ): void {
    this.inFlightCount--;
    series.record(times.intendedUs, times.sentUs, times.doneUs, outcome, receivedBytes, sentBytes);
  }
}
