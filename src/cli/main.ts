/** The program: makes the Host, runs the command line, and turns what it throws into an exit code. */
import { systemClock } from '../core/index.ts';
import { runCli } from './program.ts';

const interruptListeners = new Set<(signalName: 'SIGINT' | 'SIGTERM') => void>();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // Nobody to clean up after: end as an unhandled signal would.
    if (interruptListeners.size === 0) process.exit(130);
    for (const listener of [...interruptListeners]) listener(name);
  });
}
// A reader that goes away (`hollowmark plan … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  onInterrupt(listener) {
    interruptListeners.add(listener);
    return () => interruptListeners.delete(listener);
  },
});
