/**
 * Free ports on 127.0.0.1, reserved without races between processes of hollowmark.
 *
 * Ports are taken below the system's ephemeral range: thousands of hollow nodes open connections to 127.0.0.1, and
 * their source ports must not land on the port of a component that is just being restarted. A lock file per port
 * keeps other hollowmark processes away for as long as the plane lives; a trial bind finds ports of anybody else.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../core/index.ts';
import { type LockFile, tryLock } from './process/lock-file.ts';

const LOWEST_PORT = 20_000;
const EPHEMERAL_FALLBACK = 32_768;

/** Reserved ports; dispose of it when the plane is gone. */
export class PortReservation implements Disposable {
  readonly #locks: LockFile[] = [];
  readonly #directory: string;

  /** `directory`: where the lock files are, shared by all processes of this user. */
  constructor(directory: string = join(tmpdir(), `hollowmark-ports-${userInfo().uid}`)) {
    this.#directory = directory;
  }

  /**
   * Reserves one free port, or `wanted` if given.
   * @throws HM_PORT_UNAVAILABLE if `wanted` is taken, or none is free.
   */
  async reserve(wanted?: number): Promise<number> {
    if (wanted !== undefined) {
      if (await this.#take(wanted)) return wanted;
      throw new HarnessError('HM_PORT_UNAVAILABLE', `port 127.0.0.1:${wanted} is taken`, {
        hint: `free it (\`ss -ltnp 'sport = :${wanted}'\` names its owner), or leave the port out to have one chosen`,
      });
    }
    const range = candidateRange(lowestEphemeralPort());
    // From a place of its own for each process, so that two of them seldom try the same ports.
    const startAt = Math.floor(Math.random() * range.count);
    for (let step = 0; step < range.count; step++) {
      const port = range.first + ((startAt + step) % range.count);
      if (await this.#take(port)) return port;
    }
    throw new HarnessError(
      'HM_PORT_UNAVAILABLE',
      `no free port on 127.0.0.1 in ${range.first}-${range.first + range.count - 1}`,
    );
  }

  [Symbol.dispose](): void {
    for (const lock of this.#locks.splice(0)) lock[Symbol.dispose]();
  }

  async #take(port: number): Promise<boolean> {
    const attempt = tryLock(join(this.#directory, `${port}.lock`));
    if (attempt.state === 'held') return false;
    if (await canBind(port)) {
      this.#locks.push(attempt.lock);
      return true;
    }
    attempt.lock[Symbol.dispose]();
    return false;
  }
}

/** Ports to choose from, given the lowest ephemeral port: below it, or above 20000 if it begins lower than that. */
export function candidateRange(lowestEphemeral: number): { first: number; count: number } {
  if (lowestEphemeral >= LOWEST_PORT + 1_000)
    return { first: LOWEST_PORT, count: lowestEphemeral - LOWEST_PORT };
  // A widened range, as scale tests use: what is left below it and above the well-known ports.
  if (lowestEphemeral >= 2_048) return { first: 1_100, count: lowestEphemeral - 1_100 };
  return { first: LOWEST_PORT, count: 40_000 };
}

function lowestEphemeralPort(): number {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const lowest = Number(text.trim().split(/\s+/)[0]);
    return Number.isInteger(lowest) && lowest > 0 ? lowest : EPHEMERAL_FALLBACK;
  } catch {
    return EPHEMERAL_FALLBACK;
  }
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
