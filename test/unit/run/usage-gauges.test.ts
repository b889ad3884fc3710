import { describe, expect, it } from 'vitest';
import { UsageGauges } from '../../../src/run/usage-gauges.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

/** No Linux gives out pids as high as this. */
const GONE = 2 ** 30;

describe('CPU and memory of the control plane', () => {
  it('are those of the process that runs now, also after a member was started again', async () => {
    const clock = virtualClock();
    const etcd = { component: 'etcd', name: 'etcd-0', pid: GONE };
    const gauges = new UsageGauges(clock, { components: [etcd] });
    expect(gauges.sample().etcdRssBytes).toBeUndefined();
    etcd.pid = process.pid;
    await clock.advance(1_000);
    expect(gauges.sample().etcdRssBytes).toBeGreaterThan(2 ** 20);
    await clock.advance(1_000);
    expect(gauges.sample().etcdCpuCores).toBeGreaterThanOrEqual(0);
  });
});
