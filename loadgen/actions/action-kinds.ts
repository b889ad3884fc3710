/**
 * Every action that is paced, by its name in the suite. Watches and probes are other processes' (see watches/ and
 * probes/), storms are the fleet's.
 */
import type { LoadAction, ProbesAction, StormAction, WatchesAction } from '../../src/config/index.ts';
import type { ActionContext, BegunAction } from './action.ts';
import { beginChurn } from './churn.ts';
import { beginCreate } from './create.ts';
import { beginReads } from './reads.ts';
import { beginScale } from './scale.ts';
import { beginUpdate } from './update.ts';

export type PacedAction = Exclude<LoadAction, WatchesAction | ProbesAction | StormAction>;

/** True for actions that make calls on a schedule. */
export function isPaced(action: LoadAction): action is PacedAction {
  return action.action !== 'watches' && action.action !== 'probes' && action.action !== 'storm';
}

/** Prepares `action` for one phase. Nothing is sent before its streams are paced. */
export function beginAction(action: PacedAction, context: ActionContext): BegunAction {
  switch (action.action) {
    case 'create':
      return beginCreate(action, context);
    case 'churn':
      return beginChurn(action, context);
    case 'update':
      return beginUpdate(action, context);
    case 'scale':
      return beginScale(action, context);
    case 'reads':
      return beginReads(action, context);
  }
}
