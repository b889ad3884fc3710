/** Builds the report page's script into dist/, as `npm run build` does, for tests that run from the sources. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/core/index.ts';

export async function buildReportClient(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(packageRoot(), 'scripts/build-report-client.mjs')]);
}
