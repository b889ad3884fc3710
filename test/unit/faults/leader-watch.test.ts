import { describe, expect, it } from 'vitest';
import { checkLeaders, observe, ProbeLog, replicaStatus } from '../../../src/faults/index.ts';

const S = 1e6;
const WINDOW = { beforeUs: 0, inducedUs: 10 * S, healedUs: 40 * S, endUs: 60 * S };

const page = (leads: number) => `
# HELP leader_election_master_status [ALPHA] Gauge of if the reporting system is master of the relevant lease.
# TYPE leader_election_master_status gauge
leader_election_master_status{name="kube-scheduler"} ${leads}
# TYPE rest_client_requests_total counter
rest_client_requests_total{code="200",host="127.0.0.1:6443",method="GET"} 1000
rest_client_requests_total{code="200",host="127.0.0.1:6443",method="PUT"} 40
rest_client_requests_total{code="201",host="127.0.0.1:6443",method="POST"} 7
rest_client_requests_total{code="409",host="127.0.0.1:6443",method="PUT"} 1
`;

describe('what a replica says of itself', () => {
  it('is whether it leads, and how many changes it has asked for', () => {
    expect(replicaStatus(page(1))).toEqual({ leads: true, changeCount: 48 });
    expect(replicaStatus(page(0))).toEqual({ leads: false, changeCount: 48 });
  });

  it('is that it does not lead where it was started without leader election', () => {
    expect(replicaStatus('process_start_time_seconds 1\n')).toEqual({ leads: false, changeCount: 0 });
  });
});

describe('a leader that was paused for longer than its lease', () => {
  const both = ['kube-scheduler-0', 'kube-scheduler-1'];

  it('is forgiven while it has just woken, and found out when it goes on', () => {
    const sample = { atUs: 41 * S, component: 'kube-scheduler', acting: both };
    expect(checkLeaders([], [{ ...sample, woken: ['kube-scheduler-0'] }]).state).toBe('held');
    expect(checkLeaders([], [sample]).violations[0]).toContain('led at the same time');
  });

  it('is reported with how long it led on, what it asked for, and how it ended', () => {
    const log = new ProbeLog();
    log.woken.push(
      {
        component: 'kube-scheduler',
        name: 'kube-scheduler-0',
        wokeUs: 40 * S,
        ledUntilUs: 40.2 * S,
        changeCount: 2,
        endedUs: 40.3 * S,
        ended: 'exit code 1',
      },
      { component: 'kube-scheduler', name: 'kube-scheduler-1', wokeUs: 5 * S },
    );
    const { wokenLeaders } = observe({
      log,
      window: WINDOW,
      limits: { writeLimitUs: S, readLimitUs: S, quantile: 0.99 },
      notices: [],
      processes: [],
      findings: [],
      etcdLeaderChangeCount: 0,
      fleet: {
        before: { reconnectCount: 0, relistCount: 0 },
        after: { reconnectCount: 0, relistCount: 0 },
      },
      unknown: { unknownCount: 0, appliedCount: 0 },
    });
    expect(wokenLeaders).toEqual([
      { name: 'kube-scheduler-0', ledForMs: 200, changeCount: 2, endedAfterMs: 300, ended: 'exit code 1' },
    ]);
  });
});
