/**
 * Levers on the network between members: commands to the link proxy.
 */
import { HarnessError } from '../../core/index.ts';
import type { ClusterAccess } from '../../kube/index.ts';
import type { LinkPlan } from '../links/link-plan.ts';
import { requestHttps } from '../readiness.ts';
import type { LinkLevers, LinkRule } from './levers.ts';

/** Levers over the proxy that `access` reaches. */
export function linkLevers(plan: LinkPlan, access: ClusterAccess): LinkLevers {
  const { pairs } = plan;
  const send = async (
    changes: readonly { from: string; to: string; rule: LinkRule }[],
    signal: AbortSignal,
  ) => {
    const reply = await requestHttps(
      access,
      { method: 'POST', path: '/links', body: JSON.stringify(changes) },
      signal,
    );
    if (reply.status !== 200)
      throw new HarnessError('HM_INTERNAL', `the link proxy answers ${reply.status}: ${reply.body}`);
  };
  return {
    pairs: () => pairs,
    async set(from, to, rule, signal) {
      if (!pairs.some((pair) => pair.from === from && pair.to === to))
        throw new HarnessError('HM_USAGE', `there is no link from ${from} to ${to}`);
      await send([{ from, to, rule }], signal);
    },
    async isolate(names, rule, signal) {
      const crossing = pairs.filter(({ from, to }) => names.includes(from) !== names.includes(to));
      await send(
        crossing.map((pair) => ({ ...pair, rule })),
        signal,
      );
      return crossing;
    },
    async healAll(signal) {
      await send(
        pairs.map((pair) => ({ ...pair, rule: {} })),
        signal,
      );
    },
    async counts(signal) {
      const reply = await requestHttps(access, { method: 'GET', path: '/links' }, signal);
      return JSON.parse(reply.body);
    },
  };
}
