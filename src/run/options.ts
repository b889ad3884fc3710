/** What a run is asked to do, once the command line and the suite have been read. */
import type { LoadedSuite } from '../config/index.ts';
import type { RunPlan } from './plan.ts';

export interface RunOptions {
  runId: string;
  loaded: LoadedSuite;
  plan: RunPlan;
  /** The result folder of this run; created. */
  directory: string;
  /** For `provider: kubeconfig`. */
  attach: {
    kubeconfigPath: string | undefined;
    context: string | undefined;
    allowClusterUid: string | undefined;
    /** Consent to the suite's own commands that break the cluster. */
    allowFaultsUid?: string | undefined;
  };
  /** Interpreter and script that agents are started with. */
  program: { execPath: string; script: string };
  /** Arguments that repeat this run. */
  command: readonly string[];
  version: string;
  /** DEGRADED counts as INVALID. */
  strict: boolean;
}
