export { type PageAssets, renderHtml } from './html/page.ts';
export { renderJunit } from './junit.ts';
export { renderMarkdown } from './markdown.ts';
export {
  type PerfData,
  type PerfDataFile,
  type PerfDataItem,
  perfDataFiles,
  type SchedulingThroughput,
} from './perf-data.ts';
export { renderTerminal, TERMINAL_COLUMNS, type TerminalOptions } from './terminal.ts';
export { loadAssets, REPORT_FORMATS, type ReportFormat, writeReports } from './write.ts';
