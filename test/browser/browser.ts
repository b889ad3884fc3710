/**
 * The system's Chromium for tests of the report page. Where it is missing, tests are skipped with the reason, unless
 * they must run (CI, HOLLOWMARK_REQUIRE_BROWSER=1): then its absence is a failure.
 */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of a Chromium, or undefined; HOLLOWMARK_CHROMIUM names another one. */
export function chromiumPath(): string | undefined {
  const named = process.env['HOLLOWMARK_CHROMIUM'];
  return named ?? CANDIDATES.find((path) => existsSync(path));
}

/** True where a missing browser is a failure, not a reason to skip. */
export function browserRequired(): boolean {
  return process.env['CI'] === 'true' || process.env['HOLLOWMARK_REQUIRE_BROWSER'] === '1';
}

/** Starts Chromium without any traffic of its own. Throws a clear message when there is none. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `no Chromium for the browser tests (looked for ${executablePath ?? CANDIDATES.join(', ')}): apt-get install chromium, or set HOLLOWMARK_CHROMIUM`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
