import { describe, expect, it } from 'vitest';
import { FAULTS, timingsOf } from '../../../src/faults/index.ts';

const SHORT = timingsOf({
  controlPlane: {
    flags: {
      'kube-controller-manager': {
        'leader-elect-lease-duration': '6s',
        'leader-elect-renew-deadline': '4s',
        'leader-elect-retry-period': '1s',
        'node-monitor-grace-period': '16s',
        'node-monitor-period': '1s',
      },
    },
  },
  fleet: { leaseDurationMs: 12_000 },
});
const UPSTREAM = timingsOf({ controlPlane: { flags: {} }, fleet: { leaseDurationMs: 40_000 } });

/** The upper bound of one figure. */
function most(fault: 'controller-manager-kill' | 'scheduler-kill' | 'nodes-silent', figure: string) {
  const settings = { fault, with: [], expect: 'met' } as const;
  return (timings: typeof SHORT) =>
    FAULTS[fault].expectations(settings, timings).find((one) => one.figure === figure)?.atMost;
}

describe('bounds', () => {
  it("are upstream's where a suite sets no flags", () => {
    expect(UPSTREAM).toEqual({
      controllerManager: { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 },
      scheduler: { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 },
      nodeGraceMs: 50_000,
      nodeCheckMs: 5_000,
      heartbeatMs: 10_000,
    });
    // Lease 15 s, a look each 4.4 s at most, 2 s to make and bind, slack 8 s.
    expect(most('controller-manager-kill', 'podBoundMs')(UPSTREAM)).toBe(29_400);
    // 50 s, a look each 5 s, slack 8 s.
    expect(most('nodes-silent', 'firstNodeNotReadyMs')(UPSTREAM)).toBe(63_000);
  });

  it('follow the flags of the component that they are about', () => {
    expect(most('controller-manager-kill', 'podBoundMs')(SHORT)).toBe(6_000 + 2_200 + 2_000 + 8_000);
    expect(most('scheduler-kill', 'podBoundMs')(SHORT)).toBe(29_400);
    expect(most('nodes-silent', 'firstNodeNotReadyMs')(SHORT)).toBe(16_000 + 1_000 + 8_000);
  });

  it('of nodes count from the duration that the suite gives', () => {
    const settings = { fault: 'nodes-silent', durationMs: 19_000, with: [], expect: 'met' } as const;
    const bound = FAULTS['nodes-silent']
      .expectations(settings, SHORT)
      .find(({ figure }) => figure === 'allNodesReadyMs');
    expect(bound?.atMost).toBe(19_000 + 3_000 + 1_000 + 8_000);
  });
});
