/**
 * Levers on the etcd cluster that holds the objects, by the procedures of etcd's own operations guide.
 * Source: https://etcd.io/docs/v3.6/op-guide/{runtime-configuration,maintenance,recovery}
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { delay, describeError, HarnessError } from '../../core/index.ts';
import { callEtcd, isJson, type Json, saveSnapshot } from './etcd-api.ts';
import { restoreSnapshot } from './etcd-restore.ts';
import { etcdFlag, type LeverParts, storeNames } from './lever-parts.ts';
import type { EtcdLevers, EtcdMember, EtcdStatus } from './levers.ts';

const FILLER_PREFIX = '/hollowmark-filler/';
const FILLER_BYTES = 512 * 1024;
const RETRY_MS = 200;
/** A learner is promoted when it has 90 % of the leader's log; with a small database that takes seconds. */
const PROMOTION_TIMEOUT_MS = 60_000;

export interface EtcdLeversInside extends EtcdLevers {
  /** True from fillTo() until recoverSpace(). */
  readonly filled: boolean;
}

export function etcdLevers(parts: LeverParts): EtcdLeversInside {
  const { processes, context } = parts;
  const { clock } = context;
  const names = storeNames(parts.shape);
  let originalQuota: string | undefined;

  const call = (name: string, path: string, body: Json, signal: AbortSignal) =>
    callEtcd(processes.access(name), path, body, signal);

  const status = async (name: string, signal: AbortSignal): Promise<EtcdStatus> => {
    const reply = await call(name, '/v3/maintenance/status', {}, signal);
    const header = isJson(reply['header']) ? reply['header'] : {};
    return {
      name,
      memberId: String(header['member_id'] ?? '0'),
      leaderId: String(reply['leader'] ?? '0'),
      raftTerm: Number(reply['raftTerm'] ?? 0),
      databaseBytes: Number(reply['dbSize'] ?? 0),
      databaseInUseBytes: Number(reply['dbSizeInUse'] ?? 0),
      revision: Number(header['revision'] ?? 0),
    };
  };

  /** Status of every member that answers; paused ones are not asked, because they would only be waited for. */
  const statuses = async (signal: AbortSignal): Promise<EtcdStatus[]> => {
    const awake = processes.instances().filter((one) => names.includes(one.name) && one.state === 'running');
    const asked = await Promise.allSettled(awake.map(({ name }) => status(name, signal)));
    signal.throwIfAborted();
    return asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  };

  const anyMember = async (signal: AbortSignal, except?: string): Promise<string> => {
    const answering = await statuses(signal);
    const good = answering.find((one) => one.name !== except && one.leaderId !== '0');
    if (good !== undefined) return good.name;
    throw new HarnessError('HM_CLUSTER_STATE', 'no member of etcd answers that has a leader');
  };

  const members = async (signal: AbortSignal, except?: string): Promise<EtcdMember[]> => {
    const reply = await call(await anyMember(signal, except), '/v3/cluster/member/list', {}, signal);
    return listOf(reply['members']).map((one) => ({
      name: String(one['name'] ?? ''),
      id: String(one['ID'] ?? '0'),
      learner: one['isLearner'] === true,
    }));
  };

  /** Restarts the members with another quota one after the other, so that a majority is there throughout. */
  const setQuota = async (quotaBytes: string, signal: AbortSignal) => {
    for (const name of names)
      if (etcdFlag(processes.instance(name).args, 'quota-backend-bytes') !== quotaBytes)
        await processes.restart(name, { flags: { 'quota-backend-bytes': quotaBytes } }, signal);
  };

  const alarms = async (signal: AbortSignal) => {
    const reply = await call(
      await anyMember(signal),
      '/v3/maintenance/alarm',
      { action: 'GET', memberID: '0', alarm: 'NONE' },
      signal,
    );
    return listOf(reply['alarms']).map((one) => ({
      memberId: String(one['memberID'] ?? '0'),
      alarm: String(one['alarm'] ?? 'NONE'),
    }));
  };

  const disarmAlarms = async (signal: AbortSignal) => {
    const raised = await alarms(signal);
    for (const { memberId, alarm } of raised)
      await call(
        await anyMember(signal),
        '/v3/maintenance/alarm',
        { action: 'DEACTIVATE', memberID: memberId, alarm },
        signal,
      );
  };

  const compact = async (signal: AbortSignal) => {
    const name = await anyMember(signal);
    const { revision } = await status(name, signal);
    await call(name, '/v3/kv/compaction', { revision: String(revision), physical: true }, signal);
    return revision;
  };

  const defragment = async (name: string, signal: AbortSignal) => {
    await call(name, '/v3/maintenance/defragment', {}, signal);
  };

  return {
    get filled() {
      return originalQuota !== undefined;
    },
    members,
    status,
    alarms,
    disarmAlarms,
    compact,
    defragment,
    quotaBytes: () => Number(etcdFlag(processes.instance(names[0] ?? '').args, 'quota-backend-bytes')),

    async leader(signal) {
      const answering = await statuses(signal);
      const votes = answering.map(({ leaderId }) => leaderId);
      const majority = Math.floor(names.length / 2) + 1;
      const agreed = votes.find((id) => id !== '0' && votes.filter((vote) => vote === id).length >= majority);
      // A member that was paused while it led is named by the others, and does not answer itself.
      if (agreed === undefined) return undefined;
      const known = answering.find(({ memberId }) => memberId === agreed)?.name;
      return known ?? (await members(signal)).find(({ id }) => id === agreed)?.name;
    },

    async hashKv(name, revision, signal) {
      const body = revision === undefined ? {} : { revision: String(revision) };
      // Up to etcd 3.5 this was /v3/maintenance/hash, which hashes the whole backend now. Source: rpc.proto v3.6
      const reply = await call(name, '/v3/maintenance/hashkv', body, signal);
      const header = isJson(reply['header']) ? reply['header'] : {};
      return {
        hash: Number(reply['hash'] ?? 0),
        revision: Number(reply['hash_revision'] ?? header['revision'] ?? 0),
        compactRevision: Number(reply['compact_revision'] ?? 0),
      };
    },

    async snapshot(path, signal) {
      return saveSnapshot(processes.access(await anyMember(signal)), path, signal);
    },

    restore: (path, options, signal) => restoreSnapshot(parts, path, options, signal),

    async replaceMember(name, signal) {
      const gone = (await members(signal)).find((one) => one.name === name);
      if (gone === undefined) throw new HarnessError('HM_USAGE', `etcd has no member ${name}`);
      const { args } = processes.instance(name);
      processes.hold(name);
      await processes.terminate(name);
      rmSync(etcdFlag(args, 'data-dir'), { recursive: true, force: true });
      const through = await anyMember(signal, name);
      await call(through, '/v3/cluster/member/remove', { ID: gone.id }, signal);
      const added = await retry(
        () =>
          call(
            through,
            '/v3/cluster/member/add',
            { peerURLs: [etcdFlag(args, 'initial-advertise-peer-urls')], isLearner: true },
            signal,
          ),
        // Until the others are seen well for 5 s, etcd refuses to change its members (strict-reconfig-check).
        signal,
      );
      const newId = String((isJson(added['member']) ? added['member'] : {})['ID'] ?? '0');
      await processes.restartWith(name, existingCluster(args));
      processes.release(name);
      await retry(() => call(through, '/v3/cluster/member/promote', { ID: newId }, signal), signal);
      await processes.awaitReady(name, signal);
    },

    async fillTo(quotaBytes, signal) {
      const [first] = names;
      const { args } = processes.instance(first ?? '');
      originalQuota ??= etcdFlag(args, 'quota-backend-bytes');
      await setQuota(String(quotaBytes), signal);
      const name = await anyMember(signal);
      for (let index = 0; ; index++) {
        const put = {
          key: Buffer.from(`${FILLER_PREFIX}${index}`).toString('base64'),
          value: randomBytes(FILLER_BYTES).toString('base64'),
        };
        try {
          await call(name, '/v3/kv/put', put, signal);
        } catch (error) {
          if (!describeError(error).includes('database space exceeded')) throw error;
          return (await status(name, signal)).databaseBytes;
        }
      }
    },

    async recoverSpace(signal) {
      const name = await anyMember(signal);
      const range = {
        key: Buffer.from(FILLER_PREFIX).toString('base64'),
        // The end of a range of all keys with a prefix: the prefix with its last byte raised by one.
        range_end: Buffer.from('/hollowmark-filler0').toString('base64'),
      };
      await call(name, '/v3/kv/deleterange', range, signal);
      await compact(signal);
      for (const one of names) await defragment(one, signal);
      await disarmAlarms(signal);
      if (originalQuota !== undefined) await setQuota(originalQuota, signal);
      originalQuota = undefined;
    },
  };

  async function retry<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const untilUs = clock.nowUs() + PROMOTION_TIMEOUT_MS * 1_000;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        if (clock.nowUs() > untilUs) throw error;
        await delay(RETRY_MS, { signal, clock });
      }
    }
  }
}

// The new member finds the others by the list it was started with the first time: names and addresses stay.
function existingCluster(args: readonly string[]): readonly string[] {
  return args.map((arg) =>
    arg.startsWith('--initial-cluster-state=') ? '--initial-cluster-state=existing' : arg,
  );
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}
