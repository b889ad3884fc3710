/** A serving certificate runs out. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { pickMember } from './targets.ts';

export const apiserverCertificateExpired: Fault = {
  name: 'apiserver-certificate-expired',
  fails: 'One API server serves a certificate that has expired.',
  induced:
    'The file is replaced by an expired one, and by a new one when healed; the server takes either without a restart.',
  expected:
    'Within a minute new connections to it fail, and its health check with them; the others serve; with the new certificate it is taken back.',
  observed:
    'Serial number of the certificate that is served; state of the backends; probes to each API server.',
  durationMs: 75_000,
  settleMs: 75_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'a refused connection is redispatched at once; 1 s, slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'writeAvailability',
      atLeast: 0.95,
      because: 'calls that were with the member fail until the load balancer takes it out',
    },
  ],
  async induce(world, { target }) {
    const name = pickMember(world, 'kube-apiserver', target);
    const { certificates } = world.levers;
    await certificates.expire(name);
    return {
      targets: [name],
      heal: async () => {
        await certificates.rotate(name);
      },
    };
  },
};
