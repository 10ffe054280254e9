import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { CommandError } from '../command-error.ts';
import { codeOf } from '../doctor/finding.ts';

/** How often the owner shows that it is alive. */
const HEARTBEAT_MS = 10_000;
/** Age of the last heartbeat at which the owner on another machine counts as dead. */
const STALE_MS = 60_000;

interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** Distinguishes processes with one id, one after the other. */
  readonly token: string;
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return JSON.parse(text) as LockOwner;
  } catch {
    return undefined;
  }
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user.
    return codeOf(error) === 'EPERM';
  }
}

async function isAlive(file: string, owner: LockOwner | undefined): Promise<boolean> {
  if (owner?.host === hostname()) return isProcess(owner.pid);
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < STALE_MS;
}

/**
 * Removes the lock of a dead owner. Another process may have done so and locked the file meanwhile:
 * its lock is put back.
 */
async function removeStale(file: string, text: string): Promise<void> {
  const stalePath = `${file}.${randomUUID()}`;
  await rename(file, stalePath).catch(() => undefined);
  const moved = await readFile(stalePath, 'utf8').catch(() => undefined);
  if (moved !== undefined && moved !== text) await link(stalePath, file).catch(() => undefined);
  await rm(stalePath, { force: true });
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o644);
    await handle.writeFile(text);
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    const isMissing = codeOf(error) === 'ENOENT';
    const fix = isMissing
      ? `make the folder ${dirname(file)}, or give another --state`
      : 'run the command as a user who may write into its folder, or give --state';
    throw new CommandError(`${file} cannot be written (${codeOf(error)}); fix: ${fix}`);
  }
}

const MAX_TRIES = 5;

/**
 * Locks a state file for this process, so that two runs do not make the same objects. The lock of a
 * killed process is taken over.
 * @returns releases the lock
 * @throws CommandError while another process has it
 */
export async function lockState(stateFile: string): Promise<() => Promise<void>> {
  const file = `${stateFile}.lock`;
  const own: LockOwner = { pid: process.pid, host: hostname(), token: randomUUID() };
  const text = JSON.stringify(own);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    if (await create(file, text)) return holding(file, text);
    const current = await readFile(file, 'utf8').catch(() => undefined);
    if (current === undefined) continue;
    const owner = parseOwner(current);
    if (await isAlive(file, owner)) {
      const who = owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`;
      throw new CommandError(
        `${stateFile} is in use by ${who}, which runs provision apply; fix: wait until it is done. If it is not running, remove ${file}`,
      );
    }
    await removeStale(file, current);
  }
  throw new CommandError(`${stateFile} cannot be locked; fix: run the command again`);
}

function holding(file: string, text: string): () => Promise<void> {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  return async () => {
    clearInterval(beat);
    const current = await readFile(file, 'utf8').catch(() => undefined);
    if (current === text) await rm(file, { force: true });
  };
}
