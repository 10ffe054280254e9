import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../../config/config-schema.ts';
import {
  brokenLink,
  DATABASE_FILE,
  folderProblem,
  foreignEntry,
  lostStore,
  nearestExisting,
} from '../../journal/sqlite/offline/stopped-store.ts';
import { codeOf, fail, type Finding, formatBytes, ok, warn } from './finding.ts';

const CHECK = 'data folder';

/** Bytes that SQLite locks, whatever the file size: 0x40000000 and the next 511. */
const LOCK_START = 1_073_741_824;
const LOCK_END = 1_073_742_335;

/** proc, sysfs, cgroup, cgroup2, devpts, debugfs, tracefs, securityfs: they hold no files. */
const PSEUDO_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x64626720, 0x74726163, 0x73636673,
]);

export interface FolderInspection {
  readonly findings: readonly Finding[];
  /**
   * Folder in which the disk can be tested: the data folder, or the one in which it will be
   * created. Absent when it is not writable.
   */
  readonly base?: string;
}

/**
 * A folder of others, and one of another user: what root writes there, that user cannot write
 * later.
 */
function existingFinding(path: string): Finding {
  const other = foreignEntry(path);
  if (other !== undefined)
    return warn(
      CHECK,
      `${path} has other things than a store in it, such as ${other}`,
      'set store.path to a folder that only the relay uses, such as /var/lib/capillary-relay; to keep an existing store, stop the relay and move relay.db, relay.db-wal and relay.db-shm there',
    );
  const user = process.geteuid?.();
  const { uid } = statSync(path);
  if (user !== 0 || uid === user) return ok(CHECK, `${path} is writable`);
  return warn(
    CHECK,
    `${path} belongs to user ${uid}, but this is root`,
    `run doctor and the relay as user ${uid}`,
  );
}

/** Throws the error of the system if the store could not be written. */
function assertWritable(path: string, base: string): void {
  accessSync(base, constants.W_OK | constants.X_OK);
  if (base !== path) return;
  const file = join(path, DATABASE_FILE);
  if (statSync(file, { throwIfNoEntry: false }) !== undefined)
    accessSync(file, constants.R_OK | constants.W_OK);
}

/** Undefined if the store is there, or if nothing says that there should be one. */
function lossFinding(path: string, expect: Config['store']['expect']): Finding | undefined {
  const lost = lostStore(path, expect);
  if (lost === undefined) return undefined;
  return (lost.refused ? fail : warn)(CHECK, lost.reason, lost.fix);
}

/**
 * Checks the folder of `store.path`, without opening the store in it.
 * @param expect as `store.expect`: whether a store must be in it
 */
export function inspectFolder(given: string, expect: Config['store']['expect'] = 'any'): FolderInspection {
  const path = resolve(given);
  const base = nearestExisting(path);
  const refuse = (code: string): FolderInspection => {
    const { reason, fix } = folderProblem(path, code);
    return { findings: [fail(CHECK, reason, fix)] };
  };
  if (brokenLink(path) !== undefined) return refuse('ENOENT');
  if (!statSync(base).isDirectory()) return refuse('ENOTDIR');
  if (PSEUDO_FILE_SYSTEMS.has(statfsSync(base).type >>> 0)) return refuse('ENOENT');
  try {
    assertWritable(path, base);
  } catch (error) {
    return refuse(codeOf(error));
  }
  const loss = lossFinding(path, expect);
  if (loss !== undefined) return { findings: [loss], base };
  return base === path
    ? { findings: [existingFinding(path)], base }
    : { findings: [ok(CHECK, `${path} does not exist yet; it can be created in ${base}`)], base };
}

/**
 * Id of the process that has locked the store in this folder, from the kernel's list of locks, so
 * that the file need not be opened. Processes of other containers are missing from that list, and
 * not every system has one.
 */
export function lockHolder(path: string): number | undefined {
  try {
    const { ino } = statSync(join(path, DATABASE_FILE));
    const locks = readFileSync('/proc/locks', 'utf8').split('\n');
    const lock = locks
      .map((line) => line.trim().split(/\s+/))
      .find(
        (fields) =>
          fields[5]?.endsWith(`:${ino}`) === true &&
          Number(fields[6]) >= LOCK_START &&
          Number(fields[7]) <= LOCK_END,
      );
    return lock === undefined ? undefined : Number(lock[4]);
  } catch {
    return undefined;
  }
}

/** File systems by their magic number in linux/magic.h. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0xf2f52010: 'f2fs',
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
  0x794c7630: 'overlay',
  0x6969: 'nfs',
  0x517b: 'smb',
  0xff534d42: 'cifs',
  0xfe534d42: 'smb2',
  0x01021997: '9p',
  0x65735546: 'fuse',
};

const LOCAL_DISK = 'put store.path on a volume of a local or block-storage disk';

/** Why a file system is unsuitable for a store. */
const UNSUITABLE: Readonly<Record<string, string>> = {
  tmpfs: 'is in memory: a restart of the machine loses all pending events',
  ramfs: 'is in memory: a restart of the machine loses all pending events',
  overlay: 'is a container layer: it is deleted with the container',
  nfs: 'is on the network, where locks and fsync are unreliable',
  smb: 'is on the network, where locks and fsync are unreliable',
  cifs: 'is on the network, where locks and fsync are unreliable',
  smb2: 'is on the network, where locks and fsync are unreliable',
  '9p': 'is shared from another machine, where locks and fsync are unreliable',
};

const FSYNC_ROUNDS = 20;
const PAGE_BYTES = 4_096;
/** Each webhook waits for an fsync; concurrent ones share it. */
const SLOW_FSYNC_MS = 20;

/** Whether a file system is suitable for a store. @param type magic number from statfs */
export function fileSystemFinding(base: string, type: number): Finding {
  const kind = FILE_SYSTEMS[type >>> 0];
  const why = kind === undefined ? undefined : UNSUITABLE[kind];
  if (why !== undefined) return warn('file system', `${base} (${kind}) ${why}`, LOCAL_DISK);
  return ok('file system', `${base} is on ${kind ?? `type 0x${(type >>> 0).toString(16)}`}`);
}

function timeFsyncs(base: string): number[] {
  const folder = mkdtempSync(join(base, '.relay-doctor-'));
  try {
    const file = openSync(join(folder, 'fsync'), 'w');
    try {
      const page = Buffer.alloc(PAGE_BYTES, 1);
      return Array.from({ length: FSYNC_ROUNDS }, (_, round) => {
        writeSync(file, page, 0, PAGE_BYTES, round * PAGE_BYTES);
        const started = performance.now();
        fsyncSync(file);
        return performance.now() - started;
      });
    } finally {
      closeSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fsyncFinding(base: string): Finding {
  try {
    const times = timeFsyncs(base).toSorted((a, b) => a - b);
    const median = times[FSYNC_ROUNDS / 2] ?? 0;
    const detail = `${median.toFixed(1)} ms, the median of ${FSYNC_ROUNDS} in ${base}`;
    return median > SLOW_FSYNC_MS
      ? warn(
          'fsync',
          detail,
          'each webhook waits for one: use a faster disk, or one that nothing else writes to',
        )
      : ok('fsync', detail);
  } catch (error) {
    return fail('fsync', `a file in ${base} could not be written to the disk (${codeOf(error)})`, LOCAL_DISK);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Compares the free space with the limits of the store. `used`: bytes that it uses now. */
export function spaceFinding(
  { free, used }: { readonly free: number; readonly used: number },
  { minFree, maxBytes }: Pick<Config['store'], 'minFree' | 'maxBytes'>,
): Finding {
  const check = 'free space';
  const detail = `${formatBytes(free)} free; store.minFree ${formatBytes(minFree)}, store.maxBytes ${formatBytes(maxBytes)}`;
  if (free <= minFree)
    return fail(
      check,
      `${detail}: webhooks would be answered 503`,
      'free up space on the volume, or lower store.minFree',
    );
  const missing = maxBytes - used - (free - minFree);
  if (missing > 0)
    return warn(
      check,
      `${detail}: the disk fills up before the store reaches its limit`,
      `enlarge the volume by ${formatBytes(missing)}, or lower store.maxBytes`,
    );
  return ok(check, detail);
}

/** How much `store.maxBytes` and `store.minFree` together exceed a whole volume, in bytes. */
export function bytesBeyondVolume(
  volume: number,
  { minFree, maxBytes }: Pick<Config['store'], 'minFree' | 'maxBytes'>,
): number {
  return Math.max(0, maxBytes + minFree - volume);
}

/** The volume on which the store is or will be. @returns its size in bytes */
export function volumeOf(path: string): { readonly folder: string; readonly bytes: number } {
  const folder = nearestExisting(resolve(path));
  const { blocks, bsize } = statfsSync(folder);
  return { folder, bytes: blocks * bsize };
}

/** Checks the disk of a folder. It writes 80 KiB to a file in that folder and removes it. */
export function diskFindings(base: string, store: Config['store']): Finding[] {
  const { type, bavail, bsize } = statfsSync(base);
  const files = [DATABASE_FILE, `${DATABASE_FILE}-wal`];
  const used = files.reduce((sum, name) => sum + sizeOf(join(store.path, name)), 0);
  return [
    fileSystemFinding(base, type),
    fsyncFinding(base),
    spaceFinding({ free: bavail * bsize, used }, store),
  ];
}
