#!/usr/bin/env node
/**
 * `npm run fidelity:record [PERFORMANCES]`: plays the fidelity scenarios several times (3 unless told otherwise), writes
 * what was seen to test/fidelity/data/recording.json and docs/fidelity.md from it. Needs what the real kubelet needs:
 * root, containerd, runc and CNI plugins. The performances themselves may fail by differences that are not listed yet.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(root, 'node_modules', '.bin', 'vitest');
const takes = mkdtempSync(join(tmpdir(), 'hollowmark-takes-'));
const count = Number(process.argv[2] ?? 3);
const run = (args, env = {}) =>
  spawnSync(vitest, ['run', ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
    .status;

for (let number = 1; number <= count; number++) {
  process.stdout.write(`\n== performance ${number} of ${count}\n`);
  run(['--project', 'fidelity'], { HOLLOWMARK_FIDELITY_TAKES: takes });
  if (readdirSync(takes).length < number) {
    process.stdout.write(`performance ${number} did not come to its end; what was recorded is in ${takes}\n`);
    process.exit(1);
  }
}
rmSync(takes, { recursive: true, force: true });
process.exitCode = run(['--project', 'unit', 'test/unit/drift/fidelity-page.test.ts', '--update']);
