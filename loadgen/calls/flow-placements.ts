/**
 * Where Priority & Fairness put the load's calls: the flow schema and priority level that the API server names in the
 * headers of every reply, counted.
 */
import type { ApiReply } from '../../src/kube/index.ts';

/** Calls that one flow schema matched; both UIDs are empty where the server named none (switched off). */
export interface FlowPlacementCount {
  flowSchemaUid: string;
  priorityLevelUid: string;
  callCount: number;
}

export class FlowPlacements {
  #counts: FlowPlacementCount[] = [];
  // Nearly every call of a load goes where the one before it went.
  #last: FlowPlacementCount | undefined;

  note(reply: ApiReply): void {
    const { flowSchemaUid = '', priorityLevelUid = '' } = reply;
    if (this.#last?.flowSchemaUid !== flowSchemaUid || this.#last.priorityLevelUid !== priorityLevelUid)
      this.#last = this.#countOf(flowSchemaUid, priorityLevelUid);
    this.#last.callCount++;
  }

  /** The counts so far, which begin anew. */
  drain(): FlowPlacementCount[] {
    const counts = this.#counts;
    this.#counts = [];
    this.#last = undefined;
    return counts;
  }

  #countOf(flowSchemaUid: string, priorityLevelUid: string): FlowPlacementCount {
    let found = this.#counts.find(
      (count) => count.flowSchemaUid === flowSchemaUid && count.priorityLevelUid === priorityLevelUid,
    );
    if (found === undefined) {
      found = { flowSchemaUid, priorityLevelUid, callCount: 0 };
      this.#counts.push(found);
    }
    return found;
  }
}
