/**
 * `node dist/bench/measure/main.js [--pods N]`: cost of recording, and memory of pods' timelines. Each figure beside
 * its goal.
 */
import { parseArgs } from 'node:util';
import { formatBytes } from '../../src/core/index.ts';
import { goalLine } from '../goal.ts';
import { measurePodMemory } from './pod-memory.ts';
import { measureRecordCost } from './record-cost.ts';

const GOAL_RECORD_US = 1;
const GOAL_PODS_BYTES = 100_000_000;
const GOAL_POD_COUNT = 100_000;

const { values } = parseArgs({ options: { pods: { type: 'string', default: String(GOAL_POD_COUNT) } } });
const podCount = Number(values.pods);
const write = (line: string) => process.stdout.write(`${line}\n`);
const goal = (value: number) => ({ kind: 'at-most' as const, value });

if (podCount === GOAL_POD_COUNT) {
  const us = (value: number) => `${value.toFixed(2)} µs`;
  write(goalLine('cost per recorded call', measureRecordCost(), goal(GOAL_RECORD_US), us));
}
const { heldBytes, peakRssGrowthBytes, leftBytes, fileBytes } = await measurePodMemory(podCount);
const name = `timelines of ${podCount.toLocaleString('en-US')} pods alive at once`;
write(goalLine(name, heldBytes, goal((GOAL_PODS_BYTES / GOAL_POD_COUNT) * podCount), formatBytes));
write(
  `  resident memory grew by ${formatBytes(peakRssGrowthBytes)} at most; ${formatBytes(Math.max(0, leftBytes))} held ` +
    `once all were gone; pods.ndjson.gz ${formatBytes(fileBytes)}`,
);
