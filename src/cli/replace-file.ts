import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './doctor/finding.ts';
import { CommandError } from './command-error.ts';

async function writeSynced(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the rename outlive a power loss. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file as a whole: after a crash it has its former content or the new one. A symbolic
 * link stays, and the file keeps its permissions.
 * @param mode of a new file
 * @throws CommandError if it cannot be written
 */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const file = await realpath(path).catch(() => path);
  const former = await stat(file).catch(() => undefined);
  const part = `${file}.${randomUUID()}.part`;
  try {
    await writeSynced(part, text, former === undefined ? mode : former.mode & 0o777);
    await rename(part, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw new CommandError(
      `${path} cannot be written (${codeOf(error)}); fix: run the command as a user who may write into the folder ${dirname(file)}`,
    );
  }
}
