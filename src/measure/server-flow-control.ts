/** What Priority & Fairness did in one API server, from the growth of its counters. */
import type { ServerComponent } from '../result/index.ts';
import { parseLabels } from './prometheus-text.ts';
import { APF_DISPATCHED, APF_REJECTED, APF_WAIT_SUM } from './server-headlines.ts';
import type { Samples } from './server-samples.ts';

/** Samples that flowControl() reads. */
export const FLOW_CONTROL_SAMPLES: readonly string[] = [APF_DISPATCHED, APF_REJECTED, APF_WAIT_SUM];

interface Flow {
  dispatchedCount: number;
  rejectedCount: number;
  waitSeconds: number;
}

/** Dispatched, rejected and waited by priority level and by flow schema; those that did nothing are left out. */
export function flowControl(growth: Samples): Pick<ServerComponent, 'priorityLevels' | 'flowSchemas'> {
  if (!growth.has(APF_DISPATCHED)) return {};
  const levels = new Map<string, Flow & { name: string }>();
  const schemas = new Map<string, Flow & { name: string; priorityLevel: string }>();
  const count = (sample: string, figure: keyof Flow) => {
    for (const [text, value] of growth.get(sample) ?? []) {
      const { priority_level: priorityLevel = '', flow_schema: name = '' } = parseLabels(text);
      const none = { dispatchedCount: 0, rejectedCount: 0, waitSeconds: 0 };
      const level = levels.get(priorityLevel) ?? { name: priorityLevel, ...none };
      const schema = schemas.get(name) ?? { name, priorityLevel, ...none };
      level[figure] += value;
      schema[figure] += value;
      levels.set(priorityLevel, level);
      schemas.set(name, schema);
    }
  };
  count(APF_DISPATCHED, 'dispatchedCount');
  count(APF_REJECTED, 'rejectedCount');
  count(APF_WAIT_SUM, 'waitSeconds');
  const used = (flow: Flow) => flow.dispatchedCount + flow.rejectedCount > 0;
  return {
    priorityLevels: [...levels.values()].filter(used),
    flowSchemas: [...schemas.values()].filter(used),
  };
}
