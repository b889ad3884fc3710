/** Several faults induced as one: induced in order, healed in reverse, their bounds added up. */
import type { FaultSettings } from '../../config/index.ts';
import type { Fault, InducedFault } from '../library/fault.ts';
import { FAULTS } from '../library/library.ts';
import type { Expectation } from '../observation/judge.ts';

/** The fault that an entry of a schedule asks for, with those that come together with it. */
export function faultOf(settings: FaultSettings): Fault {
  const parts = [settings.fault, ...settings.with].map((name) => FAULTS[name]);
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const join = (text: (fault: Fault) => string) => parts.map(text).join(' Together with it: ');
  return {
    name: settings.fault,
    fails: join(({ fails }) => fails),
    induced: join(({ induced }) => induced),
    expected: join(({ expected }) => expected),
    observed: join(({ observed }) => observed),
    durationMs: Math.max(...parts.map(({ durationMs }) => durationMs)),
    settleMs: Math.max(...parts.map(({ settleMs }) => settleMs)),
    expectations: (own, timings) => addUp(parts.flatMap((fault) => fault.expectations(own, timings))),
    ...joined(parts),
  };
}

/** One bound per figure: upper bounds add up; a lower bound is that of the part which asks for least. */
export function addUp(expectations: readonly Expectation[]): Expectation[] {
  const sums = new Map<string, Expectation>();
  for (const expectation of expectations) {
    const before = sums.get(expectation.figure);
    if (before === undefined) {
      sums.set(expectation.figure, expectation);
      continue;
    }
    const { figure } = expectation;
    const because =
      before.because === expectation.because
        ? before.because
        : `${before.because}; and ${expectation.because}`;
    const sum: Expectation = { figure, because };
    if (before.atMost !== undefined || expectation.atMost !== undefined)
      sum.atMost = (before.atMost ?? 0) + (expectation.atMost ?? 0);
    if (before.atLeast !== undefined && expectation.atLeast !== undefined)
      sum.atLeast = Math.min(before.atLeast, expectation.atLeast);
    sums.set(figure, sum);
  }
  return [...sums.values()];
}

/** Induces the parts in order and heals them in reverse; keeps what is under way, also where a later part failed. */
function joined(parts: readonly Fault[]): Required<Pick<Fault, 'induce' | 'undo'>> {
  const induced: InducedFault[] = [];
  let begun = 0;
  const heal = async (signal: AbortSignal) => {
    const errors: unknown[] = [];
    for (const one of induced.splice(0).toReversed())
      await one.heal(signal).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be healed');
  };
  return {
    async induce(world, settings, signal) {
      for (const fault of parts) {
        begun++;
        induced.push(await fault.induce(world, settings, signal));
      }
      const findings = induced.flatMap((one) => (one.findings === undefined ? [] : [one.findings]));
      // Where one of them takes the cluster back in time, all of it went back.
      const rewound = induced.flatMap(({ rewoundToUs }) => rewoundToUs ?? []);
      return {
        targets: induced.flatMap(({ targets }) => targets),
        ...(rewound.length === 0 ? {} : { rewoundToUs: Math.min(...rewound) }),
        heal,
        findings: () => findings.flatMap((ask) => ask()),
      };
    },
    async undo(world, settings, signal) {
      const failed = parts[begun - 1];
      await failed?.undo?.(world, settings, signal);
      await heal(signal);
    },
  };
}
