import { defineConfig } from 'vitest/config';

/**
 * One vitest project per layer of tests, in the order of their cost. `npm test` runs them one after the other
 * (see package.json); each can be run alone with `npx vitest run --project NAME`.
 */
const layer = (name: string, options: { timeoutMs: number; serial?: boolean }) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeoutMs,
    hookTimeout: Math.max(options.timeoutMs, 60_000),
    // The machine has two cores and the real control plane wants both: heavy layers run one file at a time.
    fileParallelism: options.serial !== true,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

export default defineConfig({
  test: {
    projects: [
      layer('unit', { timeoutMs: 20_000 }),
      layer('integration', { timeoutMs: 180_000, serial: true }),
      layer('fidelity', { timeoutMs: 600_000, serial: true }),
      layer('e2e', { timeoutMs: 600_000, serial: true }),
      layer('faults', { timeoutMs: 900_000, serial: true }),
      layer('browser', { timeoutMs: 180_000, serial: true }),
      layer('leak', { timeoutMs: 300_000, serial: true }),
    ],
  },
});
