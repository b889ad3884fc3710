/**
 * YAML text as plain values, with the place in the text of each of them.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml';
import type { ConfigProblem } from '../core/index.ts';
import type { Path } from './paths.ts';

export interface YamlSource {
  /** The plain value; undefined where `broken`. */
  value: unknown;
  /** Syntax errors, duplicate keys, unknown tags. */
  problems: readonly ConfigProblem[];
  /** The text could not be read as one document: there is nothing to check further. */
  broken: boolean;
  /** `suite.yaml:12:5` of the value at `path`, or of what comes nearest around it. */
  placeOfValue(path: Path): string;
  /** The same for the key rather than its value. */
  placeOfKey(path: Path): string;
}

// Aliases may stand for others: this many in all are more than any suite needs and too few to exhaust memory.
const MAX_ALIAS_COUNT = 100;
/** Suites are kept in every result; nothing written by hand comes near. */
const MAX_TEXT_LENGTH = 1_048_576;

/** Reads `text` as exactly one YAML document; `name` is the file in places. Never throws. */
export function readYaml(text: string, name: string): YamlSource {
  if (text.length > MAX_TEXT_LENGTH)
    return unreadable(`${name}:1:1`, `expected a file of at most 1 MiB, got ${text.length} characters`);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  if (!Array.isArray(documents) || documents.length === 0)
    return unreadable(`${name}:1:1`, 'the file is empty');
  const [document, second] = documents;
  if (document === undefined) return unreadable(`${name}:1:1`, 'the file is empty');
  if (second !== undefined) {
    const offset = second.contents?.range?.[0] ?? second.range[0];
    return unreadable(place(offset), `expected one document, got ${documents.length}`);
  }
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    place: place(error.pos[0]),
    path: '',
    message:
      error.code === 'DUPLICATE_KEY'
        ? 'this key is there twice'
        : `not valid YAML: ${firstLine(error.message)}`,
  }));
  const root = document.contents;
  const broken = (): YamlSource => ({ ...unreadable(place(0), ''), problems });
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return broken();
  if (root === null) return unreadable(`${name}:1:1`, 'the file is empty');
  const dangling = unresolvedAliases(document).map((alias) => ({
    place: place(alias.range?.[0] ?? 0),
    path: '',
    message: `not valid YAML: there is no anchor &${alias.source} before this alias`,
  }));
  if (dangling.length > 0) return { ...unreadable(place(0), ''), problems: [...problems, ...dangling] };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    // A node that contains its own alias makes a value without end.
    JSON.stringify(value);
  } catch (error) {
    return unreadable(
      `${name}:1:1`,
      `not valid YAML: ${error instanceof Error ? firstLine(error.message) : String(error)}`,
    );
  }
  return {
    value,
    problems,
    broken: false,
    placeOfValue: (path) => place(locate(root, path).value.range?.[0] ?? 0),
    placeOfKey: (path) => {
      const { key, value: found } = locate(root, path);
      return place((key ?? found).range?.[0] ?? 0);
    },
  };

  function locate(start: Node, path: Path): { key: Node | undefined; value: Node } {
    let found: { key: Node | undefined; value: Node } = { key: undefined, value: start };
    for (const segment of path) {
      const next = step(dereference(found.value), segment);
      if (next === undefined) return found;
      found = next;
    }
    return found;
  }

  function dereference(node: Node): Node {
    return isAlias(node) && document !== undefined ? (node.resolve(document) ?? node) : node;
  }
}

function unresolvedAliases(document: Document): Alias[] {
  const found: Alias[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) found.push(alias);
    },
  });
  return found;
}

// Of a key that is there twice the last counts, as in the plain value.
function step(node: Node, segment: string | number): { key: Node | undefined; value: Node } | undefined {
  if (isSeq(node)) {
    const item = typeof segment === 'number' ? node.items[segment] : undefined;
    return isNode(item) ? { key: undefined, value: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.findLast(
    (item: Pair) => isScalar(item.key) && String(item.key.value) === String(segment),
  );
  if (pair === undefined || !isNode(pair.key)) return undefined;
  return { key: pair.key, value: isNode(pair.value) ? pair.value : pair.key };
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

function unreadable(place: string, message: string): YamlSource {
  return {
    value: undefined,
    problems: [{ place, path: '', message }],
    broken: true,
    placeOfValue: () => place,
    placeOfKey: () => place,
  };
}

function firstLine(message: string): string {
  const line = message.split('\n')[0] ?? message;
  return line.charAt(0).toLowerCase() + line.slice(1);
}
