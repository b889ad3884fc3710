import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cacheLocation,
  cacheRoot,
  makeWorkspace,
  readCache,
} from '../../../src/controlplane/binaries/cache.ts';
import { goModuleDirectory } from '../../../src/controlplane/binaries/go-build.ts';
import { formatGoMod, stagingModules } from '../../../src/controlplane/binaries/go-mod.ts';
import { parseVersion, thisPlatform } from '../../../src/controlplane/binaries/versions.ts';
import {
  describeBinaries,
  PLANE_PROGRAMS,
  pruneBinaries,
  resolveBinaries,
} from '../../../src/controlplane/index.ts';
import { tryLock } from '../../../src/controlplane/process/lock-file.ts';
import { systemClock } from '../../../src/core/index.ts';

let home: string;
let server: Server | undefined;
let lines: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hollowmark-binaries-'));
  lines = [];
});
afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  rmSync(home, { recursive: true, force: true });
});

const platform = thisPlatform();
const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');

/** A header and its data, as GNU tar lays them out. */
function tarEntry(name: string, data: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(data.length.toString(8).padStart(11, '0'), 124);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

/** Serves a release of made-up programs; `spoil` changes what is served at a path. */
async function serveRelease(
  spoil: (path: string, body: Buffer) => Buffer | undefined = (_path, body) => body,
) {
  const name = `etcd-v3.6.16-${platform.os}-${platform.arch}`;
  const filler = Buffer.alloc(100_000, 'x');
  const archive = gzipSync(
    Buffer.concat([
      tarEntry(`${name}/README.md`, filler),
      tarEntry(`${name}/etcd`, Buffer.from('etcd program')),
      Buffer.alloc(1024),
    ]),
  );
  const files = new Map<string, Buffer>([
    [
      '/etcd/v3.6.16/SHA256SUMS',
      Buffer.from(`${'0'.repeat(64)}  other.tar.gz\n${sha256(archive)}  ${name}.tar.gz\n`),
    ],
    [`/etcd/v3.6.16/${name}.tar.gz`, archive],
  ]);
  for (const program of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet']) {
    const path = `/k8s/v1.36.3/bin/${platform.os}/${platform.arch}/${program}`;
    files.set(path, Buffer.from(`${program} program`));
    files.set(`${path}.sha256`, Buffer.from(sha256(`${program} program`)));
  }
  const asked: string[] = [];
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const held = files.get(path);
    const body = held === undefined ? undefined : spoil(path, held);
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    asked,
    env: { HOLLOWMARK_KUBERNETES_MIRROR: `${url}/k8s`, HOLLOWMARK_ETCD_MIRROR: `${url}/etcd` },
  };
}

/** Nothing listens there: as without internet. */
const OFFLINE = {
  HOLLOWMARK_KUBERNETES_MIRROR: 'http://127.0.0.1:9/k8s',
  HOLLOWMARK_ETCD_MIRROR: 'http://127.0.0.1:9/etcd',
};

/** A stand-in for the Go toolchain: a script on the PATH. */
function installGo(script: string): string {
  const bin = join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'go'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'go'), 0o755);
  return `${bin}:/usr/bin:/bin`;
}
const NO_GO = '/nonexistent';
// Answers `go env GOVERSION`; `go build ... -o DIR/ PACKAGE` makes a file named like the package's folder.
const WORKING_GO = `
if [ "$1" = env ]; then echo go1.26.8; exit 0; fi
while [ $# -gt 1 ]; do [ "$1" = -o ] && out="$2"; shift; done
echo "k8s.io/some/package" >&2
case "$1" in go.etcd.io/*) name=server;; *) name=$(basename "$1");; esac
echo "$name built" > "$out$name"; chmod +x "$out$name"`;

function context(env: Record<string, string>, signal = new AbortController().signal) {
  return {
    env: { XDG_CACHE_HOME: home, HOME: home, PATH: NO_GO, ...env },
    signal,
    clock: systemClock,
    progress: (line: string) => lines.push(line),
  };
}
const location = () => cacheLocation(cacheRoot({ XDG_CACHE_HOME: home }), 'v1.36.3');
const residue = () =>
  readdirSync(join(location().directory, '..')).filter((name) => /partial|lock/.test(name));

describe('binaries from the official release', () => {
  it('are downloaded, checked, cached with their provenance, and not downloaded again', async () => {
    const { env, asked } = await serveRelease();
    const first = await resolveBinaries({}, context(env));
    expect(readFileSync(first.paths.etcd ?? '', 'utf8')).toBe('etcd program');
    expect(readFileSync(first.paths['kube-scheduler'] ?? '', 'utf8')).toBe('kube-scheduler program');
    expect(first.provenance).toMatchObject({
      source: 'download',
      kubernetesVersion: 'v1.36.3',
      etcdVersion: 'v3.6.16',
    });
    expect(first.provenance.checksums['kube-apiserver']).toBe(sha256('kube-apiserver program'));
    const askedCount = asked.length;
    const second = await resolveBinaries({}, context(env));
    expect(second).toEqual(first);
    expect(asked).toHaveLength(askedCount);
    expect(residue()).toEqual([]);
  });

  it.each([
    { what: 'a program', spoiled: /kube-scheduler$/ },
    { what: 'the etcd archive', spoiled: /tar\.gz$/ },
  ])('are refused when the checksum of $what is wrong', async ({ spoiled }) => {
    const { env } = await serveRelease((path, body) =>
      spoiled.test(path) ? Buffer.concat([body, Buffer.from('!')]) : body,
    );
    await expect(resolveBinaries({ routes: ['download'] }, context(env))).rejects.toMatchObject({
      code: 'HM_BINARIES_UNAVAILABLE',
      message: expect.stringMatching(
        /checksum of http.* is wrong: published [0-9a-f]{64}, received [0-9a-f]{64}/,
      ),
    });
    expect(readCache(location())).toBeUndefined();
    expect(residue()).toEqual([]);
  });

  it('may lack a program that is not published; the build brings only that one', async () => {
    const { env } = await serveRelease();
    const path = installGo(WORKING_GO);
    const set = await resolveBinaries(
      { programs: [...PLANE_PROGRAMS, 'kubelet', 'kubemark'] },
      context({ ...env, PATH: path }),
    );
    expect(readFileSync(set.paths.kubelet ?? '', 'utf8')).toBe('kubelet program');
    expect(readFileSync(set.paths.kubemark ?? '', 'utf8')).toBe('kubemark built\n');
    expect(set.provenance.source).toBe('download');
  });

  it('are given up within seconds where the release is not in reach, in one line', async () => {
    const startMs = performance.now();
    await resolveBinaries({}, context({ ...OFFLINE, PATH: installGo(WORKING_GO) }));
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(lines.filter((line) => line.startsWith('download'))).toEqual([
      expect.stringMatching(/^download did not work: 127\.0\.0\.1:9 is not in reach/),
    ]);
  });
});

describe('binaries from the Go toolchain', () => {
  it('come with its version, and etcd under its own name', async () => {
    const set = await resolveBinaries({ routes: ['go-build'] }, context({ PATH: installGo(WORKING_GO) }));
    expect(set.provenance).toMatchObject({ source: 'go-build', goVersion: 'go1.26.8' });
    expect(readFileSync(set.paths.etcd ?? '', 'utf8')).toBe('server built\n');
    expect(lines.join('\n')).toMatch(
      /building etcd, kube-apiserver.* from source with go1\.26\.8[\s\S]*built etcd: 1 packages compiled/,
    );
  });

  it.each([
    { why: 'there is no Go', go: undefined, says: 'no Go toolchain on the PATH' },
    { why: 'Go is too old', go: 'echo go1.25.9', says: 'Go 1.26 or newer is needed, found go1.25.9' },
    {
      why: 'the build fails',
      go: '[ "$1" = env ] && echo go1.26.8 && exit 0; echo "missing go.sum entry" >&2; exit 1',
      says: 'missing go.sum entry',
    },
  ])('are unavailable when $why, and everything tried is told', async ({ go, says }) => {
    const PATH = go === undefined ? NO_GO : installGo(go);
    await expect(resolveBinaries({}, context({ ...OFFLINE, PATH }))).rejects.toMatchObject({
      code: 'HM_BINARIES_UNAVAILABLE',
      message: expect.stringMatching(
        new RegExp(`tried: cache: not there; download: [^]*not in reach[^]*go-build: [^]*${says}`),
      ),
      hint: expect.stringContaining('install Go 1.26'),
    });
    expect(residue()).toEqual([]);
  });

  it('say that the disk is full when that ended the build', async () => {
    const PATH = installGo(
      '[ "$1" = env ] && echo go1.26.8 && exit 0; echo "write: no space left on device" >&2; exit 1',
    );
    await expect(resolveBinaries({ routes: ['go-build'] }, context({ PATH }))).rejects.toMatchObject({
      code: 'HM_DISK_FULL',
    });
  });

  it('leave nothing half done when the build is interrupted', async () => {
    const PATH = installGo('[ "$1" = env ] && echo go1.26.8 && exit 0; exec sleep 30');
    const controller = new AbortController();
    const building = resolveBinaries({ routes: ['go-build'] }, context({ PATH }, controller.signal));
    setTimeout(() => controller.abort(new Error('interrupted')), 300);
    await expect(building).rejects.toThrow('interrupted');
    expect(readCache(location())).toBeUndefined();
    expect(residue()).toEqual([]);
  });
});

describe('the cache', () => {
  it('is filled by one process at a time: a second one waits and takes what the first brought', async () => {
    const { env, asked } = await serveRelease();
    const [first, second] = await Promise.all([
      resolveBinaries({}, context(env)),
      resolveBinaries({}, context(env)),
    ]);
    expect(second).toEqual(first);
    expect(asked.filter((path) => path.endsWith('kube-apiserver'))).toHaveLength(1);
    expect(lines.join('\n')).toContain('waiting for process');
  });

  it('forgets what a killed fill left behind', () => {
    mkdirSync(`${location().directory}.partial-999999999-abc`, { recursive: true });
    makeWorkspace(location())[Symbol.dispose]();
    expect(residue()).toEqual([]);
  });

  it('counts a damaged provenance as none', async () => {
    const { env } = await serveRelease();
    await resolveBinaries({}, context(env));
    writeFileSync(join(location().directory, 'provenance.json'), '{"format":1');
    expect((await resolveBinaries({}, context(env))).provenance.source).toBe('download');
  });

  it('is pruned of other versions, but not of what is being filled', async () => {
    const { env } = await serveRelease();
    await resolveBinaries({}, context(env));
    const old = join(cacheRoot({ XDG_CACHE_HOME: home }), 'v1.35.1', 'linux-amd64');
    mkdirSync(old, { recursive: true });
    const filling = tryLock(`${old}.lock`);
    expect(pruneBinaries({ XDG_CACHE_HOME: home }, ['v1.36.3'])).toMatchObject({
      dropped: [],
      inUse: [{ directory: old }],
    });
    if (filling.state === 'taken') filling.lock[Symbol.dispose]();
    expect(pruneBinaries({ XDG_CACHE_HOME: home }, ['v1.36.3'])).toMatchObject({
      dropped: [{ directory: old }],
      inUse: [],
    });
    expect(existsSync(old)).toBe(false);
    expect(readCache(location())).toBeDefined();
  });
});

describe('a folder that the user named', () => {
  it('comes before everything else, and its versions are asked of the programs', async () => {
    const folder = join(home, 'mine');
    mkdirSync(folder);
    for (const program of PLANE_PROGRAMS) {
      const says = program === 'etcd' ? 'etcd Version: 3.5.9' : 'Kubernetes v1.33.0';
      writeFileSync(join(folder, program), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
    }
    const set = await resolveBinaries({}, context({ HOLLOWMARK_BINARIES_DIR: folder }));
    expect(set.provenance).toMatchObject({
      source: 'explicit',
      kubernetesVersion: 'v1.33.0',
      etcdVersion: 'v3.5.9',
    });
    expect(set.paths.etcd).toBe(join(folder, 'etcd'));
    const described = await describeBinaries(
      undefined,
      context({ HOLLOWMARK_BINARIES_DIR: folder }).env,
      new AbortController().signal,
    );
    expect(described).toMatchObject({ ready: true, summary: expect.stringContaining(folder) });
  });

  it('is not quietly passed over when programs are missing from it', async () => {
    await expect(resolveBinaries({ directory: home }, context({}))).rejects.toMatchObject({
      code: 'HM_BINARIES_UNAVAILABLE',
      message: `${home} has no executable etcd, kube-apiserver, kube-controller-manager, kube-scheduler`,
    });
  });
});

describe('versions and go.mod', () => {
  it.each([
    ['1.36.3', 'v1.36.3'],
    ['v1.37.0-rc.0', 'v1.37.0-rc.0'],
  ])('reads %s as %s', (text, version) => expect(parseVersion(text)).toBe(version));

  it.each(['latest', '1.36', 'v1.36.3; rm -rf /', '../v1.36.3'])('refuses %j as a version', (text) => {
    expect(() => parseVersion(text)).toThrow(expect.objectContaining({ code: 'HM_USAGE' }));
  });

  it('derives the staging modules of another version from its own go.mod', () => {
    const upstream =
      'module k8s.io/kubernetes\n\ngo 1.25.0\n\nrequire (\n\tk8s.io/api v0.0.0\n\tk8s.io/klog/v2 v2.130.1\n\tk8s.io/utils v0.0.0-2025\n\tk8s.io/client-go v0.0.0 // indirect\n)\n';
    const staging = stagingModules(upstream);
    expect(staging).toEqual(['k8s.io/api', 'k8s.io/client-go']);
    const text = formatGoMod({
      kubernetesVersion: 'v1.35.2',
      etcdVersion: 'v3.6.5',
      upstream,
      staging,
      packages: ['k8s.io/kubernetes/cmd/kubelet'],
    });
    expect(text).toContain('\ngo 1.25.0\n');
    expect(text).toContain('\tk8s.io/api => k8s.io/api v0.35.2\n');
    expect(text).toContain('\tk8s.io/kubernetes v1.35.2\n');
  });

  it('has a committed go.mod for the default version, with its go.sum', () => {
    const text = readFileSync(join(goModuleDirectory(), 'go.mod'), 'utf8');
    expect(text).toMatch(/k8s\.io\/kubernetes v1\.36\.3/);
    expect(text).toMatch(/go\.etcd\.io\/etcd\/server\/v3 v3\.6\.16/);
    expect(existsSync(join(goModuleDirectory(), 'go.sum'))).toBe(true);
  });
});
