/**
 * What a machine can carry: each check says what it found, how many hollow nodes or what else that limits, and how
 * to raise it. The figures per node are measured ones (docs/operations.md, reference baselines), rounded up.
 */
import { TOPOLOGIES, type TopologySettings } from '../../config/index.ts';
import { formatBytes } from '../../core/index.ts';
import type { MachineFacts } from './machine.ts';

/** What one full-fidelity hollow node costs. */
export const NODE_COST = {
  /** The kubelet's connection and the proxy's. */
  connectionCount: 2,
  watchCount: 9,
  /** In the process that holds it. */
  fleetMemoryBytes: 350_000,
  /** In kube-apiserver, for its watches: 5.2 GB at 3,000 nodes. */
  apiserverMemoryBytes: 1_750_000,
  /** In etcd and the controllers, for its objects. */
  storeMemoryBytes: 150_000,
  /** CPU of all processes together, idle: 3,000 nodes took 1.2 of two cores. */
  idleCpuMsPerSecond: 0.41,
} as const;

/** What an empty control plane of one member each holds. */
const PLANE_MEMORY_BYTES = 600_000_000;
/** What each further member of a component holds, idle; measured (docs/topologies.md) and rounded up. */
const MEMBER_MEMORY_BYTES = {
  etcd: 90_000_000,
  apiserver: 330_000_000,
  controllerManager: 90_000_000,
  scheduler: 80_000_000,
} as const;
/** Files of a process that are not connections of nodes. */
const SPARE_FILE_COUNT = 500;
/** Share of all CPU time that idle nodes may take, so that load and measurement have the rest. */
const IDLE_CPU_RATIO = 0.6;
const BUILD_BYTES = 6_000_000_000;
const RUN_BYTES = 1_000_000_000;
/** Below this etcd warns of a slow disk. Source: etcd's hardware page, WAL fsync p99 < 10 ms. */
const SLOW_SYNC_MS = 10;
const STEADY_CLOCKS = ['tsc', 'kvm-clock', 'hyperv_clocksource_tsc_page', 'arch_sys_counter', 'xen'];

export interface Finding {
  /** `open-files` */
  id: string;
  /** `blocks`: what is required cannot run; `limits`: less than required or than one would wish; `absent`: optional and not there. */
  state: 'ok' | 'limits' | 'blocks' | 'absent';
  /** What was found: `20,000 open files`. */
  found: string;
  /** What that limits: `9,750 hollow nodes per process`. */
  limits: string;
  /** How to raise it; empty if there is nothing to do. */
  raise: string;
}

export interface Requirements {
  /** @default 100, as the quickstart suite has */
  nodeCount?: number | undefined;
  /** Connections of the load beside those of the nodes. @default 100 */
  connectionCount?: number | undefined;
  /** Processes that the nodes are spread over. @default 1 */
  agentCount?: number | undefined;
  /** The control plane runs here too. @default true */
  localPlane?: boolean | undefined;
  /** Of the local plane. @default one of each */
  topology?: TopologySettings | undefined;
}

/** Memory of an idle local plane, by its members. */
export function planeMemoryBytes(topology: TopologySettings): number {
  return (
    PLANE_MEMORY_BYTES +
    (topology.etcdCount - 1) * MEMBER_MEMORY_BYTES.etcd +
    (topology.apiserverCount - 1) * MEMBER_MEMORY_BYTES.apiserver +
    (topology.controllerManagerCount - 1) * MEMBER_MEMORY_BYTES.controllerManager +
    (topology.schedulerCount - 1) * MEMBER_MEMORY_BYTES.scheduler
  );
}

/** Every check of a machine against what is required of it; pure. */
export function checkMachine(facts: MachineFacts, requirements: Requirements = {}): Finding[] {
  const needs = {
    nodeCount: requirements.nodeCount ?? 100,
    connectionCount: requirements.connectionCount ?? 100,
    agentCount: requirements.agentCount ?? 1,
    localPlane: requirements.localPlane ?? true,
    topology: requirements.topology ?? TOPOLOGIES.single.settings,
  };
  const balanced = needs.localPlane && needs.topology.loadBalancer === 'haproxy';
  return [
    checkNode(facts),
    ...checkOpenFiles(facts, needs),
    ...checkPorts(facts, needs),
    checkCores(facts, needs),
    checkMemory(facts, needs),
    ...checkClock(facts),
    ...checkBacklog(facts),
    ...(needs.localPlane ? checkInotify(facts) : []),
    ...checkDisks(facts, needs),
    ...(needs.localPlane ? [checkBinaries(facts), checkGo(facts)] : []),
    optionalProgram(
      'haproxy',
      facts.haproxyPath,
      'control planes with several API servers',
      'apt-get install haproxy',
      balanced,
    ),
    optionalProgram(
      'chromium',
      facts.chromiumPath,
      'the browser tests of the HTML report',
      'apt-get install chromium',
    ),
  ];
}

interface Needs {
  nodeCount: number;
  connectionCount: number;
  agentCount: number;
  localPlane: boolean;
  topology: TopologySettings;
}

function checkNode(facts: MachineFacts): Finding {
  const [major = 0, minor = 0] = facts.nodeVersion.split('.').map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  return {
    id: 'node',
    state: enough ? 'ok' : 'blocks',
    found: `Node.js ${facts.nodeVersion}`,
    limits: enough ? 'nothing' : 'hollowmark does not run',
    raise: enough ? '' : 'install Node.js 20.19 or newer',
  };
}

function checkOpenFiles(facts: MachineFacts, needs: Needs): Finding[] {
  if (facts.openFileCount === undefined) return [];
  // The API server has every connection; an agent only those of its share.
  const usable = Math.max(0, facts.openFileCount - SPARE_FILE_COUNT);
  const holders = needs.localPlane ? 1 : needs.agentCount;
  const nodeLimit = Math.floor((usable * holders - needs.connectionCount) / NODE_COST.connectionCount);
  return [
    {
      id: 'open-files',
      state: judge(nodeLimit, needs.nodeCount),
      found: `${count(facts.openFileCount)} open files per process`,
      limits: `${count(nodeLimit)} hollow nodes ${needs.localPlane ? 'on the local API server' : `over ${needs.agentCount} agents`} (${NODE_COST.connectionCount} connections each)`,
      raise:
        'ulimit -n 1048576 in the shell (hard limit: /etc/security/limits.conf, LimitNOFILE= of a service)',
    },
  ];
}

function checkPorts(facts: MachineFacts, needs: Needs): Finding[] {
  if (facts.ephemeralPorts === undefined) return [];
  const { first, last } = facts.ephemeralPorts;
  const portCount = last - first + 1;
  // Each connection to one address of one API server needs a port of its own.
  const nodeLimit = Math.floor((portCount - needs.connectionCount) / NODE_COST.connectionCount);
  return [
    {
      id: 'ports',
      state: judge(nodeLimit, needs.nodeCount),
      found: `${count(portCount)} ports for outgoing connections (${first}-${last})`,
      limits: `${count(nodeLimit)} hollow nodes per API server (${NODE_COST.connectionCount} connections each)`,
      raise: 'sysctl -w net.ipv4.ip_local_port_range="10000 65000"; or fleet.connections: shared',
    },
  ];
}

function checkCores(facts: MachineFacts, needs: Needs): Finding {
  const perNode = needs.localPlane ? NODE_COST.idleCpuMsPerSecond : 0.1;
  const nodeLimit = Math.floor((facts.coreCount * 1_000 * IDLE_CPU_RATIO) / perNode);
  return {
    id: 'cores',
    // A machine that is too small gives a slow run that says so itself; it does not keep it from running.
    state: nodeLimit >= needs.nodeCount && facts.coreCount >= 2 ? 'ok' : 'limits',
    found: `${count(facts.coreCount)} ${facts.coreCount === 1 ? 'core' : 'cores'}`,
    limits: `about ${count(nodeLimit)} idle hollow nodes (${perNode} ms of CPU a second each${needs.localPlane ? ', control plane included' : ''})`,
    raise: 'a machine with more cores; control plane and load share these, and the result says so',
  };
}

function checkMemory(facts: MachineFacts, needs: Needs): Finding {
  const perNode =
    NODE_COST.fleetMemoryBytes +
    (needs.localPlane ? NODE_COST.apiserverMemoryBytes + NODE_COST.storeMemoryBytes : 0);
  const base = needs.localPlane ? planeMemoryBytes(needs.topology) : 0;
  const nodeLimit = Math.max(0, Math.floor((facts.availableMemoryBytes - base) / perNode));
  return {
    id: 'memory',
    state: judge(nodeLimit, needs.nodeCount),
    found: `${formatBytes(facts.availableMemoryBytes)} of ${formatBytes(facts.totalMemoryBytes)} memory available`,
    limits: `${count(nodeLimit)} hollow nodes (${formatBytes(perNode)} each${needs.localPlane ? ', API server and etcd included' : ''})`,
    raise: 'more memory, or fleet.connections: shared',
  };
}

function checkClock(facts: MachineFacts): Finding[] {
  if (facts.clockSource === undefined) return [];
  const steady = STEADY_CLOCKS.includes(facts.clockSource);
  return [
    {
      id: 'clock',
      state: steady ? 'ok' : 'limits',
      found: `clock source ${facts.clockSource}`,
      limits: steady
        ? 'nothing: a reading costs tens of nanoseconds'
        : 'request rates: each reading costs about a microsecond, and stamps are coarser',
      raise: steady
        ? ''
        : 'echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource, where tsc is stable',
    },
  ];
}

function checkBacklog(facts: MachineFacts): Finding[] {
  if (facts.listenBacklogCount === undefined) return [];
  const enough = facts.listenBacklogCount >= 1_024;
  return [
    {
      id: 'listen-backlog',
      state: enough ? 'ok' : 'limits',
      found: `${count(facts.listenBacklogCount)} connections may wait to be accepted`,
      limits: `node storms of more than about ${count(Math.floor(facts.listenBacklogCount / NODE_COST.connectionCount))} nodes at the same instant`,
      raise: enough ? '' : 'sysctl -w net.core.somaxconn=4096',
    },
  ];
}

function checkInotify(facts: MachineFacts): Finding[] {
  if (facts.inotifyInstanceCount === undefined) return [];
  // Components watch their certificate and configuration files: about ten instances each.
  const planeCount = Math.floor(facts.inotifyInstanceCount / 32);
  return [
    {
      id: 'inotify',
      state: planeCount >= 1 ? 'ok' : 'limits',
      found: `${count(facts.inotifyInstanceCount)} inotify instances per user`,
      limits: `about ${count(planeCount)} local control planes at the same time; none of the hollow nodes`,
      raise: planeCount >= 1 ? '' : 'sysctl -w fs.inotify.max_user_instances=1024',
    },
  ];
}

function checkDisks(facts: MachineFacts, needs: Needs): Finding[] {
  const { resultsDisk, cacheDisk } = facts;
  const findings: Finding[] = [
    {
      id: 'results-disk',
      state:
        !resultsDisk.writable || resultsDisk.freeBytes < RUN_BYTES / 4
          ? 'blocks'
          : resultsDisk.freeBytes < RUN_BYTES
            ? 'limits'
            : 'ok',
      found: `${formatBytes(resultsDisk.freeBytes)} free for results and etcd's data in ${resultsDisk.path}${resultsDisk.writable ? '' : ', which is not writable'}`,
      limits: 'length of runs and number of objects: a run of 10 minutes writes up to 1 GB',
      raise: 'free space, or --out DIR on another disk',
    },
  ];
  if (facts.syncWriteMs !== undefined)
    findings.push({
      id: 'sync-writes',
      state: facts.syncWriteMs <= SLOW_SYNC_MS ? 'ok' : 'limits',
      found: `slowest of 20 synchronous writes: ${facts.syncWriteMs.toFixed(1)} ms`,
      limits: 'latency of every write in profile production-like, where etcd waits for the disk',
      raise: `a faster disk (etcd asks for under ${SLOW_SYNC_MS} ms), or profile fast`,
    });
  if (needs.localPlane && !facts.binariesReady)
    findings.push({
      id: 'cache-disk',
      state:
        !cacheDisk.writable || cacheDisk.freeBytes < BUILD_BYTES / 10
          ? 'blocks'
          : cacheDisk.freeBytes < BUILD_BYTES
            ? 'limits'
            : 'ok',
      found: `${formatBytes(cacheDisk.freeBytes)} free in ${cacheDisk.path}${cacheDisk.writable ? '' : ', which is not writable'}`,
      limits: "getting the control plane: 0.4 GB to download, 6 GB to build with Go's own caches",
      raise: 'free space, or XDG_CACHE_HOME (and GOCACHE, GOMODCACHE) on another disk',
    });
  return findings;
}

function checkBinaries(facts: MachineFacts): Finding {
  const id = 'binaries';
  if (facts.binariesReady)
    return { id, state: 'ok', found: facts.binariesSummary, limits: 'nothing', raise: '' };
  if (facts.releaseInReach !== true && facts.goVersion === undefined)
    return {
      id,
      state: 'blocks',
      found: `${facts.binariesSummary}; but the download is not in reach and there is no Go`,
      limits: 'no local control plane can be started',
      raise: 'connect to the internet, install Go 1.26 or newer, or name a folder in HOLLOWMARK_BINARIES_DIR',
    };
  return {
    id,
    state: 'limits',
    found: facts.binariesSummary,
    limits: `the first start: ${facts.releaseInReach === true ? 'a download of 0.4 GB' : 'a build of about 4 minutes on 2 cores'}`,
    raise: 'hollowmark binaries fetch',
  };
}

function checkGo(facts: MachineFacts): Finding {
  const there = facts.goVersion !== undefined;
  return {
    id: 'go',
    state: there ? 'ok' : facts.binariesReady ? 'absent' : 'limits',
    found: facts.goVersion ?? facts.goProblem ?? 'no Go toolchain',
    limits: there
      ? 'nothing'
      : 'building the control plane where its download is not in reach, and kubemark at all',
    raise: there ? '' : 'install Go 1.26 or newer',
  };
}

function optionalProgram(
  id: string,
  path: string | undefined,
  serves: string,
  install: string,
  required = false,
): Finding {
  return {
    id,
    state: path !== undefined ? 'ok' : required ? 'blocks' : 'absent',
    found: path ?? `no ${id}`,
    limits: path === undefined ? serves : 'nothing',
    raise: path === undefined ? install : '',
  };
}

function judge(nodeLimit: number, nodeCount: number): 'ok' | 'blocks' {
  return nodeLimit >= nodeCount ? 'ok' : 'blocks';
}

function count(value: number): string {
  return Math.max(0, value).toLocaleString('en');
}
