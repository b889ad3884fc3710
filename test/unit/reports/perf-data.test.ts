import { describe, expect, it } from 'vitest';
import { type PerfData, perfDataFiles } from '../../../reports/index.ts';
import type { RunResult } from '../../../src/result/index.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

function perfData(result: RunResult, summary: string): PerfData {
  const file = perfDataFiles(result).find((one) => one.name.startsWith(`${summary}_quickstart_`));
  if (file === undefined || !('dataItems' in file.content)) throw new Error(`no ${summary}`);
  return file.content;
}

describe('perf-data', () => {
  it('reads as its golden files', async () => {
    const files = perfDataFiles(sampleRun('quickstart'));
    await expect(`${JSON.stringify(files, undefined, 2)}\n`).toMatchFileSnapshot('goldens/perf-data.json');
  });

  it('names its files as perf-dash looks for them', () => {
    expect(perfDataFiles(sampleRun('quickstart')).map((file) => file.name)).toEqual(
      [
        'APIResponsivenessPrometheus_simple',
        'APIResponsiveness',
        'PodStartupLatency_PodStartupLatency',
        'StatelessPodStartupLatency_PodStartupLatency',
        'NetworkProgrammingLatency',
        'NodeRegistrationLatency',
        'LeaseLateness',
        'WatchDelivery',
        'SchedulingThroughput',
      ].map((summary) => `${summary}_quickstart_2026-11-22T12-06-02Z.json`),
    );
  });

  it('labels calls as the API server does, counts as text, figures in milliseconds', () => {
    const run = sampleRun('quickstart');
    const item = perfData(run, 'APIResponsiveness').dataItems.find(
      ({ labels }) => labels?.['Verb'] === 'LIST' && labels?.['Scope'] === 'cluster',
    );
    const series = run.series.find(
      ({ key }) => key.verb === 'list' && key.scope === 'cluster' && key.source === 'load',
    );
    expect(item).toEqual({
      data: {
        Perc50: (series?.response.summary.p50Us ?? 0) / 1_000,
        Perc90: (series?.response.summary.p90Us ?? 0) / 1_000,
        Perc99: (series?.response.summary.p99Us ?? 0) / 1_000,
      },
      unit: 'ms',
      labels: {
        Verb: 'LIST',
        Resource: 'nodes',
        Subresource: '',
        Scope: 'cluster',
        Count: '360',
        SlowCount: '0',
      },
    });
  });

  it('has network programming of all proxies in one item without labels, as upstream', () => {
    const run = sampleRun('quickstart');
    const summary = run.networkProgramming?.at(-1)?.programming.summary;
    const ms = (us = 0) => us / 1_000;
    expect(perfData(run, 'NetworkProgrammingLatency')).toEqual({
      version: 'v1',
      dataItems: [
        {
          data: { Perc50: ms(summary?.p50Us), Perc90: ms(summary?.p90Us), Perc99: ms(summary?.p99Us) },
          unit: 'ms',
        },
      ],
    });
    delete run.networkProgramming;
    expect(() => perfData(run, 'NetworkProgrammingLatency')).toThrow('no NetworkProgrammingLatency');
  });

  it('counts slow calls of the server by the limit of their scope', () => {
    const run = sampleRun('slo-failure');
    const item = perfData(run, 'APIResponsivenessPrometheus_simple').dataItems.find(
      ({ labels }) => labels?.['Verb'] === 'POST' && labels?.['Resource'] === 'pods',
    );
    const sli = run.server
      .flatMap((component) => component.sli ?? [])
      .find((one) => one.verb === 'POST' && one.resource === 'pods');
    const fast = sli?.buckets.find((bucket) => bucket.leSeconds === 1)?.count ?? 0;
    expect(item?.labels?.['SlowCount']).toBe(String((sli?.count ?? 0) - fast));
    expect(Number(item?.labels?.['SlowCount'])).toBeGreaterThan(0);
  });

  it('names the transitions of pod startup as upstream does', () => {
    const { version, dataItems } = perfData(sampleRun('quickstart'), 'PodStartupLatency_PodStartupLatency');
    expect(version).toBe('1.0');
    expect(dataItems.map(({ labels }) => labels?.['Metric'])).toEqual([
      'create_to_schedule',
      'schedule_to_run',
      'run_to_watch',
      'schedule_to_watch',
      'create_to_run',
      'pod_startup',
    ]);
  });

  it('writes no file of zeros for a run without data', () => {
    expect(perfDataFiles(sampleRun('no-data'))).toEqual([]);
  });
});
