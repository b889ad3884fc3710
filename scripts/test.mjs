#!/usr/bin/env node
/**
 * `npm test`: every check a change must pass, cheapest first: format and lint, types, unit, then the layers that
 * need the real control plane or a browser. Ends with one line that counts all tests. Goes on after a failure, so
 * that one run shows everything that is wrong.
 *
 *   node scripts/test.mjs [LAYER...]      only these layers of tests
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const LAYERS = ['unit', 'integration', 'fidelity', 'e2e', 'browser', 'leak'];
const NEED_CONTROL_PLANE = new Set(['integration', 'fidelity', 'e2e', 'leak']);

const wanted = process.argv.slice(2);
const layers = LAYERS.filter(
  (layer) => (wanted.length === 0 || wanted.includes(layer)) && existsSync(join(root, 'test', layer)),
);
const scratch = mkdtempSync(join(tmpdir(), 'hollowmark-test-'));
const totals = { passed: 0, failed: 0, skipped: 0 };

const run = (title, command, args) => {
  process.stdout.write(`\n== ${title}\n`);
  const started = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  process.stdout.write(
    `== ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${Math.round((Date.now() - started) / 1000)} s)\n`,
  );
  return status === 0;
};

const count = (ok) => {
  if (ok) totals.passed += 1;
  else totals.failed += 1;
};

if (wanted.length === 0) {
  count(run('format and lint', bin('biome'), ['check', '.']));
  count(run('types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']));
  count(
    run('types of the report’s script', bin('tsc'), ['--noEmit', '-p', 'reports/html/client/tsconfig.json']),
  );
}
if (layers.some((layer) => NEED_CONTROL_PLANE.has(layer))) {
  count(
    run('control plane binaries', process.execPath, [
      join(root, 'bin', 'hollowmark.js'),
      'binaries',
      'fetch',
    ]),
  );
}
// Programs beyond the control plane: upstream's nodes to compare with, and what restores a snapshot of etcd.
const others = [
  ...(layers.includes('fidelity') ? ['kubelet', 'kubemark'] : []),
  ...(layers.includes('integration') ? ['etcdutl'] : []),
];
if (others.length > 0) {
  const args = ['binaries', 'build', '--with', others.join(',')];
  count(
    run(`binaries: ${others.join(', ')}`, process.execPath, [join(root, 'bin', 'hollowmark.js'), ...args]),
  );
}
for (const layer of layers) {
  const outputFile = join(scratch, `${layer}.json`);
  const ok = run(`${layer} tests`, bin('vitest'), [
    'run',
    '--project',
    layer,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${outputFile}`,
  ]);
  if (!existsSync(outputFile)) {
    totals.failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(outputFile, 'utf8'));
  totals.passed += report.numPassedTests;
  totals.failed += report.numFailedTests;
  totals.skipped += report.numPendingTests + report.numTodoTests;
  // A file that does not load, or an unhandled rejection, fails the layer without a failed test.
  if (!ok && report.numFailedTests === 0) totals.failed += 1;
}
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
