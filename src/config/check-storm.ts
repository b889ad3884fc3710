/** Storms that the suite's fleet cannot play. */
import { quote } from './issues.ts';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import type { StormAction } from './storm.ts';
import type { Suite } from './suite.ts';

/** Reports what of `storm` is impossible on the fleet of `suite`. */
export function checkStorm(storm: StormAction, suite: Suite, path: Path, report: ReportProblem): void {
  const { disturbance, durationMs, selection } = storm;
  const { fleet } = suite;
  const { zones } = fleet;
  if (fleet.nodeCount === 0) {
    report([...path, 'action'], 'a storm needs nodes, and fleet.nodes is 0');
    return;
  }
  if (selection.zone !== undefined && !zones.includes(selection.zone))
    report(
      [...path, 'zone'],
      zones.length === 0
        ? 'the fleet has no zones: list them in fleet.zones'
        : `expected one of the fleet's zones (${zones.join(', ')}), got ${quote(selection.zone)}`,
    );
  if (selection.nodeCount !== undefined && selection.nodeCount > fleet.nodeCount)
    report([...path, 'nodes'], `expected at most the fleet's ${fleet.nodeCount}, got ${selection.nodeCount}`);
  if (disturbance.kind === 'expire-certificates' && fleet.identity !== 'certificate')
    report(
      [...path, 'kind'],
      'nodes have no certificates of their own: expected fleet.identity: certificate',
    );
  if (disturbance.kind === 'drop-connections' && fleet.connections === 'shared')
    report(
      [...path, 'kind'],
      'a shared connection is that of many nodes: expected fleet.connections: per-node',
    );
  if (
    disturbance.kind === 'flap' &&
    durationMs !== undefined &&
    durationMs < disturbance.silentMs + disturbance.aliveMs
  )
    report(
      [...path, 'for'],
      `expected at least one period of ${(disturbance.silentMs + disturbance.aliveMs) / 1_000}s, got ${durationMs / 1_000}s`,
    );
}
