import { constants, accessSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DATABASE_FILE } from '../../journal/sqlite/database.ts';
import { type Finding, codeOf, fail, ok, warn } from './finding.ts';

const CHECK = 'data folder';

/** Bytes that SQLite locks, whatever the size of the file: 0x40000000 and the 511 behind it. */
const LOCKED_FROM = 1_073_741_824;
const LOCKED_TO = 1_073_742_335;

export interface FolderLook {
  readonly findings: readonly Finding[];
  /** Folder in which can be tried what the disk does: the data folder, or where it will be made. Absent when it cannot be written. */
  readonly base?: string;
}

function isFolder(path: string): boolean | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory();
}

/** The folder itself, or the nearest one above that is there. */
function nearest(path: string): string {
  const found = (() => {
    try {
      return isFolder(path) === undefined ? undefined : path;
    } catch {
      return undefined;
    }
  })();
  return found ?? nearest(dirname(path));
}

function owner(path: string): Finding | undefined {
  const user = process.geteuid?.();
  const { uid } = statSync(path);
  if (user === undefined || uid === user) return undefined;
  return warn(
    CHECK,
    `${path} belongs to user ${uid}, and this is user ${user}`,
    `run doctor as the user of the relay, or: chown -R ${user} ${path}`,
  );
}

/** What can be said of the folder of `store.path` without touching the store in it. */
export function lookAtFolder(given: string): FolderLook {
  const path = resolve(given);
  const base = nearest(path);
  if (isFolder(base) !== true)
    return { findings: [fail(CHECK, `${base} is a file`, 'name a folder in store.path')] };
  try {
    accessSync(base, constants.W_OK | constants.X_OK);
  } catch (error) {
    const cure = `let the user of the relay write there: chown ${process.geteuid?.() ?? 'USER'} ${base}`;
    return { findings: [fail(CHECK, `${base} cannot be written (${codeOf(error)})`, cure)] };
  }
  if (base !== path)
    return { findings: [ok(CHECK, `${path} is not there yet; it can be made in ${base}`)], base };
  return { findings: [owner(path) ?? ok(CHECK, `${path} can be written and belongs to this user`)], base };
}

/**
 * The process that runs on the store of this folder, as far as the system tells it: the kernel's list of locks is read and the file is
 * not opened. Processes of other containers are not in that list, nor has every system one.
 */
export function holderOf(path: string): number | undefined {
  try {
    const { ino } = statSync(join(path, DATABASE_FILE));
    const locks = readFileSync('/proc/locks', 'utf8').split('\n');
    const held = locks
      .map((line) => line.trim().split(/\s+/))
      .find(
        (words) =>
          words[5]?.endsWith(`:${ino}`) === true &&
          Number(words[6]) >= LOCKED_FROM &&
          Number(words[7]) <= LOCKED_TO,
      );
    return held === undefined ? undefined : Number(held[4]);
  } catch {
    return undefined;
  }
}
