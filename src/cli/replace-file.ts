import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './doctor/finding.ts';
import { CommandError } from './command-error.ts';

/** A file that root or a member of its group replaces must stay readable for the relay. */
async function keepOwner(handle: FileHandle, { uid, gid }: Stats): Promise<void> {
  const own = await handle.stat();
  if (own.uid === uid && own.gid === gid) return;
  // Only root may give a file away.
  await handle.chown(uid, gid).catch(() => handle.chown(own.uid, gid).catch(() => undefined));
}

async function writeSynced(file: string, text: string, mode: number, former?: Stats): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(text);
    if (former !== undefined) await keepOwner(handle, former);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the rename outlive a power loss. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const PART = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;
/** No process takes as long to write a file. */
const ABANDONED_MS = 60_000;

/** Removes what killed processes have left of the same file, which can be a secret. */
async function removeAbandoned(file: string): Promise<void> {
  const folder = dirname(file);
  const parts = (await readdir(folder)).filter(
    (name) => name.replace(PART, '.part') === `${basename(file)}.part`,
  );
  for (const part of parts) {
    const { mtimeMs } = await stat(join(folder, part));
    if (PART.test(part) && Date.now() - mtimeMs > ABANDONED_MS) await rm(join(folder, part), { force: true });
  }
}

/** Fixes by the error code of the system. */
const FIXES: Readonly<Record<string, string>> = {
  EBUSY: 'the file is mounted by itself: mount its folder instead, or change the file where it comes from',
  EROFS: 'it is mounted read-only: run the command where the file can be changed',
  ENOSPC: 'free space on the disk',
};

/**
 * Replaces a file as a whole: after a crash it has its former content or the new one. A symbolic
 * link stays, and the file keeps its permissions and, as far as this user may, its owner.
 * @param mode of a new file
 * @throws CommandError if it cannot be written
 */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const file = await realpath(path).catch(() => path);
  const former = await stat(file).catch(() => undefined);
  const part = `${file}.${randomUUID()}.part`;
  try {
    await writeSynced(part, text, former === undefined ? mode : former.mode & 0o777, former);
    await rename(part, file);
    await removeAbandoned(file).catch(() => undefined);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    const code = codeOf(error);
    const fix = FIXES[code] ?? `run the command as a user who may write into the folder ${dirname(file)}`;
    throw new CommandError(`${path} cannot be written (${code}); fix: ${fix}`);
  }
}
