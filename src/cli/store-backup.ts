import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AdminClient, type AdminOptions, adminClient } from './admin-client.ts';
import { CommandError } from './command-error.ts';

/** Why a backup cannot be written there. */
function assertWritable(file: string): void {
  if (existsSync(file)) throw new CommandError(`${file} already exists; a backup never overwrites a file`);
  const folder = dirname(file);
  if (!existsSync(folder)) throw new CommandError(`the folder ${folder} does not exist: create it first`);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
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
export async function backupRunning(
  options: AdminOptions,
  file: string,
): Promise<{ readonly bytes: number }> {
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
