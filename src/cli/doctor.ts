/** `hollowmark doctor`: what this machine can carry, what limits it, and how to raise that. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { checkMachine, type Finding, readMachine, refuseBlocked } from '../controlplane/index.ts';
import type { Host } from '../core/index.ts';
import { withInterrupt } from './interrupt.ts';

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok',
  limits: 'LIMITS',
  blocks: 'BLOCKS',
  absent: 'absent',
};

export function registerDoctorCommand(program: Command, host: Host): void {
  program
    .command('doctor')
    .description('Check what this machine can carry; exit 5 if the main job cannot run here.')
    .option('--nodes <count>', 'hollow nodes to check for', parseCount, 100)
    .option('--out <dir>', 'where results would go', 'results')
    .option('--json', 'as JSON')
    .action((options: { nodes: number; out: string; json?: boolean }) =>
      withInterrupt(host, async (signal) => {
        const resultsDirectory = resolve(host.cwd, options.out);
        const facts = await readMachine({ env: host.env, resultsDirectory, measureDisk: true }, signal);
        const findings = checkMachine(facts, { nodeCount: options.nodes });
        if (options.json === true)
          host.stdout.write(`${JSON.stringify({ facts, findings }, undefined, 2)}\n`);
        else for (const finding of findings) host.stdout.write(formatFinding(finding));
        refuseBlocked(findings);
      }),
    );
}

function formatFinding({ id, state, found, limits, raise }: Finding): string {
  const more = raise === '' ? '' : `${' '.repeat(25)}raise: ${raise}\n`;
  return `${MARKS[state].padEnd(7)} ${id.padEnd(16)} ${found}\n${' '.repeat(25)}limits: ${limits}\n${more}`;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a number of nodes, 1 or more.');
  return value;
}
