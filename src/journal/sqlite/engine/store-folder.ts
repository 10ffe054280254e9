import { accessSync, constants, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { INTAKE_LOG_FILES } from './intake-log.ts';

/** Name of the database file in the folder `store.path`. */
export const DATABASE_FILE = 'relay.db';

/**
 * Name of a file beside it that says what the store holds (store-marker.ts). It is hidden, so that
 * it remains when the visible files of the folder are removed.
 */
export const MARKER_FILE = '.relay-store';

/** Whether the folder has no store; SQLite creates the file before it writes to it. */
export function isWithoutStore(folder: string): boolean {
  return (statSync(join(folder, DATABASE_FILE), { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Why `store.expect: existing` refuses a folder without a store. */
export function noStoreProblem(folder: string): FolderProblem {
  return {
    reason: `there is no store in ${resolve(folder)}, but store.expect is existing`,
    fix:
      'mount the volume that has it, or correct store.path; ' +
      'to create a new store, set store.expect: any for the first start',
  };
}

/** What a relay or a fresh volume has in the folder of a store. */
const STORE_ENTRIES: ReadonlySet<string> = new Set([
  DATABASE_FILE,
  `${DATABASE_FILE}-wal`,
  `${DATABASE_FILE}-shm`,
  ...INTAKE_LOG_FILES,
  MARKER_FILE,
  'lost+found',
]);

/**
 * True, false, or undefined if there is nothing at this path.
 * @throws the error of stat, such as EACCES
 */
function isFolder(path: string): boolean | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory();
}

/** The path itself, or its nearest ancestor that exists and can be seen. */
export function nearestExisting(path: string): string {
  try {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  } catch {
    // A part of the path is a file, or in a folder that this user cannot enter.
  }
  return nearestExisting(dirname(path));
}

/**
 * Creates a folder and its ancestors. Unlike the recursive mkdir of Node, it ends where a file
 * system refuses with ENOENT below an existing folder, as /proc does.
 * @throws the error of the system
 */
export function createFolder(path: string): void {
  const folder = resolve(path);
  if (isFolder(folder) === true) return;
  if (isFolder(dirname(folder)) === undefined) createFolder(dirname(folder));
  try {
    // Only for the relay's user: the store contains personal data.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have created it meanwhile.
    if (isFolder(folder) !== true) throw error;
  }
}

/** The link on the way to a folder that leads nowhere, if any; mkdir and chown would follow it. */
export function brokenLink(folder: string): string | undefined {
  const base = nearestExisting(folder);
  if (base === folder) return undefined;
  const [next = ''] = relative(base, folder).split(sep);
  const path = join(base, next);
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? path : undefined;
  } catch {
    // In a folder that this user cannot enter, so nothing is known about it.
    return undefined;
  }
}

/** Why a folder cannot hold the store, and how to fix it without touching any other folder. */
export interface FolderProblem {
  readonly reason: string;
  readonly fix: string;
}

/** A path as one word of a shell command. */
export function shellWord(path: string): string {
  return /^[\w./:@+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** Who runs this process. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

function currentUser(): ProcessUser {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

const OWN_FOLDER = 'set store.path to a folder that only the relay uses, such as /var/lib/capillary-relay';

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** Undefined if the folder cannot be listed. */
function entriesOf(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}

/**
 * Something in a folder that belongs to no store; hidden entries do not count, because some
 * volumes have them. @returns the first such name
 */
export function foreignEntry(folder: string): string | undefined {
  return entriesOf(folder)?.find((entry) => !STORE_ENTRIES.has(entry) && !entry.startsWith('.'));
}

/** Only a folder with a store and nothing else in it is given to the relay; others keep theirs. */
function ownerFix(folder: string, { uid, gid }: ProcessUser): string {
  const owner = `${uid}:${gid}`;
  const entries = entriesOf(folder);
  if (entries === undefined)
    return `${OWN_FOLDER}; if a store is there already, run the relay as the user that owns it`;
  const isForeign = entries.some((entry) => !STORE_ENTRIES.has(entry));
  if (entries.includes(DATABASE_FILE)) {
    if (!isForeign) return `run as root: chown -R ${owner} ${shellWord(folder)}`;
    const files = `chown ${owner} ${shellWord(join(folder, DATABASE_FILE))}*`;
    return canAccess(folder, constants.W_OK | constants.X_OK) ? `run as root: ${files}` : OWN_FOLDER;
  }
  if (isForeign || !canAccess(folder, constants.X_OK)) return OWN_FOLDER;
  const below = join(folder, 'relay');
  const word = shellWord(below);
  return `set store.path to ${below}, and run as root: mkdir ${word} && chown ${owner} ${word}`;
}

function createFix(folder: string, base: string, { uid, gid }: ProcessUser): string {
  // Creating it would not help a user who cannot reach it.
  return canAccess(base, constants.X_OK)
    ? `run as root: mkdir -p ${shellWord(folder)} && chown ${uid}:${gid} ${shellWord(folder)}`
    : OWN_FOLDER;
}

function accessProblem(folder: string, code: string, owner: ProcessUser): FolderProblem {
  const user = `this user (${owner.uid})`;
  const base = nearestExisting(folder);
  // What root may not change, no command of root's will.
  if (owner.uid === 0)
    return { reason: `root cannot write to ${base} (${code})`, fix: `mount a disk there, or ${OWN_FOLDER}` };
  if (base !== folder)
    return {
      reason: `${folder} does not exist, and ${user} cannot create it in ${base} (${code})`,
      fix: createFix(folder, base, owner),
    };
  const closed = canAccess(folder, constants.W_OK | constants.X_OK) ? join(folder, DATABASE_FILE) : folder;
  return { reason: `${closed} is not writable for ${user} (${code})`, fix: ownerFix(folder, owner) };
}

/** Explains why the folder of a store cannot be used. @param code of the system, such as EACCES */
export function folderProblem(path: string, code: string, user = currentUser()): FolderProblem {
  const folder = resolve(path);
  const base = nearestExisting(folder);
  const link = brokenLink(folder);
  if (link !== undefined)
    return {
      reason: `${link} is a symbolic link to ${readlinkSync(link)}, which ${user.uid === 0 ? 'does not exist' : `user ${user.uid} cannot find`}`,
      fix: `let the link point at a folder that exists, or ${OWN_FOLDER}`,
    };
  if (!statSync(base).isDirectory()) return { reason: `${base} is not a folder`, fix: OWN_FOLDER };
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return accessProblem(folder, code, user);
    case 'EROFS':
      return {
        reason: `${base} is on a read-only file system (${code})`,
        fix: `mount a writable volume at ${folder}, or set store.path to a folder on one`,
      };
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        reason: `there is no space left in ${base} (${code})`,
        fix: 'free space on its volume, or enlarge it',
      };
    case 'ENOENT':
      return {
        reason: `no folder can be created in ${base} (${code})`,
        fix: 'set store.path to a folder on a disk, such as /var/lib/capillary-relay',
      };
    default:
      return {
        reason: `${folder} cannot be used (${code})`,
        fix: `check ${base} and its disk, or ${OWN_FOLDER}`,
      };
  }
}
