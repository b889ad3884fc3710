/**
 * Addresses of hollow nodes and pods: unique in the fleet, in ranges that no real cluster routes, so that nothing
 * reaches a stranger by mistake.
 */

/** 198.18.0.0/15, reserved for benchmarks (RFC 2544). */
const NODE_RANGE = ip(198, 18, 0, 0);
const NODE_RANGE_SIZE = 2 ** 17;
/** Nodes that serve the kubelet API on this host; 127.0.0.0/16 is left to what uses loopback otherwise. */
const LOOPBACK_RANGE = ip(127, 1, 0, 0);
/** 100.64.0.0/10, shared address space (RFC 6598): four million pods. */
const POD_RANGE = ip(100, 64, 0, 0);
const POD_RANGE_SIZE = 2 ** 22;

/** InternalIP of node `index` (over the whole fleet). */
export function nodeAddress(index: number): string {
  return dotted(NODE_RANGE + ((index + 1) % NODE_RANGE_SIZE));
}

/** Loopback address of node `index` (over the whole fleet): InternalIP where its kubelet can be asked. */
export function loopbackNodeAddress(index: number): string {
  return dotted(LOOPBACK_RANGE + index + 1);
}

/**
 * Addresses of one node's pods: from the pod CIDR that the cluster gave the node, or from a block that belongs to the
 * node's index. Freed addresses are used again last.
 */
export class PodAddresses {
  readonly #index: number;
  readonly #blockSize: number;
  readonly #used = new Set<number>();
  #next = 1;

  /** `podCapacity` is the most pods the node can hold; its block is at least twice as big. */
  constructor(index: number, podCapacity: number) {
    this.#index = index;
    this.#blockSize = 2 ** Math.max(8, Math.ceil(Math.log2(2 * podCapacity)));
  }

  /** A free address; `cidr` is the node's own range, where it has one (`10.1.2.0/24`). */
  take(cidr: string | undefined): string {
    const { base, size } = this.#range(cidr);
    for (let tried = 0; tried < size; tried++) {
      const offset = this.#next;
      // The first and last address of a range are not given to pods.
      this.#next = this.#next >= size - 2 ? 1 : this.#next + 1;
      if (this.#used.has(base + offset)) continue;
      this.#used.add(base + offset);
      return dotted(base + offset);
    }
    // More pods than addresses: as on a real node the sandbox could not be made; an address shared with none of this
    // node's range is better than none, because the pod would wait for ever.
    return dotted(base);
  }

  /** Marks an address that a pod has from an earlier life of the node. */
  claim(address: string): void {
    this.#used.add(number(address));
  }

  free(address: string): void {
    this.#used.delete(number(address));
  }

  #range(cidr: string | undefined): { base: number; size: number } {
    const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr ?? '');
    if (match?.[1] !== undefined) return { base: number(match[1]), size: 2 ** (32 - Number(match[2])) };
    const offset = (this.#index * this.#blockSize) % POD_RANGE_SIZE;
    return { base: POD_RANGE + offset, size: this.#blockSize };
  }
}

function ip(a: number, b: number, c: number, d: number): number {
  return ((a * 256 + b) * 256 + c) * 256 + d;
}

function number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
