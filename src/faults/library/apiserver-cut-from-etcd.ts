/** One API server cannot reach etcd. */
import { HUNG_SERVER_MS, REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { linksOf, pickMember } from './targets.ts';

export const apiserverCutFromEtcd: Fault = {
  name: 'apiserver-cut-from-etcd',
  fails: 'One API server is alive and cannot reach any member of etcd.',
  induced: 'Every link between it and etcd drops what it carries.',
  expected:
    'Its /readyz fails within 3 s and the load balancer takes it out; the others serve; and nothing acknowledged is lost.',
  observed: 'Write and read probes through the load balancer and to each API server; state of the backends.',
  durationMs: 20_000,
  settleMs: 15_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because:
        'every third call is with it until its health check fails: 2 s for etcd, two checks; slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'noticedMs',
      atMost: 2_000 + HUNG_SERVER_MS + SLACK_MS,
      because: '/readyz gives etcd 2 s; two checks; slack 4 s',
    },
    {
      figure: 'recoveredMs',
      atMost: 2_000 + HUNG_SERVER_MS + SLACK_MS,
      because: 'as noticed, then sessions are cut; slack 4 s',
    },
  ],
  async induce(world, { target }, signal) {
    const name = pickMember(world, 'kube-apiserver', target);
    const links = linksOf(world);
    await links.isolate([name], { cut: 'drop' }, signal);
    return { targets: [name], heal: (healing) => links.healAll(healing) };
  },
};
