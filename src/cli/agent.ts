/** `hollowmark agent`: one shard of a run, started by the run itself; not for people. */
import type { Command } from 'commander';
import { HarnessError, type Host, onAbort, streamLogger } from '../core/index.ts';
import { makeRole, runAgent } from '../run/index.ts';

export function registerAgentCommand(program: Command, host: Host): void {
  program
    .command('agent', { hidden: true })
    .description('One shard of a run; started by the run itself.')
    .requiredOption('--coordinator <url>', 'where the coordinator listens')
    .requiredOption('--id <id>', 'which agent this is')
    .action(async (options: { coordinator: string; id: string }) => {
      const token = host.env['HOLLOWMARK_AGENT_TOKEN'];
      if (token === undefined) {
        throw new HarnessError('HM_USAGE', 'HOLLOWMARK_AGENT_TOKEN is not set', {
          hint: 'agents are started by hollowmark run; there is no need to start one by hand',
        });
      }
      const stop = new AbortController();
      host.onInterrupt(() => stop.abort(new HarnessError('HM_INTERRUPTED', 'agent told to end')));
      // Standard input is a pipe from the coordinator's process: its end is the coordinator's end.
      process.stdin.on('end', () =>
        stop.abort(new HarnessError('HM_INTERRUPTED', 'the coordinator is gone')),
      );
      process.stdin.resume();
      // Whatever hangs then, the process does not outlive its run.
      onAbort(stop.signal, () => setTimeout(() => process.exit(130), 3_000).unref());
      await runAgent({
        coordinatorUrl: options.coordinator,
        token,
        id: options.id,
        clock: host.clock,
        log: streamLogger(process.stdout),
        signal: stop.signal,
        makeRole,
      });
      // Connections that linger would keep the process; everything worth keeping has been reported.
      process.exit(0);
    });
}
