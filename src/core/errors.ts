/**
 * The catalogue of what can go wrong: every error of the harness has a code that is never reused, an exit code by
 * what the user has to do about it, and where there is one a hint that names the remedy. docs/errors.md lists the
 * same codes; a test keeps the two equal.
 */

/** Exit codes of the command line (docs/operations.md). */
export const EXIT_CODE = {
  pass: 0,
  sloFailed: 1,
  usage: 2,
  invalid: 3,
  inconclusive: 4,
  environment: 5,
  internal: 70,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];

/** Every error code with its exit code. Retired codes stay here, marked, and are never given to anything else. */
export const ERROR_CATALOGUE = {
  HM_USAGE: EXIT_CODE.usage,
  HM_CONFIG_INVALID: EXIT_CODE.usage,
  HM_CONFIG_UNREADABLE: EXIT_CODE.usage,
  HM_CONSENT_MISSING: EXIT_CODE.usage,
  HM_BINARIES_UNAVAILABLE: EXIT_CODE.environment,
  HM_BINARIES_LOCKED: EXIT_CODE.environment,
  HM_COMPONENT_EXITED: EXIT_CODE.environment,
  HM_COMPONENT_NOT_READY: EXIT_CODE.environment,
  HM_PORT_UNAVAILABLE: EXIT_CODE.environment,
  HM_CLUSTER_UNREACHABLE: EXIT_CODE.environment,
  HM_CLUSTER_STATE: EXIT_CODE.environment,
  HM_KUBECONFIG_INVALID: EXIT_CODE.environment,
  HM_PREFLIGHT_FAILED: EXIT_CODE.environment,
  HM_DISK_FULL: EXIT_CODE.environment,
  HM_API_ERROR: EXIT_CODE.environment,
  HM_AGENT_LOST: EXIT_CODE.invalid,
  HM_THRESHOLD_FAILED: EXIT_CODE.sloFailed,
  HM_RESULT_UNREADABLE: EXIT_CODE.usage,
  HM_INTERRUPTED: EXIT_CODE.interrupted,
  HM_INTERNAL: EXIT_CODE.internal,
} as const satisfies Record<string, ExitCode>;
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface HarnessErrorOptions {
  /** What the user can do about it, one sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * Any failure that the harness itself reports. The message says what failed, on what and why, in lower case
 * without a full stop. Across processes errors are told apart by `code`, never by `instanceof`.
 */
export class HarnessError extends Error {
  override readonly name: string = 'HarnessError';
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: HarnessErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exitCode = ERROR_CATALOGUE[code];
    this.hint = options.hint;
  }
}

/** One problem of a configuration file. */
export interface ConfigProblem {
  /** `suite.yaml:12:5`, or `--set fleet.nodes`, or where else the value came from. */
  place: string;
  /** Path of the value, such as `load.phases[1].rate`; empty for the whole file. */
  path: string;
  /** What was expected and what was found. */
  message: string;
}

/** A configuration with problems: all of them at once. */
export class ConfigError extends HarnessError {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options: HarnessErrorOptions = {}) {
    super('HM_CONFIG_INVALID', problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** `suite.yaml:12:5 load.phases[1].rate: expected a rate such as 20/s, got "20x"` */
export function formatProblem(problem: ConfigProblem): string {
  const head = problem.path === '' ? problem.place : `${problem.place} ${problem.path}`;
  return `${head}: ${problem.message}`;
}

/** The message of anything thrown, with the chain of causes behind it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${describeError(error.cause)}`;
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map(describeError).join('; ');
  return `${error.message}${cause}`;
}

/** True for a HarnessError of any realm or process, by its code. */
export function isHarnessError(error: unknown): error is HarnessError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code in ERROR_CATALOGUE
  );
}
