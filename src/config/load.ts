/**
 * Loading a suite: YAML, overrides, parameters, schema, resolution, checks. Every problem is collected with its place
 * and they are thrown together; what comes back can be run as it stands.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import { ConfigError, type ConfigProblem } from '../core/index.ts';
import { checkSuite } from './check.ts';
import { readYaml } from './document.ts';
import { type Finding, findingsOf } from './issues.ts';
import { acceptedValue, schemaAt } from './json-schema.ts';
import { type AppliedOverride, applyOverrides, type SuiteOverrides } from './overrides.ts';
import { substituteParameters, unusedParameters } from './parameters.ts';
import { formatPath, isRecord, isWithin, type Path, parsePath, valueAt } from './paths.ts';
import { resolve } from './resolve.ts';
import { type SuiteInput, suiteSchema } from './schema.ts';
import { LOCAL_ONLY_KEYS } from './schema-control-plane.ts';
import type { LoadAction, Suite } from './suite.ts';

/** A suite's text and where it came from: `path` is shown in places, and files in the suite are relative to it. */
export interface SuiteSource {
  path: string;
  text: string;
  /** Folder that `path` is relative to. @default the working directory of the process */
  cwd?: string;
}

export interface LoadedSuite {
  /** Deep-frozen. */
  suite: Suite;
  path: string;
  text: string;
  /**
   * Of what is asked of a cluster: the resolved suite without its name, description, thresholds, and the control plane's
   * provider, version and profile, which a result's fingerprint has in fields of their own. Comments and the order of
   * keys do not change it, overrides do.
   */
  sha256: string;
  /** `fleet.nodes=50`: each as `--set` takes it. */
  overrides: readonly string[];
}

/**
 * A check that a layer above adds, because it knows more: reports problems of values by their paths, written as in
 * `controlPlane.flags.etcd.name`.
 */
export type SuiteCheck = (suite: Suite, report: (path: string, message: string) => void) => void;

/**
 * The suite in `source` with the command line's `overrides`.
 * @throws HM_CONFIG_INVALID with every problem (ConfigError).
 */
export function loadSuite(
  source: SuiteSource,
  overrides: SuiteOverrides = {},
  checks: readonly SuiteCheck[] = [],
): LoadedSuite {
  const yaml = readYaml(source.text, source.path);
  const problems: ConfigProblem[] = [...yaml.problems];
  if (yaml.broken) throw configError(problems);

  const changed = applyOverrides(yaml.value, overrides);
  problems.push(...changed.problems);
  const raw = attachedAlone(changed.value, changed.applied);

  const add = (finding: Finding) => {
    const override = changed.applied.findLast(({ path }) => isWithin(finding.path, path));
    const place = finding.atKey ? yaml.placeOfKey(finding.path) : yaml.placeOfValue(finding.path);
    problems.push({
      place: override?.place.split(' ')[0] ?? place,
      path: formatPath(finding.path),
      message: finding.message,
    });
  };
  const report = (path: Path, message: string) => add({ path, message, atKey: false });

  for (const finding of unusedParameters(yaml.value)) add(finding);
  const value = substituteParameters(raw, report);
  const parsed = parse(value, add);
  if (parsed.input !== undefined) {
    const reportSure = (path: Path, message: string) => {
      if (!parsed.doubtful.some((doubtful) => isWithin(path, doubtful))) report(path, message);
    };
    const suite = resolveAndCheck(parsed.input, value, source, reportSure);
    for (const check of checks) check(suite, (path, message) => reportSure(parsePath(path) ?? [], message));
    if (problems.length === 0) {
      return {
        suite: deepFreeze(suite),
        path: source.path,
        text: source.text,
        sha256: suiteSha256(suite),
        overrides: changed.applied.map(({ text }) => text),
      };
    }
  }
  throw configError(problems);
}

/**
 * The schema's view of `value`. Where it refuses, accepted values are put in place of the refused ones and the rest is
 * looked at once more, so that problems beyond the schema are found in the same pass; `doubtful` is where what is
 * found then may be a mere consequence.
 */
function parse(
  value: unknown,
  add: (finding: Finding) => void,
): { input: SuiteInput | undefined; doubtful: readonly Path[] } {
  const first = suiteSchema.safeParse(value);
  if (first.success) return { input: first.data, doubtful: [] };
  const findings = findingsOf(first.error, value);
  for (const finding of findings) add(finding);
  const second = suiteSchema.safeParse(repaired(value, findings));
  return { input: second.success ? second.data : undefined, doubtful: findings.map(doubtfulAround) };
}

function repaired(value: unknown, findings: readonly Finding[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path, atKey } of findings) {
    const key = path.at(-1);
    const isActionKind = path.length === ACTION_DEPTH + 1 && key === 'action';
    // Of an action of unknown kind nothing can be said: any other stands in for it.
    const target = isActionKind ? path.slice(0, -1) : path;
    const schema = isActionKind ? schemaAt(copy, target.slice(0, -1))?.items : schemaAt(copy, target);
    const last = target.at(-1);
    const container = valueAt(copy, target.slice(0, -1));
    if (Array.isArray(container) && typeof last === 'number') container[last] = acceptedValue(schema ?? {});
    else if (isRecord(container)) {
      if (atKey) delete container[String(last)];
      else container[String(last)] = acceptedValue(schema ?? {});
    }
  }
  return copy;
}

/** Length of the path of an action: `load.phases[0].actions[0]`. */
const ACTION_DEPTH = 5;

function doubtfulAround({ path, atKey }: Finding): Path {
  if (path[0] === 'load' && path.length > ACTION_DEPTH) return path.slice(0, ACTION_DEPTH);
  return atKey && path.length > 1 ? path.slice(0, -1) : path;
}

function resolveAndCheck(
  input: SuiteInput,
  value: unknown,
  source: SuiteSource,
  report: (path: Path, message: string) => void,
): Suite {
  const folder = dirname(resolvePath(source.cwd ?? '.', source.path));
  const suite = resolve(input, {
    report,
    readTemplate: (file) => readFileSync(resolvePath(folder, file), 'utf8'),
  });
  const controlPlane = valueAt(value, ['controlPlane']);
  checkSuite(suite, {
    report,
    controlPlaneKeys: isRecord(controlPlane) ? Object.keys(controlPlane) : [],
    actionPath: (phaseIndex, action) => actionPath(input, suite, phaseIndex, action),
  });
  return suite;
}

// Actions that could not be resolved are missing in the suite, so positions there and in the text may differ.
function actionPath(input: SuiteInput, suite: Suite, phaseIndex: number, action: LoadAction): Path {
  const written = input.load.phases[phaseIndex]?.actions ?? [];
  const resolved = suite.load.phases[phaseIndex]?.actions ?? [];
  let index = resolved.indexOf(action);
  if (resolved.length !== written.length) {
    const sameKind = resolved.filter((other) => other.action === action.action).indexOf(action);
    index = written.findIndex((_, position) => ordinal(written, position, action.action) === sameKind);
  }
  return ['load', 'phases', phaseIndex, 'actions', Math.max(0, index)];
}

function ordinal(actions: readonly { action: string }[], position: number, kind: string): number {
  return actions[position]?.action === kind
    ? actions.slice(0, position).filter(({ action }) => action === kind).length
    : -1;
}

/**
 * Where the command line attaches to a cluster, what the file says of a local control plane does not apply and is
 * left out; what the command line itself says of one stays, and is refused later.
 */
function attachedAlone(value: unknown, applied: readonly AppliedOverride[]): unknown {
  const attached = applied.some(({ path }) => formatPath(path) === 'controlPlane.provider');
  const section = valueAt(value, ['controlPlane']);
  if (!attached || !isRecord(value) || !isRecord(section) || section['provider'] !== 'kubeconfig')
    return value;
  const set = new Set(applied.filter(({ path }) => path[0] === 'controlPlane').map(({ path }) => path[1]));
  const kept = Object.entries(section).filter(
    ([key]) => !LOCAL_ONLY_KEYS.some((local) => local === key) || set.has(key),
  );
  return { ...value, controlPlane: Object.fromEntries(kept) };
}

function configError(problems: readonly ConfigProblem[]): ConfigError {
  const unique = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()].sort(
    byPlace,
  );
  const count = unique.length === 1 ? '1 problem' : `${unique.length} problems`;
  return new ConfigError(unique, {
    hint: `${count}; nothing was started (docs/suite-reference.md describes every key)`,
  });
}

// From the top of the file to its end; what the command line did comes after, in its own order.
function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  const [aLine, aColumn] = position(a);
  const [bLine, bColumn] = position(b);
  return aLine === bLine ? aColumn - bColumn : aLine - bLine;
}

function position(problem: ConfigProblem): [line: number, column: number] {
  const match = /:(\d+):(\d+)$/.exec(problem.place);
  return match === null ? [Number.MAX_SAFE_INTEGER, 0] : [Number(match[1]), Number(match[2])];
}

function suiteSha256(suite: Suite): string {
  const { name: _name, description: _description, thresholds: _thresholds, controlPlane, ...asked } = suite;
  const { flags, eventsEtcd, topology } = controlPlane;
  return createHash('sha256')
    .update(canonicalJson({ ...asked, flags, eventsEtcd, topology }))
    .digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isRecord(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
