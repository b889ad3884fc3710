/** Everything that is needed to understand, repeat or compare the run. */
import { formatBytes, formatMs } from '../../../src/core/index.ts';
import type { RunResult } from '../../../src/result/index.ts';
import { formatLength, shellCommand } from '../../model/words.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

export function configurationSection(result: RunResult): Section {
  const { suite, machine, controlPlane, fingerprint } = result;
  const { provenance } = controlPlane;
  const run: [string, string][] = [
    ['Run', result.runId],
    ['State', `${result.state}${result.reason === undefined ? '' : `: ${result.reason}`}`],
    ['Time', `${result.startedAt} to ${result.endedAt} (${formatLength(result.durationMs)})`],
    ['Tool', `hollowmark ${result.tool.version}, Node ${machine.nodeVersion}`],
    ['Suite', `${suite.name} (${suite.path}), SHA-256 ${suite.sha256}`],
    ['Seed', String(suite.seed)],
    ['Overrides', suite.overrides.length === 0 ? 'none' : suite.overrides.join(' ')],
    [
      'Machine',
      `${machine.hostname}: ${machine.cpuModel.trim()}, ${machine.cpuCount} CPUs, ${formatBytes(machine.memoryBytes)}, ${machine.os} ${machine.arch}`,
    ],
    ['Kubernetes', `${controlPlane.kubernetesVersion}, cluster ${controlPlane.clusterUid}`],
    [
      'Control plane',
      `${controlPlane.provider}, profile ${controlPlane.profile}${controlPlane.colocated ? ', on this machine' : ''}${controlPlane.startMs === undefined ? '' : `, started in ${formatMs(controlPlane.startMs)}`}`,
    ],
    [
      'Provenance',
      [
        provenance.source,
        provenance.kubernetesVersion,
        ...(provenance.etcdVersion === undefined ? [] : [`etcd ${provenance.etcdVersion}`]),
        ...(provenance.goVersion === undefined ? [] : [provenance.goVersion]),
      ].join(', '),
    ],
  ];
  const print: [string, string][] = Object.entries(fingerprint).map(([name, value]) => [name, String(value)]);
  const components = controlPlane.components.map(
    (one) => html`<h4>${one.name}</h4><pre>${one.args.join('\n')}</pre>`,
  );
  return {
    id: 'configuration',
    title: 'Configuration',
    short: 'Configuration',
    body: html`<p>Repeat it exactly:</p><pre id="command">${shellCommand(result.command)}</pre>
${pairs(run)}
<h3>Fingerprint</h3><p>Runs are compared only where all of this is equal.</p>${pairs(print)}
<details><summary>The suite as written</summary><pre>${suite.text}</pre></details>
<details><summary>The suite as resolved, defaults filled in</summary><pre>${JSON.stringify(suite.resolved, undefined, 2)}</pre></details>
<details><summary>Arguments of the control plane</summary>${components}</details>`,
  };
}

function pairs(entries: readonly [string, string][]): Markup {
  return html`<dl class="pairs">${entries.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`;
}
