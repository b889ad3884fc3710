/**
 * The image that the real kubelet's pods run, made by hand: one static program in one layer, as an archive that
 * containerd imports. No registry is asked.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../../src/core/index.ts';

/** Its name in every pod of the scenarios: what clusters have in any case. */
export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10';

const TAR_BLOCK_BYTES = 512;

/** Builds the program with Go and writes the archive (docker-archive form); returns the archive's path. */
export async function buildPauseImage(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const program = join(directory, 'pause');
  const source = join(packageRoot(), 'test/fidelity/players/image/main.go');
  await execa('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', program, source], {
    env: { CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
  });
  const layer = tar([{ name: 'pause', mode: 0o755, content: readFileSync(program) }]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: ['/pause'], WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
      history: [{ created_by: 'hollowmark fidelity tests' }],
    }),
  );
  const configName = `${sha256(config)}.json`;
  const manifest = [{ Config: configName, RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }];
  const path = join(directory, 'pause.tar');
  writeFileSync(
    path,
    tar([
      { name: configName, mode: 0o644, content: config },
      { name: 'layer.tar', mode: 0o644, content: layer },
      { name: 'manifest.json', mode: 0o644, content: Buffer.from(JSON.stringify(manifest)) },
    ]),
  );
  return path;
}

/** A tar archive (ustar) of plain files. */
function tar(files: readonly { name: string; mode: number; content: Buffer }[]): Buffer {
  const parts: Buffer[] = [];
  for (const { name, mode, content } of files) {
    const header = Buffer.alloc(TAR_BLOCK_BYTES);
    const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
    header.write(name, 0);
    header.write(octal(mode, 8), 100);
    header.write(octal(0, 8), 108);
    header.write(octal(0, 8), 116);
    header.write(octal(content.length, 12), 124);
    header.write(octal(0, 12), 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\0', 257);
    header.write('00', 263);
    // The checksum is the sum of the header's bytes with its own field taken as spaces.
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(
      header,
      content,
      Buffer.alloc((TAR_BLOCK_BYTES - (content.length % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES),
    );
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * TAR_BLOCK_BYTES)]);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
