import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LAG_RESOLUTION_MS, LATE_START_US } from '../../../src/measure/index.ts';
import {
  HISTOGRAM_MAX_US,
  judgeTrust,
  minSampleCount,
  OFFICIAL_LIMITS,
  SLO_NAME,
  SLO_WINDOW_MS,
  TRUST_LIMITS,
} from '../../../src/result/index.ts';
import { trustInput } from '../../helpers/results.ts';

const text = readFileSync(new URL('../../../docs/measurements.md', import.meta.url), 'utf8');
/** Cells of every table row, by its first cell. */
const rows = new Map(
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
    .map(([first = '', ...rest]) => [first, rest] as const),
);
const percent = (ratio: number) => `${Number((ratio * 100).toFixed(3))} %`;

describe('docs/measurements.md', () => {
  it('lists the official limits', () => {
    const limit = (name: string) => rows.get(name)?.[1];
    expect(limit(SLO_NAME.mutating)).toBe(`${OFFICIAL_LIMITS.mutatingLimitMs / 1_000} s`);
    expect(limit(`${SLO_NAME.read}, scope resource`)).toBe(
      `${OFFICIAL_LIMITS.readResourceLimitMs / 1_000} s`,
    );
    expect(limit(`${SLO_NAME.read}, scope namespace`)).toBe(
      `${OFFICIAL_LIMITS.readNamespaceLimitMs / 1_000} s`,
    );
    expect(limit(`${SLO_NAME.read}, scope cluster`)).toBe(`${OFFICIAL_LIMITS.readClusterLimitMs / 1_000} s`);
    expect(limit(SLO_NAME.podStartup)).toBe(`${OFFICIAL_LIMITS.podStartupLimitMs / 1_000} s`);
    expect(text).toContain(`All at p${OFFICIAL_LIMITS.quantile * 100}.`);
    expect(text).toContain(`(${SLO_WINDOW_MS / 1_000} s from the start of the run)`);
  });

  it('lists the sample sizes', () => {
    for (const quantile of [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]) {
      const [needed] = rows.get(`p${Number((quantile * 100).toFixed(2))}`) ?? [];
      expect(needed?.replace(',', '')).toBe(String(minSampleCount(quantile)));
    }
  });

  it('lists every trust check, in order, and no other', () => {
    const listed = text.slice(text.indexOf('## Trust'), text.indexOf('## Sources'));
    const names = [...listed.matchAll(/^\| ([a-zA-Z -]+) \| (?:INVALID|DEGRADED) /gm)].map(
      ([, name]) => name,
    );
    expect(names).toEqual(judgeTrust(trustInput()).checks.map((check) => check.name));
  });

  it.each([
    { check: 'agent silence', limit: String(TRUST_LIMITS.reportGapPeriodCount) },
    { check: 'schedule slip', limit: percent(TRUST_LIMITS.slipOfSloLimitRatio) },
    { check: 'achieved rate', limit: percent(TRUST_LIMITS.startedRatio) },
    { check: 'dropped arrivals', limit: percent(TRUST_LIMITS.droppedRatio) },
    { check: 'lease slip', limit: `${TRUST_LIMITS.leaseSlipMs / 1_000} s` },
    { check: 'slip in latency', limit: percent(TRUST_LIMITS.slipOfMeasuredRatio) },
    { check: 'event-loop lag', limit: `${TRUST_LIMITS.loopLagMs} ms` },
    { check: 'garbage collection', limit: percent(TRUST_LIMITS.gcRatio) },
    { check: 'agent CPU', limit: percent(TRUST_LIMITS.cpuRatio) },
    { check: 'host CPU', limit: percent(TRUST_LIMITS.stealRatio) },
    { check: 'server clock', limit: `${TRUST_LIMITS.clockDifferenceMs / 1_000} s` },
  ])('gives $check the limit $limit', ({ check, limit }) => {
    expect(rows.get(check)?.[2]).toBe(limit);
  });

  it('gives the remaining constants', () => {
    expect(text).toContain(`never below ${TRUST_LIMITS.slipFloorMs} ms`);
    expect(text).toContain(`longest pause over ${TRUST_LIMITS.gcPauseMs} ms`);
    expect(text).toContain(`timer's period (${LAG_RESOLUTION_MS} ms)`);
    expect(text).toContain(`went out within ${LATE_START_US / 1e6} s of their instant`);
    expect(text).toContain(`Values over ${HISTOGRAM_MAX_US / 3.6e9} h count as 1 h`);
  });
});
