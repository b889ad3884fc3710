import { expect, it } from 'vitest';
import { SharedWatches, type WatchedNode } from '../../../hollow/light/shared-watches.ts';
import type { Connection, WatchHandlers } from '../../../src/kube/index.ts';
import { pass, scriptedFleet } from './scripted-connection.ts';

/** The watch of nodes, to be spoken for by the test, and what two nodes are told by it. */
async function watched() {
  const { clock, connection, context } = scriptedFleet(() => ({ status: 200 }));
  const opened: WatchHandlers[] = [];
  const speaking = Object.assign(Object.create(connection) as Connection, {
    watch(path: string, handlers: WatchHandlers) {
      if (path.startsWith('/api/v1/nodes')) opened.push(handlers);
      return { close() {} };
    },
  });
  const told: string[] = [];
  const node = (name: string): WatchedNode => ({
    seeNode: () => told.push(`${name} seen`),
    nodeGone: () => told.push(`${name} gone`),
    seePod() {},
    podsBegin() {},
    podsEnd() {},
  });
  const watches = new SharedWatches(context);
  watches.start(speaking, 'run=1');
  await pass(clock, 10);
  let version = 10;
  const say = (type: string, name: string, annotations: Record<string, string> = {}) => {
    const metadata = { name, resourceVersion: String(++version), annotations };
    opened.at(-1)?.onFrame(Buffer.from(JSON.stringify({ type, object: { kind: 'Node', metadata } })));
  };
  return {
    told,
    say,
    add: (name: string) => watches.add(name, node(name)),
    open: () => opened.at(-1)?.onOpen?.(200),
    listEnds: () => say('BOOKMARK', '', { 'k8s.io/initial-events-end': 'true' }),
    /** The stream says that its version is too old: what follows is a list anew. */
    expires: async () => {
      const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      opened.at(-1)?.onFrame(Buffer.from(JSON.stringify({ type: 'ERROR', object: status })));
      opened.at(-1)?.onEnd(undefined);
      await pass(clock, 60_000);
    },
  };
}

it('a light node that registers while the first list is under way is not taken for deleted', async () => {
  const { add, listEnds, open, say, told } = await watched();
  open();
  add('n-1');
  listEnds();
  say('ADDED', 'n-1');
  expect(told).toEqual(['n-1 seen']);
});

it('a light node that was there before and is not in a later list is taken for deleted', async () => {
  const { add, expires, listEnds, open, say, told } = await watched();
  add('n-1');
  add('n-2');
  open();
  say('ADDED', 'n-1');
  say('ADDED', 'n-2');
  listEnds();
  await expires();
  add('n-3');
  open();
  say('ADDED', 'n-1');
  listEnds();
  expect(told).toEqual(['n-1 seen', 'n-2 seen', 'n-1 seen', 'n-2 gone']);
});
