/** In which settings two resolved suites differ: what a refusal names, and what a report says was compared. */
import type { SettingDifference } from './model.ts';

/** Values longer than this are cut. */
const VALUE_CHARACTERS = 60;
/** Differ by nature and change nothing that is measured. */
const UNIMPORTANT = ['name', 'description'];

/** Every leaf in which `a` and `b` differ, by path as `--set` takes it, in the order of `a` and then of `b`. */
export function settingDifferences(a: unknown, b: unknown): SettingDifference[] {
  const left = leaves(a);
  const right = leaves(b);
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((path) => !UNIMPORTANT.includes(path) && left.get(path) !== right.get(path))
    .map((path) => ({ path, a: left.get(path), b: right.get(path) }));
}

/** `controlPlane.version: v1.36.3 in A, v1.35.4 in B` */
export function describeSetting({ path, a, b }: SettingDifference): string {
  const value = (text: string | undefined) => (text === undefined ? 'not set' : text);
  return `${path}: ${value(a)} in A, ${value(b)} in B`;
}

function leaves(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) leaves(item, `${path}[${i}]`, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) leaves(item, path === '' ? key : `${path}.${key}`, into);
  } else if (value !== undefined) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    into.set(path, text.length > VALUE_CHARACTERS ? `${text.slice(0, VALUE_CHARACTERS - 1)}…` : text);
  }
  return into;
}
