/**
 * Critical pods that the node lets in once the pods that make room for them have ended.
 */
import type { ApiPod } from '../pod-object.ts';
import type { PodMachine } from '../pod-state.ts';

interface WaitingPod {
  object: ApiPod;
  /** The list that showed it last. */
  round: number;
  readonly victims: readonly PodMachine[];
}

export class WaitingPods {
  readonly #pods = new Map<string, WaitingPod>();

  add(object: ApiPod, victims: readonly PodMachine[], round: number): void {
    this.#pods.set(object.metadata.uid ?? '', { object, victims, round });
  }

  /** Keeps the pod as it is shown now; false where it does not wait. */
  update(object: ApiPod, round: number): boolean {
    const waiting = this.#pods.get(object.metadata.uid ?? '');
    if (waiting === undefined) return false;
    waiting.object = object;
    waiting.round = round;
    return true;
  }

  remove(uid: string): void {
    this.#pods.delete(uid);
  }

  /** Forgets those that the list of `round` did not show. */
  keepOnly(round: number): void {
    for (const [uid, waiting] of this.#pods) if (waiting.round !== round) this.#pods.delete(uid);
  }

  /** Takes out those all of whose victims are over. */
  takeReady(isOver: (victim: PodMachine) => boolean): ApiPod[] {
    const ready: ApiPod[] = [];
    for (const [uid, { object, victims }] of this.#pods) {
      if (!victims.every(isOver)) continue;
      this.#pods.delete(uid);
      ready.push(object);
    }
    return ready;
  }
}
