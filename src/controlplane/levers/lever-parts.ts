/** What levers are made of: the plane's shape and processes, its keys, and where it is. */
import type { Clock, Logger } from '../../core/index.ts';
import { HarnessError } from '../../core/index.ts';
import type { ClusterAccess } from '../../kube/index.ts';
import type { PlanePki } from '../pki/plane-pki.ts';
import type { PlaneProcesses } from '../plane-processes.ts';
import type { ProcessGuard } from '../process/guard.ts';
import type { PlaneShape } from '../topology/shape.ts';

export interface LeverParts {
  shape: PlaneShape;
  processes: PlaneProcesses;
  pki: PlanePki;
  admin: ClusterAccess;
  directory: string;
  guard: ProcessGuard;
  context: {
    clock: Clock;
    log: Logger;
    env: Readonly<Record<string, string | undefined>>;
    progress?: ((line: string) => void) | undefined;
  };
}

/** Names of the etcd members that hold the objects. */
export function storeNames(shape: PlaneShape): string[] {
  return shape.stages.flatMap((stage) =>
    stage.flatMap(({ component, name }) => (component === 'etcd' && /^etcd-\d+$/.test(name) ? [name] : [])),
  );
}

/** Value of a flag on an instance's command line. @throws HM_INTERNAL if it is not there */
export function etcdFlag(args: readonly string[], name: string): string {
  const start = `--${name}=`;
  const found = args.find((arg) => arg.startsWith(start));
  if (found === undefined) throw new HarnessError('HM_INTERNAL', `etcd was started without --${name}`);
  return found.slice(start.length);
}
