/**
 * Paths into a suite: how they are written (`load.phases[1].actions[0].rate`), and what a value holds at one.
 */

/** Keys and indices from the root. */
export type Path = readonly (string | number)[];

/** `load.phases[1].rate`; keys that are no plain words in brackets: `fleet.labels["a/b"]`. */
export function formatPath(path: Path): string {
  return path
    .map((segment, position) => {
      if (typeof segment === 'number') return `[${segment}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(segment)) return `[${JSON.stringify(segment)}]`;
      return position === 0 ? segment : `.${segment}`;
    })
    .join('');
}

/** The path written as by formatPath, or undefined if it is not of that form. */
export function parsePath(text: string): Path | undefined {
  const path: (string | number)[] = [];
  const token = /(?:^|\.)([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/y;
  let end = 0;
  while (end < text.length) {
    token.lastIndex = end;
    const match = token.exec(text);
    if (match === null) return undefined;
    const [whole, key, index, quoted] = match;
    if (key !== undefined) path.push(key);
    else if (index !== undefined) path.push(Number(index));
    else {
      const text = unquoted(quoted ?? '');
      if (text === undefined) return undefined;
      path.push(text);
    }
    end += whole.length;
  }
  return path.length === 0 ? undefined : path;
}

/** True for a plain object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `root` holds at `path`, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === 'number') value = value[segment];
    else if (isRecord(value) && Object.hasOwn(value, String(segment))) value = value[String(segment)];
    else return undefined;
  }
  return value;
}

/** True if `path` is `prefix` or inside it. */
export function isWithin(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((segment, position) => path[position] === segment);
}

// Quoted as in JSON, which is what formatPath writes.
function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    return typeof value === 'string' ? value : undefined;
  } catch {
    // No such escape: the text is not of that form.
    return undefined;
  }
}
