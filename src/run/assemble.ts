/** Puts a run's result together: what was asked, where it ran, what was recorded, and the verdicts on it. */
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import type { ControlPlane } from '../controlplane/index.ts';
import { isHarnessError } from '../core/index.ts';
import {
  decideExitCode,
  type FaultsResult,
  type Fingerprint,
  judgeFaults,
  judgeSlo,
  judgeThresholds,
  judgeTrust,
  type PhaseResult,
  RUN_RESULT_SCHEMA,
  type RunResult,
  tightestLimitUs,
  type Verdicts,
} from '../result/index.ts';
import type { CleanUpOutcome } from './clean-up.ts';
import type { Collected } from './collect.ts';
import type { RunOptions } from './options.ts';
import { REPORT_PERIOD_MS } from './protocol.ts';

/** How the run went. */
export interface RunFacts {
  startedAt: string;
  endedAt: string;
  durationMs: number;
  state: RunResult['state'];
  reason?: string;
  /** What ended a failed run. */
  error: unknown;
  plane: ControlPlane;
  planeStartMs: number;
  phases: PhaseResult[];
  collected: Collected;
  faults?: FaultsResult;
  cleanUp: CleanUpOutcome;
}

/** The result of a run, verdicts included. */
export function assembleResult(options: RunOptions, facts: RunFacts): RunResult {
  const { loaded } = options;
  const { suite } = loaded;
  const { plane, collected } = facts;
  const { podAudit, scheduling, ...recorded } = collected;
  const machine = thisMachine();
  const unjudged: Omit<RunResult, 'verdicts'> = {
    schema: RUN_RESULT_SCHEMA,
    runId: options.runId,
    tool: { name: 'hollowmark', version: options.version },
    state: facts.state,
    ...(facts.reason === undefined ? {} : { reason: facts.reason }),
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
    durationMs: Math.round(facts.durationMs),
    command: [...options.command],
    suite: {
      name: suite.name,
      description: suite.description,
      path: loaded.path,
      sha256: loaded.sha256,
      text: loaded.text,
      seed: suite.seed,
      overrides: [...loaded.overrides],
      resolved: suite,
    },
    machine,
    controlPlane: controlPlaneOf(plane, facts.planeStartMs),
    fingerprint: fingerprintOf(options, plane, machine),
    phases: facts.phases,
    ...recorded,
    ...(scheduling === undefined ? {} : { scheduling }),
    ...(facts.faults === undefined ? {} : { faults: facts.faults }),
    cleanup: { ...facts.cleanUp, durationMs: Math.round(facts.cleanUp.durationMs) },
  };
  return { ...unjudged, verdicts: judge(unjudged, options, facts, podAudit) };
}

function judge(
  result: Omit<RunResult, 'verdicts'>,
  options: RunOptions,
  facts: RunFacts,
  pods: Collected['podAudit'],
): Verdicts {
  const { suite } = options.loaded;
  const thresholds = judgeThresholds(
    result,
    suite.thresholds.map(({ expression }) => expression),
  );
  const slo = [
    ...judgeSlo(result, suite.slo),
    ...(thresholds === undefined ? [] : [thresholds]),
    ...judgeFaults(result),
  ];
  const trust = judgeTrust({
    ...result,
    tightestLimitUs: tightestLimitUs(slo),
    reportPeriodMs: REPORT_PERIOD_MS,
    pods,
  });
  const { exitCode, text } = decideExitCode({
    state: result.state,
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    slo,
    trust,
    strict: options.strict,
    failureExitCode: isHarnessError(facts.error) ? facts.error.exitCode : undefined,
  });
  return { slo, trust, exitCode, text };
}

function thisMachine(): RunResult['machine'] {
  const processors = cpus();
  return {
    hostname: hostname(),
    os: `${platform()} ${release()}`,
    arch: arch(),
    cpuModel: processors[0]?.model ?? 'unknown',
    cpuCount: processors.length,
    memoryBytes: totalmem(),
    nodeVersion: process.version,
  };
}

function controlPlaneOf(plane: ControlPlane, startMs: number): RunResult['controlPlane'] {
  const { source, kubernetesVersion, etcdVersion, goVersion } = plane.provenance;
  return {
    provider: plane.provider,
    kubernetesVersion: plane.kubernetesVersion,
    clusterUid: plane.clusterUid,
    profile: plane.profile,
    provenance: {
      source,
      kubernetesVersion,
      ...(etcdVersion === undefined ? {} : { etcdVersion }),
      ...(goVersion === undefined ? {} : { goVersion }),
    },
    components: plane.components.map(({ component, name, args }) => ({
      component,
      name,
      args: [...(args ?? [])],
    })),
    ...(plane.provider === 'local' ? { startMs: Math.round(startMs) } : {}),
    colocated: isLoopback(plane.admin.server),
  };
}

function fingerprintOf(options: RunOptions, plane: ControlPlane, machine: RunResult['machine']): Fingerprint {
  const { suite, sha256 } = options.loaded;
  const { source, goVersion } = plane.provenance;
  const memoryGib = Math.round(machine.memoryBytes / 2 ** 30);
  return {
    suiteSha256: sha256,
    nodeCount: suite.fleet.nodeCount,
    kubernetesVersion: plane.kubernetesVersion,
    profile: plane.profile,
    provenance: goVersion === undefined ? source : `${source} ${goVersion}`,
    fidelity: suite.fleet.compat === 'kubemark' ? 'kubemark' : suite.fleet.fidelity,
    identity: suite.fleet.identity,
    connections: suite.fleet.connections,
    encoding: suite.fleet.compression ? 'json+gzip' : 'json',
    machineClass: `${machine.cpuModel} x${machine.cpuCount}, ${memoryGib} GiB, node ${machine.nodeVersion}`,
  };
}

function isLoopback(server: string): boolean {
  const { hostname: name } = new URL(server);
  return name === 'localhost' || name === '[::1]' || name.startsWith('127.');
}
