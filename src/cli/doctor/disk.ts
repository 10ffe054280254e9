import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DATABASE_FILE } from '../../journal/sqlite/database.ts';
import type { Config } from '../../config/schema.ts';
import { type Finding, codeOf, fail, formatBytes, ok, warn } from './finding.ts';

/** Numbers of file systems by linux/magic.h. */
const KINDS: Readonly<Record<number, string>> = {
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

const LOCAL = 'give store.path a volume on a local or block-storage disk';

/** Why a store should not lie on such a one. */
const UNFIT: Readonly<Record<string, string>> = {
  tmpfs: 'is in memory: every restart of the machine loses what waits',
  ramfs: 'is in memory: every restart of the machine loses what waits',
  overlay: 'is the layer of a container: it goes when the container goes',
  nfs: 'is on the network, where locks and fsync cannot be relied on',
  smb: 'is on the network, where locks and fsync cannot be relied on',
  cifs: 'is on the network, where locks and fsync cannot be relied on',
  smb2: 'is on the network, where locks and fsync cannot be relied on',
  '9p': 'is shared from another machine, where locks and fsync cannot be relied on',
};

const ROUNDS = 20;
const PAGE = 4_096;
/** ms; each webhook waits for one, though many wait for the same. */
const SLOW_FSYNC = 20;

/** What a file system of this number means for a store. @param type as statfs gives it */
export function fileSystemFinding(base: string, type: number): Finding {
  const kind = KINDS[type >>> 0];
  const why = kind === undefined ? undefined : UNFIT[kind];
  if (why !== undefined) return warn('file system', `${base} (${kind}) ${why}`, LOCAL);
  return ok('file system', `${base} is on ${kind ?? `type 0x${(type >>> 0).toString(16)}`}`);
}

function timeFsyncs(base: string): number[] {
  const folder = mkdtempSync(join(base, '.relay-doctor-'));
  try {
    const file = openSync(join(folder, 'fsync'), 'w');
    try {
      const page = Buffer.alloc(PAGE, 1);
      return Array.from({ length: ROUNDS }, (_, round) => {
        writeSync(file, page, 0, PAGE, round * PAGE);
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

function fsync(base: string): Finding {
  try {
    const times = timeFsyncs(base).toSorted((a, b) => a - b);
    const median = times[ROUNDS / 2] ?? 0;
    const detail = `${median.toFixed(1)} ms, the median of ${ROUNDS} in ${base}`;
    return median > SLOW_FSYNC
      ? warn(
          'fsync',
          detail,
          'each webhook waits for one: take a faster disk, or one that nothing else writes to',
        )
      : ok('fsync', detail);
  } catch (error) {
    return fail('fsync', `a file in ${base} could not be written to the disk (${codeOf(error)})`, LOCAL);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Free space against what the store may take. All in bytes; `used` is what it takes now. */
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
      'give the volume room, or lower store.minFree',
    );
  const short = maxBytes - used - (free - minFree);
  if (short > 0)
    return warn(
      check,
      `${detail}: the disk is full before the store is`,
      `give the volume ${formatBytes(short)} more, or lower store.maxBytes`,
    );
  return ok(check, detail);
}

/** What the disk under a folder is and does; a file of 80 KiB is written beside the store and removed. */
export function diskFindings(base: string, store: Config['store']): Finding[] {
  const { type, bavail, bsize } = statfsSync(base);
  const files = [DATABASE_FILE, `${DATABASE_FILE}-wal`];
  const used = files.reduce((sum, name) => sum + sizeOf(join(store.path, name)), 0);
  return [fileSystemFinding(base, type), fsync(base), spaceFinding({ free: bavail * bsize, used }, store)];
}
