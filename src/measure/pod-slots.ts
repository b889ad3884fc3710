/**
 * Storage of live pods' instants: columns instead of objects, because a hundred thousand pods with fourteen boxed
 * numbers each would cost several times as much. A slot is one pod's row; slots of finished pods are used again.
 */
import { POD_INSTANTS, type PodInstant } from './pod-instants.ts';

const CHUNK_SLOTS = 4_096;
const WIDTH = POD_INSTANTS.length;
const COLUMN = Object.fromEntries(POD_INSTANTS.map((instant, column) => [instant, column])) as Record<
  PodInstant,
  number
>;

export class PodSlots {
  #chunks: Float64Array[] = [];
  #free: number[] = [];
  #slotCount = 0;

  /** A slot with every instant unknown. */
  take(): number {
    const slot = this.#free.pop() ?? this.#slotCount++;
    if (Math.floor(slot / CHUNK_SLOTS) === this.#chunks.length) {
      this.#chunks.push(new Float64Array(CHUNK_SLOTS * WIDTH));
    }
    const { chunk, offset } = this.#place(slot);
    chunk.fill(Number.NaN, offset, offset + WIDTH);
    return slot;
  }

  release(slot: number): void {
    this.#free.push(slot);
  }

  /** NaN if unknown. */
  get(slot: number, instant: PodInstant): number {
    const { chunk, offset } = this.#place(slot);
    return chunk[offset + COLUMN[instant]] ?? Number.NaN;
  }

  has(slot: number, instant: PodInstant): boolean {
    return !Number.isNaN(this.get(slot, instant));
  }

  /** Sets an instant that is unknown so far; false if it was known. */
  setOnce(slot: number, instant: PodInstant, atUs: number): boolean {
    const { chunk, offset } = this.#place(slot);
    const index = offset + COLUMN[instant];
    if (!Number.isNaN(chunk[index] ?? 0)) return false;
    chunk[index] = atUs;
    return true;
  }

  #place(slot: number): { chunk: Float64Array; offset: number } {
    const chunk = this.#chunks[Math.floor(slot / CHUNK_SLOTS)];
    if (chunk === undefined) throw new RangeError(`pod slot ${slot} was never taken`);
    return { chunk, offset: (slot % CHUNK_SLOTS) * WIDTH };
  }
}
