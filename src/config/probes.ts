/** The `probes` action as run: what is asked of the API all through a phase, on a schedule of its own. */
export interface ProbesAction {
  action: 'probes';
  name: string;
  /** Deadline of every call of the probes. */
  timeoutMs: number;
  /** Requests for `endpoint` on each path; absent: none. */
  availability?: { ratePerSecond: number; endpoint: string };
  /** Writes of one object and watchers of it; absent: none. */
  propagation?: { ratePerSecond: number; watcherCount: number };
  /** Writes that are read back on each path; absent: none. */
  readYourWrite?: { ratePerSecond: number };
}
