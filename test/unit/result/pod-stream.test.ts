import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ALIVE_PODS_FILE,
  PODS_FILE,
  type PodRecord,
  PodStream,
  readPods,
} from '../../../src/result/index.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hollowmark-pods-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const pod = (index: number): PodRecord => ({
  namespace: 'ns',
  name: `pod-${index}`,
  phase: 'churn',
  kind: 'stateless',
  outcome: 'started',
  sentMs: index,
});

async function podsIn(folder: string): Promise<PodRecord[]> {
  const pods: PodRecord[] = [];
  for await (const one of readPods(folder)) pods.push(one);
  return pods;
}

describe('pods.ndjson.gz', () => {
  it('streams pods to disk and reads them back in order', async () => {
    const pods = Array.from({ length: 12_000 }, (_, index) => pod(index));
    await using stream = await PodStream.create(root);
    for (const one of pods) stream.write(one);
    await stream.close();
    expect(stream.podCount).toBe(12_000);
    expect(await podsIn(root)).toEqual(pods);
  });

  it('can be read while it is written, up to the last flush', async () => {
    await using stream = await PodStream.create(root);
    stream.write(pod(0));
    await stream.flush();
    stream.write(pod(1));
    expect(await podsIn(root)).toEqual([pod(0)]);
  });

  it('ends quietly at a torn end', async () => {
    const path = join(root, PODS_FILE);
    await using stream = await PodStream.create(root);
    stream.write(pod(0));
    await stream.flush();
    const wholeBytes = (await stat(path)).size;
    for (let index = 1; index < 50; index++) stream.write(pod(index));
    await stream.close();
    const size = (await stat(path)).size;
    for (let cut = size - 1; cut >= wholeBytes; cut--) {
      await truncate(path, cut);
      const pods = await podsIn(root);
      expect(pods[0]).toEqual(pod(0));
      expect(pods).toEqual(pods.map((_, index) => pod(index)));
    }
  });

  it('is refused when it is something else or not there', async () => {
    await expect(podsIn(root)).rejects.toMatchObject({ code: 'HM_RESULT_UNREADABLE' });
    await writeFile(join(root, PODS_FILE), 'no gzip');
    await expect(podsIn(root)).rejects.toMatchObject({ code: 'HM_RESULT_UNREADABLE' });
  });
});

describe('pods-alive.ndjson.gz', () => {
  const running = (index: number): PodRecord => ({ ...pod(index), runningSeenMs: 1_000 + index });
  const ended = (index: number): PodRecord => ({ ...running(index), goneMs: 9_000 });

  it('has, of a run that was killed, the pods whose story had no end, each once', async () => {
    await using stream = await PodStream.create(root);
    stream.writeAlive(running(0));
    stream.writeAlive(running(1));
    await stream.flush();
    stream.write(ended(1));
    // The same name again: another pod.
    stream.writeAlive({ ...running(1), runningSeenMs: 12_000 });
    await stream.flush();
    expect(await podsIn(root)).toEqual([ended(1), running(0), { ...running(1), runningSeenMs: 12_000 }]);
  });

  it('is gone when the run has ended: all pods are in the other file', async () => {
    await using stream = await PodStream.create(root);
    stream.writeAlive(running(0));
    stream.write(ended(0));
    await stream.close();
    expect(existsSync(join(root, ALIVE_PODS_FILE))).toBe(false);
    expect(await podsIn(root)).toEqual([ended(0)]);
  });

  it('ends quietly at a torn end', async () => {
    await using stream = await PodStream.create(root);
    stream.write(ended(99));
    stream.writeAlive(running(0));
    await stream.flush();
    for (let index = 1; index < 30; index++) stream.writeAlive(running(index));
    await stream.flush();
    const path = join(root, ALIVE_PODS_FILE);
    await truncate(path, (await stat(path)).size - 40);
    const pods = await podsIn(root);
    expect(pods.slice(0, 2)).toEqual([ended(99), running(0)]);
    expect(pods.slice(1)).toEqual(pods.slice(1).map((_, index) => running(index)));
  });
});

describe('a writer of pods that is killed', () => {
  it('leaves every pod of the pieces that were on disk, finished or alive', async () => {
    const script = join(root, 'writer.mjs');
    buildSync({
      entryPoints: ['test/helpers/pod-writer-main.ts'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      banner: {
        js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
      },
    });
    const child = spawn(process.execPath, [script, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    let flushed = -1;
    const exited = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      flushed = Number(text.trim().split('\n').at(-1));
      if (flushed >= 20) child.kill('SIGKILL');
    });
    expect(await exited).toBe('SIGKILL');
    const pods = await podsIn(root);
    const ofPiece = (piece: number) => pods.filter(({ phase }) => phase === `${piece}`);
    for (let piece = 0; piece <= flushed; piece++) {
      expect(ofPiece(piece).filter(({ goneMs }) => goneMs !== undefined)).toHaveLength(100);
      expect(ofPiece(piece).filter(({ goneMs }) => goneMs === undefined)).toHaveLength(100);
    }
  });
});
