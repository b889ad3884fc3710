/** Loaded before hollowmark by tests: a wall clock that is wrong, and an event loop that is blocked again and again. */
const BLOCK_MS = 80;
const EVERY_MS = 250;

const shiftMs = Number(process.env['SABOTAGE_CLOCK_SHIFT_MS'] ?? 0);
const now = Date.now;
Date.now = () => now() + shiftMs;

if (process.argv.includes(process.env['SABOTAGE_BLOCKED_AGENT'] ?? '')) {
  setInterval(() => {
    const endMs = performance.now() + BLOCK_MS;
    while (performance.now() < endMs);
  }, EVERY_MS).unref();
}
