/**
 * What hollow pods do beyond starting and staying: the settings of `fleet.behaviours`, and how a pod asks for one of
 * them, or for single settings, by label and annotation. Both the suite's check and the hollow kubelet read pods here,
 * so that a manifest that passes the check behaves as it says.
 */

import { type DurationRange, parseDurationRange } from './quantities.ts';
import { didYouMean } from './suggest.ts';

/** Label or annotation that names an entry of `fleet.behaviours`; the annotation wins. */
export const BEHAVIOUR_KEY = 'hollowmark.dev/behaviour';

/** Node resources that a container can exhaust. */
export const PRESSURES = ['memory', 'disk'] as const;
export type Pressure = (typeof PRESSURES)[number];

/** What one container does. Ranges are drawn anew for each run; what is absent never happens. */
export interface ContainerBehaviour {
  /** From running until it exits by itself. */
  runMs?: DurationRange | undefined;
  /** Of exits by itself; drawn from the list. @default 0 */
  exitCodes?: readonly number[] | undefined;
  /** Only the first so many runs end by themselves, later ones stay. @default all */
  exitCount?: number | undefined;
  /** Exits by itself are kills for want of memory: code 137, reason OOMKilled. */
  oomKilled?: boolean | undefined;
  /** From running until a startup probe succeeds. @default at once */
  startedMs?: DurationRange | undefined;
  /** From running until a readiness probe succeeds. @default at once */
  readyMs?: DurationRange | undefined;
  /** Once ready, readiness probes fail again and again: for `forMs` after each `everyMs`. */
  unready?: { everyMs: DurationRange; forMs: DurationRange } | undefined;
  /** From running until it hangs: every probe fails from then on. */
  hangMs?: DurationRange | undefined;
  /** How long an exec or HTTP preStop hook takes. @default no time */
  preStopMs?: DurationRange | undefined;
  /** From the termination signal to its end; killed with 137 where the grace period is shorter. */
  stopMs?: DurationRange | undefined;
  /** Of an exit on the termination signal. @default 0 */
  stopExitCode?: number | undefined;
  /** From running until the node is short of a resource because of it. */
  pressure?: { resource: Pressure; afterMs: DurationRange } | undefined;
}

/** An entry of `fleet.behaviours`. */
export interface NamedBehaviour {
  /** Instead of the fleet's. */
  sandboxMs?: DurationRange | undefined;
  /** Instead of the fleet's. */
  startMs?: DurationRange | undefined;
  /** Of main containers. */
  main: ContainerBehaviour;
  /** Of containers of any kind by their names, instead of `main`. */
  containers: Readonly<Record<string, ContainerBehaviour>>;
}

/** Exit codes of a process. */
export const MAX_EXIT_CODE = 255;

type Texts = Readonly<Record<string, string>>;

/** How each annotation changes a behaviour; undefined where its value is not one. */
const SETTINGS: Readonly<
  Record<string, { expected: string; apply(text: string): Partial<NamedBehaviour> | undefined }>
> = {
  'hollowmark.dev/sandbox': ranged((sandboxMs) => ({ sandboxMs })),
  'hollowmark.dev/start': ranged((startMs) => ({ startMs })),
  'hollowmark.dev/run': ranged((runMs) => ({ main: { runMs } })),
  'hollowmark.dev/exit-code': {
    expected: `expected an exit code from 0 to ${MAX_EXIT_CODE}, or several such as "0,0,1"`,
    apply: (text) => {
      const exitCodes = text.split(',').map((part) => (/^ *\d+ *$/.test(part) ? Number(part) : Number.NaN));
      return exitCodes.every((code) => code <= MAX_EXIT_CODE) ? { main: { exitCodes } } : undefined;
    },
  },
  'hollowmark.dev/exits': counted((exitCount) => ({ main: { exitCount } })),
  'hollowmark.dev/started': ranged((startedMs) => ({ main: { startedMs } })),
  'hollowmark.dev/ready': ranged((readyMs) => ({ main: { readyMs } })),
  'hollowmark.dev/hang': ranged((hangMs) => ({ main: { hangMs } })),
  'hollowmark.dev/pre-stop': ranged((preStopMs) => ({ main: { preStopMs } })),
  'hollowmark.dev/stop': ranged((stopMs) => ({ main: { stopMs } })),
  'hollowmark.dev/stop-exit-code': counted((stopExitCode) => ({ main: { stopExitCode } }), MAX_EXIT_CODE),
};

/** Annotations that set one thing. */
export const BEHAVIOUR_ANNOTATIONS: readonly string[] = Object.keys(SETTINGS);

/**
 * The behaviour that a pod with `labels` and `annotations` asks for: undefined where it asks for none. `problem` is
 * called for each value that means nothing, with its key; the rest applies all the same.
 */
export function requestedBehaviour(
  named: Readonly<Record<string, NamedBehaviour>>,
  labels: Texts,
  annotations: Texts,
  problem: (from: 'labels' | 'annotations', key: string, message: string) => void,
): NamedBehaviour | undefined {
  let behaviour: NamedBehaviour | undefined;
  const from = annotations[BEHAVIOUR_KEY] === undefined ? 'labels' : 'annotations';
  const name = (from === 'labels' ? labels : annotations)[BEHAVIOUR_KEY];
  if (name !== undefined) {
    behaviour = Object.hasOwn(named, name) ? named[name] : undefined;
    if (behaviour === undefined) problem(from, BEHAVIOUR_KEY, unknownName(name, Object.keys(named)));
  }
  for (const key in annotations) {
    if (!key.startsWith('hollowmark.dev/')) continue;
    const setting = SETTINGS[key];
    if (setting === undefined) continue;
    const text = annotations[key] ?? '';
    const change = setting.apply(text);
    if (change === undefined) {
      problem('annotations', key, `${setting.expected}, got ${JSON.stringify(text)}`);
      continue;
    }
    behaviour = {
      ...(behaviour ?? NOTHING),
      ...change,
      main: { ...behaviour?.main, ...change.main },
    };
  }
  return behaviour;
}

const NOTHING: NamedBehaviour = { main: {}, containers: {} };

function unknownName(name: string, names: readonly string[]): string {
  return names.length === 0
    ? `${JSON.stringify(name)} is no behaviour: the suite has no fleet.behaviours`
    : `${JSON.stringify(name)} is no behaviour of fleet.behaviours${didYouMean(name, names)}`;
}

function ranged(change: (range: DurationRange) => Partial<NamedBehaviour>) {
  return {
    expected: 'expected a duration such as 20s, or a range of them such as 10s..20s',
    apply: (text: string) => {
      const range = parseDurationRange(text);
      return range === undefined ? undefined : change(range);
    },
  };
}

function counted(change: (count: number) => Partial<NamedBehaviour>, max = 1_000_000) {
  return {
    expected: `expected a whole number from 0 to ${max}`,
    apply: (text: string) => {
      const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return count <= max ? change(count) : undefined;
    },
  };
}
