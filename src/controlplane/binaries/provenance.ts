/**
 * What is known of each binary in a cache folder, in `provenance.json` beside the binaries.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { BinaryProvenance } from '../provider.ts';
import { PLANE_PROGRAMS } from './versions.ts';

const fileSchema = z.object({
  sha256: z.string(),
  source: z.enum(['explicit', 'download', 'go-build']),
  /** Of the program: etcd has its own. */
  version: z.string(),
  /** `go1.26.8`, for go-build. */
  goVersion: z.string().optional(),
  /** URL, or the go.mod it was built from. */
  origin: z.string(),
});
const provenanceSchema = z.object({
  format: z.literal(1),
  kubernetesVersion: z.string(),
  etcdVersion: z.string(),
  files: z.record(z.string(), fileSchema),
});

export type FileProvenance = z.infer<typeof fileSchema>;
/** Contents of provenance.json. */
export type FolderProvenance = z.infer<typeof provenanceSchema>;

/** Reads the text of a provenance.json; undefined if it is not of the known form. */
export function parseProvenance(text: string): FolderProvenance | undefined {
  try {
    return provenanceSchema.parse(JSON.parse(text));
  } catch {
    // Written by another version or damaged: as good as none, and the cache is filled anew.
    return undefined;
  }
}

/** What a result records of the control plane's binaries. A mixture of sources counts as its least official part. */
export function summarise(folder: FolderProvenance): BinaryProvenance {
  const files = PLANE_PROGRAMS.flatMap((program) => folder.files[program] ?? []);
  const source =
    (['explicit', 'go-build', 'download'] as const).find((kind) =>
      files.some((file) => file.source === kind),
    ) ?? 'unknown';
  const goVersion = files.find((file) => file.goVersion !== undefined)?.goVersion;
  return {
    source,
    kubernetesVersion: folder.kubernetesVersion,
    etcdVersion: folder.etcdVersion,
    ...(goVersion === undefined ? {} : { goVersion }),
    checksums: Object.fromEntries(
      PLANE_PROGRAMS.map((program) => [program, folder.files[program]?.sha256 ?? 'unknown']),
    ),
  };
}

/** sha256 of a file, in hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
