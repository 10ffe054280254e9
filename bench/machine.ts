import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { percentiles } from './statistics.ts';

const DATA = fileURLToPath(new URL('.data/', import.meta.url));

/** Magic numbers of common Linux file systems. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
};

/** The machine and the version that were measured. */
export interface Machine {
  readonly processors: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly commit: string;
  /** What a response with status 200 guarantees, and the file system. */
  readonly durability: string;
  /** Time of a synchronised write of 4 KiB, ms. */
  readonly sync: { readonly p50: number; readonly p99: number };
}

function git(folder: string, ...args: readonly string[]): string {
  try {
    return execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** Commit of a clone. */
export function commitOf(folder: string): string {
  const commit = git(folder, 'rev-parse', '--short=12', 'HEAD');
  if (commit === '') return 'unknown';
  return git(folder, 'status', '--porcelain', '--untracked-files=no') === ''
    ? commit
    : `${commit} with changes`;
}

function measureSync(): Machine['sync'] {
  mkdirSync(DATA, { recursive: true });
  const path = join(DATA, 'sync');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4_096, 1);
  const times = Array.from({ length: 200 }, () => {
    writeSync(file, page);
    const started = performance.now();
    fdatasyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  rmSync(path);
  const { p50, p99 } = percentiles(times);
  return { p50, p99 };
}

/** @param build root folder of the clone that is measured */
export function describeMachine(build: string): Machine {
  const sync = measureSync();
  const fileSystem = FILE_SYSTEMS[statfsSync(DATA).type] ?? 'unknown';
  return {
    processors: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit: commitOf(build),
    durability: `committed and synchronised before the response (WAL, synchronous=FULL), on ${fileSystem}`,
    sync,
  };
}
