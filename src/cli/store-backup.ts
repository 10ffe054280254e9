import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AdminClient, type AdminOptions, adminClient, UnreachableError } from './admin-client.ts';
import { CommandError } from './command-error.ts';
import { syncFolder } from './replace-file.ts';

/** Why a backup cannot be written there. */
function assertWritable(file: string): void {
  if (existsSync(file)) throw new CommandError(`${file} already exists; a backup never overwrites a file`);
  const folder = dirname(file);
  if (!existsSync(folder)) throw new CommandError(`the folder ${folder} does not exist: create it first`);
}

/** @returns the number of bytes that were written and are on the disk */
async function writeAll(content: AsyncIterable<Uint8Array>, target: FileHandle): Promise<number> {
  let bytes = 0;
  for await (const chunk of content) {
    await target.write(chunk);
    bytes += chunk.byteLength;
  }
  await target.sync();
  return bytes;
}

async function download(client: AdminClient, part: string): Promise<number> {
  const { bytes: expected, content } = await client.download('/store/backup');
  const target = await open(part, 'wx', 0o600);
  try {
    const bytes = await writeAll(content, target);
    if (bytes !== expected)
      throw new CommandError(`the connection ended after ${bytes} of ${expected} bytes: try again`);
    return bytes;
  } finally {
    await target.close();
  }
}

/**
 * Copies the store of a running relay, through its admin port, to a new file.
 * @throws CommandError if that fails; then there is no file
 */
async function backupRunning(options: AdminOptions, file: string): Promise<{ readonly bytes: number }> {
  assertWritable(file);
  const client = await adminClient(options);
  const part = `${file}.part`;
  try {
    const bytes = await download(client, part);
    await rename(part, file);
    await syncFolder(dirname(file));
    return { bytes };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

export interface BackupSource extends AdminOptions {
  /** Folder of the store, unless only a running relay is meant. */
  readonly folder: string | undefined;
  /** Whether only a stopped relay is meant. */
  readonly isStopped: boolean;
}

/** Undefined if there is no store in the folder, or a relay is running on it. */
async function backupStopped(
  { folder, isStopped }: BackupSource,
  file: string,
): Promise<{ readonly path: string; readonly bytes: number } | undefined> {
  const { backupStore, hasStore, isInUse } = await import('../journal/sqlite/offline/stopped-store.ts');
  if (folder === undefined || (!isStopped && !hasStore(folder))) return undefined;
  try {
    return { path: folder, ...backupStore(folder, file) };
  } catch (error) {
    if (isInUse(error) && !isStopped) return undefined;
    throw error;
  }
}

/**
 * Copies a store to a new file: from its folder if the relay is stopped, else through the admin
 * port.
 * @returns the folder in the first case, and the size
 */
export async function backupTo(
  file: string,
  source: BackupSource,
): Promise<{ readonly path?: string; readonly bytes: number }> {
  const stopped = await backupStopped(source, file);
  if (stopped !== undefined) return stopped;
  try {
    return await backupRunning(source, file);
  } catch (error) {
    const { folder } = source;
    if (!(error instanceof UnreachableError) || folder === undefined) throw error;
    const { hasStore } = await import('../journal/sqlite/offline/stopped-store.ts');
    const found = hasStore(folder) ? 'a relay is running on the store' : 'there is no store';
    throw new CommandError(`${found} in ${folder}, and ${error.message}`);
  }
}
