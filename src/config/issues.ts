/**
 * What zod finds wrong with a suite, said in the harness's way: what was expected, what was found, and what may have
 * been meant.
 */
import type { z } from 'zod';
import { schemaAt } from './json-schema.ts';
import { isRecord, type Path, valueAt } from './paths.ts';
import { alternatives } from './quantities.ts';
import { ACTION_SCHEMAS } from './schema-load.ts';
import { didYouMean } from './suggest.ts';

/** One problem, not yet placed in the text. */
export interface Finding {
  path: Path;
  message: string;
  /** The key itself is wrong, not its value. */
  atKey: boolean;
}

/** The findings of one zod error over the plain value `root`. */
export function findingsOf(error: z.ZodError, root: unknown): Finding[] {
  return error.issues.flatMap((issue) => findings(issue, issue.path.filter(isSegment), root));
}

function findings(issue: z.core.$ZodIssue, path: Path, root: unknown): Finding[] {
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = Object.keys(schemaAt(root, path)?.properties ?? {});
      const present = isRecord(value) ? Object.keys(value) : [];
      const free = known.filter((key) => !present.includes(key));
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key${didYouMean(key, free)}${known.length === 0 ? '' : `; known here: ${known.join(', ')}`}`,
        atKey: true,
      }));
    }
    case 'invalid_key': {
      const inner = issue.issues[0];
      return [
        { path, message: `${inner?.message ?? 'unknown key'}, got ${quote(path.at(-1))}`, atKey: true },
      ];
    }
    case 'invalid_union':
      if (issue.discriminator !== undefined) {
        const known = Object.keys(ACTION_SCHEMAS);
        return [
          {
            path,
            message: `${expectation(`expected ${alternatives(known)}`, value)}${suggest(value, known)}`,
            atKey: false,
          },
        ];
      }
      return [{ path, message: expectation(issue.message, value), atKey: false }];
    case 'invalid_type':
      return [{ path, message: expectation(typeExpectation(issue), value), atKey: false }];
    case 'invalid_value':
      return [
        {
          path,
          message: expectation(issue.message, value) + suggest(value, issue.values.map(String)),
          atKey: false,
        },
      ];
    default:
      return [{ path, message: expectation(issue.message, value), atKey: false }];
  }
}

function suggest(value: unknown, known: readonly string[]): string {
  return typeof value === 'string' ? didYouMean(value, known) : '';
}

function typeExpectation(issue: z.core.$ZodIssueInvalidType): string {
  if (issue.message.startsWith('expected')) return issue.message;
  const names: Record<string, string> = {
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    string: 'text',
  };
  return `expected ${names[issue.expected] ?? issue.expected}`;
}

function expectation(expected: string, value: unknown): string {
  return value === undefined ? `is missing: ${expected}` : `${expected}, got ${quote(value)}`;
}

/** A value as a message shows it: JSON, cut short. */
export function quote(value: unknown): string {
  const json = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

function isSegment(segment: PropertyKey): segment is string | number {
  return typeof segment !== 'symbol';
}
