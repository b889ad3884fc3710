/**
 * Names of objects: a function of (run, phase, action, index), so that the same seed makes the same names and any
 * process can tell the name of an index. They are DNS-1035 labels with room for the suffixes that controllers add.
 */
import { hash32 } from '../../src/core/index.ts';

/** Pods of a Deployment add 17 characters, and a label value holds 63. */
const SLUG_LENGTH = 20;

/** Makes names such as `churn-1x4k9qz-17`. */
export function objectNames(run: string, phase: string, actionKey: string): (index: number) => string {
  const digest = hash32(JSON.stringify([run, phase, actionKey]))
    .toString(36)
    .padStart(7, '0');
  const prefix = `${slug(actionKey)}-${digest}-`;
  return (index) => prefix + index;
}

function slug(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH)
    .replace(/^[^a-z]+|-+$/g, '');
  return words === '' ? 'object' : words;
}
