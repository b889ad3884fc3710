/**
 * `${parameters.NAME}` in a suite: replaced before anything is checked. A value that is only the reference takes the
 * parameter's value with its type; inside longer text it is put in as text. Parameters hold plain values, and do not
 * refer to each other.
 */
import type { Finding } from './issues.ts';
import { isRecord, type Path } from './paths.ts';
import { didYouMean } from './suggest.ts';

export type ReportProblem = (path: Path, message: string) => void;

const REFERENCE = /\$\{\s*parameters\.([A-Za-z0-9_-]+)\s*\}/g;
const WHOLE_REFERENCE = /^\$\{\s*parameters\.([A-Za-z0-9_-]+)\s*\}$/;

/** A copy of `root` with every reference replaced; references to parameters that are not there are reported. */
export function substituteParameters(root: unknown, report: ReportProblem): unknown {
  const parameters = isRecord(root) && isRecord(root['parameters']) ? root['parameters'] : {};
  return substitute(root, [], 0);

  function substitute(value: unknown, path: Path, depth: number): unknown {
    if (typeof value === 'string') return path[0] === 'parameters' ? value : substituteText(value, path);
    if (depth > 100) return value;
    if (Array.isArray(value))
      return value.map((item: unknown, index) => substitute(item, [...path, index], depth + 1));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substitute(item, [...path, key], depth + 1)]),
    );
  }

  function substituteText(text: string, path: Path): unknown {
    const whole = WHOLE_REFERENCE.exec(text);
    if (whole !== null) return lookUp(whole[1] ?? '', path) ?? text;
    return text.replace(REFERENCE, (reference, name: string) => String(lookUp(name, path) ?? reference));
  }

  function lookUp(name: string, path: Path): unknown {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value === undefined)
      report(path, `there is no parameter "${name}"${didYouMean(name, Object.keys(parameters))}`);
    // Something that is no plain value is refused where it is declared.
    return typeof value === 'object' ? undefined : value;
  }
}

/** Parameters that `root` declares and nothing in it refers to: misspelt on one side or the other. */
export function unusedParameters(root: unknown): Finding[] {
  if (!isRecord(root) || !isRecord(root['parameters'])) return [];
  const { parameters, ...rest } = { ...root, parameters: root['parameters'] };
  const used = new Set([...JSON.stringify(rest).matchAll(REFERENCE)].map((match) => match[1]));
  return Object.keys(parameters)
    .filter((name) => !used.has(name))
    .map((name) => ({
      path: ['parameters', name],
      message: 'nothing refers to this parameter',
      atKey: true,
    }));
}
