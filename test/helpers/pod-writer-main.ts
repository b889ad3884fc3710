/** A process of its own that streams pods for ever, finished ones and such that live on, until it is killed. */
import { PodStream } from '../../src/result/pod-stream.ts';

const stream = await PodStream.create(process.argv[2] ?? '');
for (let piece = 0; ; piece++) {
  for (let index = 0; index < 100; index++) {
    const pod = {
      namespace: 'ns',
      phase: `${piece}`,
      kind: 'stateless',
      outcome: 'started',
      sentMs: index,
      runningSeenMs: index + 500,
    } as const;
    stream.write({ ...pod, name: `finished-${piece}-${index}`, goneMs: index + 900 });
    stream.writeAlive({ ...pod, name: `alive-${piece}-${index}` });
  }
  await stream.flush();
  process.stdout.write(`${piece}\n`);
}
