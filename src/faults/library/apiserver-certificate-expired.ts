/** A serving certificate runs out. */
import { delay } from '../../core/index.ts';
import { DEAD_SERVER_MS, REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { pickMember } from './targets.ts';

const POLL_MS = 200;

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
      figure: 'noticedMs',
      atMost: 60_000 + DEAD_SERVER_MS + SLACK_MS,
      because: 'files are read again within a minute, two checks fail at their handshake; slack 4 s',
    },
    { figure: 'certificatesExpired', atLeast: 1, because: 'files are read again within a minute' },
    { figure: 'certificatesRotated', atLeast: 1, because: 'as the expired one' },
    {
      figure: 'writeAvailability',
      atLeast: 0.95,
      because: 'calls that were with the member fail until the load balancer takes it out',
    },
  ],
  async induce(world, { target }) {
    const name = pickMember(world, 'kube-apiserver', target);
    const { clock } = world;
    const { certificates } = world.levers;
    await certificates.expire(name);
    let expiredCount = 0;
    let rotatedCount = 0;
    return {
      targets: [name],
      heal: async (healing) => {
        const { notAfter } = await certificates.served(name, healing);
        if (Date.parse(notAfter) < clock.wallMs()) expiredCount++;
        const serial = await certificates.rotate(name);
        // The server looks for new files each minute at the latest.
        while (rotatedCount === 0) {
          if ((await certificates.served(name, healing)).serial === serial) rotatedCount++;
          else await delay(POLL_MS, { signal: healing, clock });
        }
      },
      findings: () => [
        { name: 'certificates-expired', value: expiredCount, text: 'servers of an expired certificate' },
        { name: 'certificates-rotated', value: rotatedCount, text: 'servers of the new certificate' },
      ],
    };
  },
};
