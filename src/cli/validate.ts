/**
 * `hollowmark validate SUITE...`: every problem of every suite with its place, or one line a suite that it is fine.
 */
import type { Command } from 'commander';
import { ConfigError, formatMs, type HarnessError, type Host, isHarnessError } from '../core/index.ts';
import { planRun } from '../run/index.ts';
import { addSuiteOptions, loadNamedSuite, type SuiteOptions } from './suite-options.ts';

/** Adds the command to `program`. */
export function registerValidateCommand(program: Command, host: Host): void {
  addSuiteOptions(
    program
      .command('validate')
      .description('Check suites: every problem with file:line:column. Nothing is started.')
      .argument('<suites...>', 'paths of suites, or names of those that ship'),
  ).action((names: string[], options: SuiteOptions) => validate(names, options, host));
}

// All suites are looked at before anything is thrown, so that one run of the command shows everything.
function validate(names: readonly string[], options: SuiteOptions, host: Host): void {
  const errors: HarnessError[] = [];
  for (const name of names) {
    try {
      host.stdout.write(`${okLine(name, options, host)}\n`);
    } catch (error) {
      if (!isHarnessError(error)) throw error;
      errors.push(error);
    }
  }
  const [first, ...more] = errors;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const problems = errors.flatMap((error) =>
    error instanceof ConfigError
      ? error.problems
      : [{ place: error.message, path: '', message: error.hint ?? '' }],
  );
  throw new ConfigError(problems, {
    hint: `${problems.length} problems in ${errors.length} of ${names.length} suites; nothing was started`,
  });
}

function okLine(name: string, options: SuiteOptions, host: Host): string {
  const { suite, path } = loadNamedSuite(name, options, host);
  const plan = planRun(suite);
  const number = (value: number) => value.toLocaleString('en-US');
  const parts = [
    `${number(suite.fleet.nodeCount)} nodes`,
    `${suite.load.phases.length} ${suite.load.phases.length === 1 ? 'phase' : 'phases'} (${suite.load.phases.map((phase) => phase.name).join(', ')})`,
    `${number(plan.totals.objectCount)} objects`,
    `${number(plan.totals.callCount)} requests`,
    `${number(plan.totals.watcherCount)} watches`,
    `about ${formatMs(plan.duration.totalMs)}`,
  ];
  return `ok: ${suite.name} (${path}): ${parts.join(', ')}`;
}
