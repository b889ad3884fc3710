/** What is started and stopped: the fleet, the load, the watchers. Both calls are idempotent. */
export interface Component {
  readonly name: string;
  /** Resolves when it runs. @throws the signal's reason, and what the component says */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}
