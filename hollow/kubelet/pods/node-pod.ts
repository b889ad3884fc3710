/**
 * One pod on its node: its state machine and what is kept beside it.
 */
import { Timer, type TimerTarget } from '../../timers.ts';
import { EventLedger } from '../event-ledger.ts';
import type { EventSubject } from '../events.ts';
import type { WatchedObject } from './object-watches.ts';
import type { ApiPod, PodPhase } from './pod-object.ts';
import { shownPhase } from './pod-phase.ts';
import type { PodMachine } from './pod-state.ts';
import type { WritablePod } from './status-writer.ts';

export class NodePod implements WritablePod, TimerTarget {
  readonly machine: PodMachine;
  readonly timer = new Timer(this, 0);
  writtenVersion = -1;
  mismatched = false;
  queued = false;
  shown: ApiPod | undefined;
  dropped = false;
  removed = false;
  /** The list that showed it last. */
  round: number;
  phase: PodPhase;
  /** The instant of termination has been noted. */
  noted = false;
  tokenDueUs = Number.POSITIVE_INFINITY;
  watched: WatchedObject[] = [];
  readonly #onTimer: (pod: NodePod) => void;
  #ledger: EventLedger | undefined;

  constructor(onTimer: (pod: NodePod) => void, machine: PodMachine, round: number) {
    this.#onTimer = onTimer;
    this.machine = machine;
    this.round = round;
    this.phase = shownPhase(machine);
  }

  get subject(): EventSubject {
    const { namespace, name, uid, resourceVersion } = this.machine.spec;
    return { kind: 'Pod', namespace, name, uid, resourceVersion };
  }

  ledger(): EventLedger {
    this.#ledger ??= new EventLedger();
    return this.#ledger;
  }

  onTimer(): void {
    this.#onTimer(this);
  }

  /** Notes whether the server shows what was written last: the node controller may have called the pod not ready. */
  compare(seen: { phase: PodPhase; ready: boolean }): void {
    const { machine } = this;
    if (machine.stage !== 'running' || this.writtenVersion !== machine.version) return;
    this.mismatched =
      seen.ready !== (machine.conditionTrue[2] ?? false) || seen.phase !== shownPhase(machine);
  }
}
