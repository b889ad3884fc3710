/**
 * A small valid suite to change in tests: a plain value, and its text.
 */
import { stringify } from 'yaml';

export type Plain = { [key: string]: unknown };

/** A valid suite of one phase with the given actions. */
export function plainSuite(actions: unknown[] = [readsAction()], changes: Plain = {}): Plain {
  return {
    apiVersion: 'hollowmark.dev/v1',
    kind: 'Suite',
    name: 'small',
    fleet: { nodes: 10 },
    load: { phases: [{ name: 'only', duration: '60s', actions }] },
    ...changes,
  };
}

export function readsAction(resource = 'pods'): Plain {
  return { action: 'reads', rate: '5/s', mix: [{ verb: 'get', resource }] };
}

export function createAction(changes: Plain = {}): Plain {
  return { action: 'create', object: { template: 'pod' }, count: 10, rate: '5/s', ...changes };
}

export function churnAction(changes: Plain = {}): Plain {
  return { action: 'churn', object: { template: 'pod' }, rate: '5/s', lifetime: '10s', ...changes };
}

/** The suite as YAML. */
export function suiteText(suite: Plain): string {
  return stringify(suite);
}
