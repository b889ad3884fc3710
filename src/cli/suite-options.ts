/**
 * The arguments that every command with a suite takes, in one place: the suite, `--set`, `--nodes`.
 */
import { type Command, Option } from 'commander';
import { type LoadedSuite, loadSuite, readSuiteSource, type SuiteCheck } from '../config/index.ts';
import { flagProblems } from '../controlplane/index.ts';
import type { Host } from '../core/index.ts';

/** What commander makes of the options that addSuiteOptions adds. */
export interface SuiteOptions {
  set: string[];
  nodes?: string;
}

/** Adds `--set path=value` (repeatable) and `--nodes N` to a command. */
export function addSuiteOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--set <path=value>',
        'override one value of the suite, such as fleet.ramp=5/s or load.phases[0].actions[0].count=100 (repeatable)',
      )
        .argParser((text: string, previous: string[]) => [...previous, text])
        .default([], 'none'),
    )
    .option('--nodes <count>', 'hollow nodes, instead of the number in the suite');
}

/**
 * The suite named on the command line: a path, or the name of one that ships.
 * @throws HM_CONFIG_UNREADABLE, HM_CONFIG_INVALID
 */
export function loadNamedSuite(
  name: string,
  options: SuiteOptions & { attach?: boolean },
  host: Pick<Host, 'cwd'>,
): LoadedSuite {
  const overrides = {
    set: options.set,
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    ...(options.attach === undefined ? {} : { attach: options.attach }),
  };
  return loadSuite(readSuiteSource(name, { cwd: host.cwd }), overrides, [checkFlags]);
}

/** Refuses flags that hollowmark sets itself; config cannot know them, the control plane does. */
export const checkFlags: SuiteCheck = (suite, report) => {
  if (suite.controlPlane.provider !== 'local') return;
  for (const { path, message } of flagProblems(suite.controlPlane.flags, 'controlPlane'))
    report(`controlPlane.${path}`, message);
};
