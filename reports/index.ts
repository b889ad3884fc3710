export { type CompareOptions, compareRuns } from './compare/compare.ts';
export { minimumCount } from './compare/judge.ts';
export { renderComparisonMarkdown } from './compare/markdown.ts';
export { ACROSS, type Across, unusable } from './compare/match.ts';
export {
  ALPHA,
  type Comparison,
  type ComparisonVerdict,
  DEFAULT_MARGIN_RATIO,
  type LeftOutRun,
  type MetricComparison,
} from './compare/model.ts';
export { renderComparisonHtml } from './compare/page.ts';
export { renderComparisonTerminal } from './compare/terminal.ts';
export { renderComparisonJson, writeComparison } from './compare/write.ts';
export { type HistoryEntry, selectBaseline } from './gate/baseline.ts';
export { decideGate, type GateState, type GateStep, type GateVerdict } from './gate/decide.ts';
export { acceptIntoHistory, GATE_FILE, type History, historyRecord, readHistory } from './gate/history.ts';
export { GATE_RULES, judgeMetric, type MetricVerdict } from './gate/metric.ts';
export { renderGateJson, renderGateMarkdown, renderGateTerminal } from './gate/render.ts';
export { renderHtml } from './html/page.ts';
export type { PageAssets } from './html/shell.ts';
export { renderJunit } from './junit.ts';
export { renderMarkdown } from './markdown.ts';
export { HEADLINE_METRICS } from './model/headline-metrics.ts';
export {
  type PerfData,
  type PerfDataFile,
  type PerfDataItem,
  perfDataFiles,
  type SchedulingThroughput,
} from './perf-data.ts';
export { renderTerminal, TERMINAL_COLUMNS, type TerminalOptions } from './terminal.ts';
export { loadAssets, REPORT_FORMATS, type ReportFormat, writeReports } from './write.ts';
