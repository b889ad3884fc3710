/**
 * The command line: one file per command registers itself here. Everything a command throws ends here as one clear
 * message, its hint, and the exit code of its kind.
 */
import { Command, CommanderError } from 'commander';
import { describeError, EXIT_CODE, type Host, isHarnessError } from '../core/index.ts';
import { registerAgentCommand } from './agent.ts';
import { registerBinariesCommand } from './binaries.ts';
import { registerCleanCommand } from './clean.ts';
import { registerCompareCommand } from './compare.ts';
import { registerDoctorCommand } from './doctor.ts';
import { registerDownCommand } from './down.ts';
import { registerExperimentCommand } from './experiment.ts';
import { registerGateCommand } from './gate.ts';
import { registerNodesCommand } from './nodes.ts';
import { registerPlanCommand } from './plan.ts';
import { registerReportCommand } from './report.ts';
import { registerRunCommand } from './run.ts';
import { registerStatusCommand } from './status.ts';
import { registerUpCommand } from './up.ts';
import { registerValidateCommand } from './validate.ts';
import { VERSION } from './version.ts';

/** Every command, none run yet; `setExitCode` hears what a command that ends without an error has to say. */
export function buildProgram(host: Host, setExitCode: (code: number) => void): Command {
  const program = new Command('hollowmark')
    .description('Hollow-node scale testing of real Kubernetes control planes.')
    .version(VERSION)
    .showHelpAfterError('(hollowmark --help lists the commands)')
    // Options after a command are the command's: `up --version v1.36.3` is not hollowmark's own --version.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    });
  registerRunCommand(program, host, setExitCode);
  registerValidateCommand(program, host);
  registerPlanCommand(program, host);
  registerUpCommand(program, host);
  registerNodesCommand(program, host);
  registerStatusCommand(program, host);
  registerDownCommand(program, host);
  registerCleanCommand(program, host);
  registerReportCommand(program, host);
  registerGateCommand(program, host, setExitCode);
  registerCompareCommand(program, host, setExitCode);
  registerExperimentCommand(program, host, setExitCode);
  registerBinariesCommand(program, host);
  registerDoctorCommand(program, host);
  registerAgentCommand(program, host);
  for (const command of program.commands) command.exitOverride().showHelpAfterError(true);
  return program;
}

/** Runs one command line and returns its exit code; writes to the host's streams only. */
export async function runCli(host: Host): Promise<number> {
  let exitCode: number = EXIT_CODE.pass;
  const program = buildProgram(host, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...host.argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, host);
  }
}

function report(error: unknown, host: Host): number {
  if (error instanceof CommanderError) {
    // Commander has printed it already; --help and --version arrive here too, with 0.
    return error.exitCode === 0 ? EXIT_CODE.pass : EXIT_CODE.usage;
  }
  if (isHarnessError(error)) {
    host.stderr.write(`hollowmark: ${describeError(error)}\n`);
    if (error.hint !== undefined) host.stderr.write(`  ${error.hint}\n`);
    return error.exitCode;
  }
  host.stderr.write(
    `hollowmark: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_CODE.internal;
}
