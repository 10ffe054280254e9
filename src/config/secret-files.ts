import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

/** A secret is short; a larger file is a mistake in the path. */
const MAX_BYTES = 1_048_576n;

/** Files read for the configuration → what to know them again by, to see whether one has changed. */
export type Stamps = ReadonlyMap<string, string>;

// Kubernetes changes a mounted secret by turning a symbolic link: the file behind it is another one, so the inode tells.
function stampOf({ mtimeNs, size, ino }: BigIntStats): string {
  return `${mtimeNs}:${size}:${ino}`;
}

/** Stamp of a file as it is now; `missing` when there is none that can be looked at. */
export async function currentStamp(path: string): Promise<string> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch {
    return 'missing';
  }
}

function failureOf(error: unknown): string {
  return `cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`;
}

/** Reads the files of `${file:…}` and notes each. A relative path counts from `folder`. */
export function secretFileReader(folder: string) {
  const stamps = new Map<string, string>();
  const readFile = (path: string): { readonly text: string } | { readonly failure: string } => {
    const file = resolve(folder, path);
    try {
      const stats = statSync(file, { bigint: true });
      if (!stats.isFile()) return { failure: 'is not a file' };
      if (stats.size > MAX_BYTES) return { failure: 'is over 1 MiB, too large for a secret' };
      // Stamped before it is read: a change in between is then seen as a change, never missed.
      stamps.set(file, stampOf(stats));
      const text = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
      return text === '' ? { failure: 'is empty' } : { text };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  };
  return { stamps: stamps as Stamps, readFile };
}
