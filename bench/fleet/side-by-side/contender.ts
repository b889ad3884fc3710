/**
 * Who is compared: fleets of hollow nodes, each begun and ended by its own means on one control plane.
 */
import type { LocalControlPlane } from '../../../src/controlplane/index.ts';
import type { Administrator } from './administrator.ts';
import type { Programs } from './programs.ts';

/** What contenders work with. */
export interface Arena {
  readonly plane: LocalControlPlane;
  readonly administrator: Administrator;
  readonly programs: Programs;
  /** For files of theirs. */
  readonly directory: string;
}

/** A fleet that runs. */
export interface RunningFleet {
  /** Its processes; their cost is the fleet's. */
  readonly pids: readonly number[];
  /** Begins nodes until there are `count`; does not wait for them to be Ready. */
  grow(count: number): Promise<void>;
  /** Name of node `index`, from 0; of those that the first grow() made. */
  nodeName(index: number): string;
  /** Where its memory is, if it can tell: bytes, by what holds them. */
  memory?(): Readonly<Record<string, number>> | undefined;
  /** Ends its processes; the nodes stay in the cluster. */
  stop(): Promise<void>;
}

export interface Contender {
  readonly name: string;
  /** What it is, in a few words, with its version. */
  readonly title: string;
  /** Begins it, without nodes as yet; `run` is a name for it that no other has. Pods need no toleration. */
  start(run: string): Promise<RunningFleet>;
}
