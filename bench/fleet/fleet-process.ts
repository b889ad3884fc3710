/**
 * A fleet in a process of its own, so that its CPU and memory are its alone: `fleet-process.js`. Standard input takes
 * one line for each shard to start: the path of a FleetShard as JSON. Once its nodes are Ready, standard output tells
 * what the process has on its heap and beside it. It ends with its input, or by SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Fleet, type FleetShard } from '../../hollow/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';

const HAND_ON_MS = 1_000;

const recorder = new RunCallRecorder();
const podInstants = new PodInstantBuffer();
const fleets: Fleet[] = [];
const aborted = new AbortController();

// What a run hands on goes nowhere here, and must not pile up.
const drain = setInterval(() => {
  recorder.drain();
  podInstants.drain();
  for (const fleet of fleets) fleet.drain();
}, HAND_ON_MS);

const lines = createInterface({ input: process.stdin });
lines.on('line', (path) => {
  begin(path).catch((error: unknown) => {
    process.stderr.write(`fleet not started: ${String(error)}\n`);
    process.exitCode = 1;
    lines.close();
  });
});
lines.once('close', () => {
  clearInterval(drain);
  void Promise.all(fleets.map((fleet) => fleet.stop())).finally(() => process.exit());
});
process.once('SIGTERM', () => lines.close());

async function begin(path: string): Promise<void> {
  const shard = JSON.parse(readFileSync(path, 'utf8')) as FleetShard;
  const fleet = new Fleet(shard, { clock: systemClock, log: silentLogger(), recorder, podInstants });
  fleets.push(fleet);
  await fleet.start(aborted.signal);
  await fleet.ready(aborted.signal);
  const { heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ heapTotal, heapUsed, external, arrayBuffers })}\n`);
}
