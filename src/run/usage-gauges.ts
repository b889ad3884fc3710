/** CPU and memory of the run's local processes, as gauges of the time series. Nothing where a process is elsewhere. */
import type { ControlPlane } from '../controlplane/index.ts';
import type { Clock } from '../core/index.ts';
import { ProcessUsageMeter } from '../measure/index.ts';
import type { Gauges } from '../result/index.ts';

type Part = 'apiserver' | 'etcd' | 'fleet' | 'load';

export class UsageGauges {
  readonly #meters: Record<Part, ProcessUsageMeter>;

  readonly #plane: Pick<ControlPlane, 'components'>;

  constructor(clock: Clock, plane: Pick<ControlPlane, 'components'>) {
    this.#plane = plane;
    this.#meters = {
      apiserver: new ProcessUsageMeter(clock),
      etcd: new ProcessUsageMeter(clock),
      fleet: new ProcessUsageMeter(clock),
      load: new ProcessUsageMeter(clock),
    };
    this.follow('apiserver', this.#pidsOf('kube-apiserver'));
    this.follow('etcd', this.#pidsOf('etcd'));
  }

  follow(part: Part, pids: readonly number[]): void {
    const meter = this.#meters[part];
    meter.follow(pids);
    // The first sample is what later ones are counted from.
    meter.sample();
  }

  /** Since the last sample. */
  sample(): Partial<Gauges> {
    // Members that were started again have another pid.
    this.#meters.apiserver.follow(this.#pidsOf('kube-apiserver'));
    this.#meters.etcd.follow(this.#pidsOf('etcd'));
    const apiserver = this.#meters.apiserver.sample();
    const etcd = this.#meters.etcd.sample();
    const fleet = this.#meters.fleet.sample();
    const load = this.#meters.load.sample();
    const gauges: Partial<Gauges> = {};
    if (apiserver !== undefined) gauges.apiserverRssBytes = apiserver.rssBytes;
    if (apiserver?.cpuCores !== undefined) gauges.apiserverCpuCores = apiserver.cpuCores;
    if (etcd !== undefined) gauges.etcdRssBytes = etcd.rssBytes;
    if (etcd?.cpuCores !== undefined) gauges.etcdCpuCores = etcd.cpuCores;
    if (fleet !== undefined) gauges.fleetRssBytes = fleet.rssBytes;
    if (fleet?.cpuCores !== undefined) gauges.fleetCpuCores = fleet.cpuCores;
    if (load?.cpuCores !== undefined) gauges.loadCpuCores = load.cpuCores;
    return gauges;
  }

  #pidsOf(name: string): number[] {
    return this.#plane.components
      .filter(({ component }) => component === name)
      .flatMap(({ pid }) => pid ?? []);
  }
}
