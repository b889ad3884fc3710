import { describe, expect, it } from 'vitest';
import type { BackendServer, PlaneLevers } from '../../../src/controlplane/index.ts';
import { SystemWatch } from '../../../src/faults/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

const UP: BackendServer = {
  name: 'kube-apiserver-0',
  state: 'UP',
  sessionCount: 3,
  downCount: 0,
  check: 'L7OK',
  sinceMs: 60_000,
};

/** What the load balancer says in one sample after the other; the last one stays. */
async function noticesOf(samples: readonly Partial<BackendServer>[]): Promise<string[]> {
  const clock = virtualClock();
  const left = [...samples];
  let now: BackendServer = UP;
  const levers: Pick<PlaneLevers, 'onEvent' | 'loadBalancer' | 'etcd' | 'events'> = {
    events: [],
    onEvent: () => () => {},
    loadBalancer: {
      name: 'haproxy-0',
      servers: async () => {
        now = { ...UP, ...left.shift() };
        return [now];
      },
      setServerState: async () => {},
      forceHealth: async () => {},
      shutdownSessions: async () => {},
    },
    etcd: { leader: async () => 'etcd-0' } as unknown as PlaneLevers['etcd'],
  };
  const watch = new SystemWatch(levers as PlaneLevers, clock);
  watch.start();
  await clock.advance(250 * (samples.length - 1));
  const stopped = watch.stop();
  await clock.advance(1_000);
  await stopped;
  return watch.notices.map(({ by }) => by);
}

describe('the watch of the load balancer', () => {
  it('notices nothing while servers are up, nor when one comes back', async () => {
    expect(await noticesOf([{}, { state: 'UP 1/2' }, {}])).toEqual([]);
    expect(await noticesOf([{ state: 'DOWN', check: 'L4CON', downCount: 1 }, { downCount: 1 }])).toEqual([]);
  });

  it('tells by which check a server was found to be down', async () => {
    const down = { state: 'DOWN', check: 'L7TOUT', downCount: 1 };
    expect(await noticesOf([{}, down, { ...down, state: 'DOWN 1/2' }, { downCount: 1 }])).toEqual([
      'the load balancer took kube-apiserver-0 for DOWN (L7TOUT)',
    ]);
  });

  it('notices that a server was down between two samples', async () => {
    expect(await noticesOf([{}, { downCount: 1 }, { downCount: 1 }])).toEqual([
      'the load balancer took kube-apiserver-0 for DOWN and UP again',
    ]);
  });

  it('takes counters that begin anew for a restart of the load balancer', async () => {
    expect(await noticesOf([{ downCount: 4 }, { downCount: 0 }, { downCount: 0 }])).toEqual([]);
  });
});
