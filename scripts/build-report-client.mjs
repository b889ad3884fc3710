/**
 * Bundles the report page's script and style into dist/reports/html/client/main.{js,css}, which writeReports() reads:
 * running from the package needs no bundler.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

await build({
  absWorkingDir: root,
  entryPoints: ['reports/html/client/main.ts'],
  outdir: process.argv[2] ?? 'dist/reports/html/client',
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: ['es2022'],
  charset: 'utf8',
  legalComments: 'inline',
  logLevel: 'warning',
});
