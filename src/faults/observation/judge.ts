/** The expected response held against what was seen: each bound on its own, then the fault as a whole. */
import { formatMs } from '../../core/index.ts';
import type {
  ExpectationCheck,
  FaultCard,
  FaultObservation,
  FindingName,
  InvariantCheck,
} from '../../result/index.ts';

/** Figures of an observation that a fault may have expectations of. Times in milliseconds. */
export type FigureName = keyof typeof FIGURES;

/** A bound on one figure, with where it comes from. */
export interface Expectation {
  figure: FigureName;
  atMost?: number;
  atLeast?: number;
  /** Upstream's own timeouts that make up the bound, and the slack added to them. */
  because: string;
}

interface Figure {
  /** `longest time without a good write` */
  title: string;
  unit: 'ms' | 'count' | 'ratio';
  /** Undefined: did not happen, or not within the window. */
  value: (seen: FaultObservation) => number | undefined;
  /** What undefined means to a bound. */
  absent: 'fails-at-most' | 'is-none';
}

const FIGURES = {
  writeGapMs: figure('longest time without a good write', 'ms', (seen) => seen.writeGapMs),
  readGapMs: figure('longest time without a good read', 'ms', (seen) => seen.readGapMs),
  recoveredMs: figure('back inside the SLO', 'ms', (seen) => seen.recoveredMs, 'fails-at-most'),
  recoveredAfterHealMs: figure(
    'back inside the SLO after healing',
    'ms',
    (seen) => seen.recoveredAfterHealMs,
    'fails-at-most',
  ),
  noticedMs: figure('first noticed by the system', 'ms', (seen) => seen.noticed?.afterMs, 'fails-at-most'),
  wrongAnswers: figure('probe calls that failed', 'count', (seen) =>
    seen.errors.reduce((sum, { count }) => sum + count, 0),
  ),
  noticeCount: figure('things that the system noticed', 'count', (seen) => seen.notices.length),
  writeAvailability: figure('good share of writes', 'ratio', (seen) => seen.writeAvailabilityRatio),
  readAvailability: figure('good share of reads', 'ratio', (seen) => seen.readAvailabilityRatio),
  etcdLeaderChanges: figure('leader changes of etcd', 'count', (seen) => seen.leaderChanges.etcd),
  controllerManagerChanges: figure(
    'leader changes of kube-controller-manager',
    'count',
    (seen) => seen.leaderChanges.controllerManager,
  ),
  schedulerChanges: figure(
    'leader changes of kube-scheduler',
    'count',
    (seen) => seen.leaderChanges.scheduler,
  ),
  wokenLeaderMs: figure('a leader that woke went on to lead for', 'ms', (seen) =>
    seen.wokenLeaders === undefined
      ? undefined
      : Math.max(...seen.wokenLeaders.map(({ ledForMs }) => ledForMs)),
  ),
  podMadeMs: figure('longest wait of a Deployment for its pod', 'ms', (seen) => seen.podMadeMs),
  podBoundMs: figure('longest wait of a Deployment for a bound pod', 'ms', (seen) => seen.podBoundMs),
  deploymentsStuck: figure(
    'Deployments without a bound pod at the end',
    'count',
    (seen) => seen.deploymentsStuckCount,
  ),
  watchDelayMs: figure(
    'longest silence of a watch through the load balancer',
    'ms',
    (seen) => seen.paths.find(({ path }) => path === 'balanced')?.watch?.longestDelayMs,
  ),
  nodesNotReady: figure('nodes that were not Ready', 'count', (seen) => seen.nodesNotReadyCount),
  firstNodeNotReadyMs: figure(
    'first node not Ready',
    'ms',
    (seen) => seen.firstNodeNotReadyMs,
    'fails-at-most',
  ),
  allNodesReadyMs: figure('all nodes Ready again', 'ms', (seen) => seen.allNodesReadyMs, 'fails-at-most'),
  floodRejected: figure('requests of the flood answered with 429', 'count', found('flood-rejected')),
  evictionsGranted: figure('evictions that were granted', 'count', found('evictions-granted')),
  alarmsRaised: figure('NOSPACE alarms while it lasted', 'count', found('alarms-raised')),
  alarmsLeft: figure('NOSPACE alarms after healing', 'count', found('alarms-left')),
  membersReplaced: figure('members of etcd with a new id', 'count', found('members-replaced')),
  storeHashes: figure('different hashes of the stores', 'count', found('store-hashes')),
  revisionsRaised: figure('revisions skipped by the restore', 'count', found('revisions-raised')),
  certificatesExpired: figure('servers of an expired certificate', 'count', found('certificates-expired')),
  certificatesRotated: figure('servers of a new certificate', 'count', found('certificates-rotated')),
  serversMoved: figure('API servers of the other version', 'count', found('servers-moved')),
  serversReturned: figure('API servers of their own version again', 'count', found('servers-returned')),
  podsEvicted: figure('pods evicted', 'count', (seen) => seen.podsEvictedCount),
} as const satisfies Record<string, Figure>;

/** The verdict on one fault. Without probe calls in its window nothing can be said of it. */
export function judgeFault(
  seen: FaultObservation,
  expectations: readonly Expectation[],
  invariants: readonly InvariantCheck[],
): FaultCard['verdict'] {
  const checks = expectations.map((expectation) => judgeFigure(seen, expectation));
  for (const invariant of invariants) {
    if (invariant.state !== 'no-data')
      checks.push({ name: invariant.name, met: invariant.state === 'held', text: invariant.text });
  }
  const missed = checks.filter(({ met }) => !met);
  if (seen.writeAvailabilityRatio === undefined)
    return { state: 'no-data', checks, text: 'no probe call was sent while the fault lasted' };
  return {
    state: missed.length === 0 ? 'met' : 'not-met',
    checks,
    text:
      missed.length === 0
        ? `responded as expected: ${checks.length} of ${checks.length} checks`
        : missed.map(({ name, text }) => `${name}: ${text}`).join('; '),
  };
}

function judgeFigure(seen: FaultObservation, expectation: Expectation): ExpectationCheck {
  const { title, unit, value, absent }: Figure = FIGURES[expectation.figure];
  const { atMost, atLeast, because } = expectation;
  const found = value(seen);
  const bounds = [
    ...(atMost === undefined ? [] : [`at most ${formatFigure(atMost, unit)}`]),
    ...(atLeast === undefined ? [] : [`at least ${formatFigure(atLeast, unit)}`]),
  ].join(' and ');
  const met =
    found === undefined
      ? atLeast === undefined && absent === 'is-none'
      : (atMost === undefined || found <= atMost) && (atLeast === undefined || found >= atLeast);
  const told = found === undefined ? 'not seen' : formatFigure(found, unit);
  return { name: title, met, text: `${told}, expected ${bounds} (${because})` };
}

/** Value of one of the fault's own findings. */
function found(name: FindingName): Figure['value'] {
  return (seen) => seen.findings?.find((finding) => finding.name === name)?.value;
}

function formatFigure(value: number, unit: Figure['unit']): string {
  if (unit === 'ms') return formatMs(value);
  return unit === 'count' ? String(value) : `${(value * 100).toFixed(2)} %`;
}

function figure(
  title: string,
  unit: Figure['unit'],
  value: Figure['value'],
  absent: Figure['absent'] = 'is-none',
): Figure {
  return { title, unit, value, absent };
}
