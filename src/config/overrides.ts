/**
 * What the command line changes in a suite before it is checked: `--set path=value`, `--nodes N`, `--kubeconfig`.
 */
import { parseDocument } from 'yaml';
import type { ConfigProblem } from '../core/index.ts';
import { formatPath, isRecord, type Path, parsePath } from './paths.ts';
import { didYouMean } from './suggest.ts';

export interface SuiteOverrides {
  /** `path=value`, the value as YAML, in the order given: later ones win. */
  set?: readonly string[];
  /** Text of `--nodes`. */
  nodes?: string | number;
  /** True with `--kubeconfig`: the suite runs on an attached cluster whatever it says. */
  attach?: boolean;
}

/** One change as applied. */
export interface AppliedOverride {
  path: Path;
  /** `fleet.nodes=50`: what `--set` would say. */
  text: string;
  /** `--set fleet.nodes`, `--nodes`: for messages. */
  place: string;
}

export interface OverrideResult {
  value: unknown;
  applied: readonly AppliedOverride[];
  problems: readonly ConfigProblem[];
}

/** A copy of `root` with the overrides in it. Paths that lead nowhere are problems; nothing throws. */
export function applyOverrides(root: unknown, overrides: SuiteOverrides): OverrideResult {
  const value: unknown = structuredClone(root);
  const applied: AppliedOverride[] = [];
  const problems: ConfigProblem[] = [];
  for (const { text, place } of changes(overrides)) {
    const equals = text.indexOf('=');
    const path = equals > 0 ? parsePath(text.slice(0, equals).trim()) : undefined;
    if (path === undefined) {
      problems.push({
        place,
        path: '',
        message: `expected path=value such as fleet.nodes=50 or load.phases[0].actions[0].rate=5/s, got ${JSON.stringify(text)}`,
      });
      continue;
    }
    const written = `${place} ${formatPath(path)}`;
    const parsed = parseDocument(text.slice(equals + 1), { prettyErrors: false });
    if (parsed.errors.length > 0 || parsed.warnings.length > 0) {
      problems.push({
        place,
        path: formatPath(path),
        message: `expected a YAML value, got ${JSON.stringify(text.slice(equals + 1))}`,
      });
      continue;
    }
    let replacement: unknown;
    try {
      replacement = parsed.toJS({ maxAliasCount: 0 });
    } catch {
      problems.push({ place, path: formatPath(path), message: 'expected a YAML value without aliases' });
      continue;
    }
    const failure = undeclaredParameter(root, path) ?? replaceAt(value, path, replacement);
    if (failure === undefined) applied.push({ path, text, place: place === '--set' ? written : place });
    else problems.push({ place, path: formatPath(path), message: failure });
  }
  return { value, applied, problems };
}

function changes(overrides: SuiteOverrides): { text: string; place: string }[] {
  const list = (overrides.set ?? []).map((text) => ({ text, place: '--set' }));
  if (overrides.nodes !== undefined) list.push({ text: `fleet.nodes=${overrides.nodes}`, place: '--nodes' });
  if (overrides.attach === true)
    list.push({ text: 'controlPlane.provider=kubeconfig', place: '--kubeconfig' });
  return list;
}

function undeclaredParameter(root: unknown, path: Path): string | undefined {
  const [section, name] = path;
  if (section !== 'parameters' || typeof name !== 'string') return undefined;
  const declared = isRecord(root) && isRecord(root['parameters']) ? Object.keys(root['parameters']) : [];
  return declared.includes(name)
    ? undefined
    : `the suite has no parameter "${name}"${didYouMean(name, declared)}`;
}

/** Puts `replacement` into `root` at `path`, making mappings on the way; says why if it cannot. */
function replaceAt(root: unknown, path: Path, replacement: unknown): string | undefined {
  let container = root;
  for (const [position, segment] of path.entries()) {
    const here = formatPath(path.slice(0, position)) || 'the suite';
    const last = position === path.length - 1;
    if (Array.isArray(container)) {
      if (typeof segment !== 'number') return `${here} is a list: expected an index such as [0]`;
      if (segment >= container.length)
        return `${here} has ${container.length} entries, the last is [${container.length - 1}]`;
      if (last) container[segment] = replacement;
      else container = container[segment];
    } else if (isRecord(container)) {
      const key = String(segment);
      if (typeof segment === 'number' || key === '__proto__')
        return `${here} has no [${JSON.stringify(segment)}]`;
      if (last) container[key] = replacement;
      else {
        if (!Object.hasOwn(container, key) || container[key] === null) container[key] = {};
        container = container[key];
      }
    } else return `${here} holds a single value, nothing inside it can be set`;
  }
  return undefined;
}
