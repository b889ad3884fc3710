/**
 * What is wrong with one node, on purpose. Its kubelet, proxy and connections look here; storms write it. Storms
 * overlap: each adds its own and takes back its own, so counts, not flags.
 */

/**
 * How long after its storm a node may still be lost to it: the node controller acts up to 55 s after the last heartbeat,
 * and a registration among thousands takes its time.
 */
const AFTERMATH_US = 180_000_000;

export class NodeDisturbance {
  /** Storms that keep the node silent. */
  silenceCount = 0;
  /** How late its requests leave, all storms together. */
  delayMs = 0;
  /** Storms that are on the node, whatever their kind. */
  stormCount = 0;
  /** Monotonic instant since which the node is on its way back: the last storm's end; NaN: it is not. */
  recoveringSinceUs = Number.NaN;
  /** When the last storm left it; NaN: none has. */
  stormEndedUs = Number.NaN;

  /** True while heartbeats and status are not to be written. */
  get silent(): boolean {
    return this.silenceCount > 0;
  }

  /** True while losing the node is nobody's fault but the storm's. */
  excused(nowUs: number): boolean {
    // NaN compares as false.
    return this.stormCount > 0 || nowUs - this.stormEndedUs < AFTERMATH_US;
  }
}
