/**
 * A whole etcd cluster begun anew from a snapshot, as after the loss of a majority: everything that asks it is stopped,
 * each member's data is replaced by etcdutl, and all start as a new cluster.
 */
import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { resolveBinaries } from '../binaries/resolve.ts';
import { etcdFlag, type LeverParts, storeNames } from './lever-parts.ts';

/** As the operations guide recommends: higher than any revision written after the snapshot was taken. */
const BUMP_REVISION_COUNT = 1_000_000_000;

/** @throws HM_BINARIES_UNAVAILABLE without etcdutl */
export async function restoreSnapshot(
  parts: LeverParts,
  path: string,
  options: { bumpRevision: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { shape, processes, context } = parts;
  const { paths } = await resolveBinaries(
    { programs: ['etcdutl'] },
    { ...context, signal, progress: context.progress ?? (() => {}) },
  );
  const etcdutl = paths.etcdutl ?? 'etcdutl';
  const stores = storeNames(shape);
  const apiservers = shape.stages
    .flat()
    .flatMap(({ component, name }) => (component === 'kube-apiserver' ? [name] : []));
  const all = [...apiservers, ...stores];
  for (const name of all) processes.hold(name);
  await Promise.all(apiservers.map((name) => processes.terminate(name)));
  await Promise.all(stores.map((name) => processes.terminate(name)));
  for (const name of stores) {
    const { args } = processes.instance(name);
    const dataDirectory = etcdFlag(args, 'data-dir');
    rmSync(dataDirectory, { recursive: true, force: true });
    await execa(
      etcdutl,
      [
        'snapshot',
        'restore',
        path,
        `--name=${name}`,
        `--data-dir=${dataDirectory}`,
        `--initial-cluster=${etcdFlag(args, 'initial-cluster')}`,
        `--initial-cluster-token=${etcdFlag(args, 'initial-cluster-token')}`,
        `--initial-advertise-peer-urls=${etcdFlag(args, 'initial-advertise-peer-urls')}`,
        ...(options.bumpRevision ? [`--bump-revision=${BUMP_REVISION_COUNT}`, '--mark-compacted'] : []),
      ],
      { cancelSignal: signal },
    );
  }
  for (const name of stores) processes.release(name);
  await Promise.all(stores.map((name) => processes.awaitReady(name, signal)));
  for (const name of apiservers) processes.release(name);
  await Promise.all(apiservers.map((name) => processes.awaitReady(name, signal)));
}
