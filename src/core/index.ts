export { type ChildAbort, childAbort, delay, onAbort, withTimeout } from './abort.ts';
export { type CancelTimer, type Clock, systemClock } from './clock.ts';
export type { Component } from './component.ts';
export {
  ConfigError,
  type ConfigProblem,
  describeError,
  ERROR_CATALOGUE,
  type ErrorCode,
  EXIT_CODE,
  type ExitCode,
  formatProblem,
  HarnessError,
  type HarnessErrorOptions,
  isHarnessError,
} from './errors.ts';
export { collectGarbage } from './heap.ts';
export type { Host, TextSink } from './host.ts';
export { fileLogger, type Logger, silentLogger, streamLogger } from './log.ts';
export { compiledScriptPath, packageRoot } from './package-root.ts';
export { hash32, type Random, seededRandom } from './random.ts';
export {
  formatBytes,
  formatMs,
  formatRate,
  formatRatio,
  formatUs,
  parseBytes,
  parseDurationMs,
  parseRatePerSecond,
} from './units.ts';
