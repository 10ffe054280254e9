import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { INTAKE_LOG_FILES } from '../engine/intake-log.ts';
import { DATABASE_FILE } from '../engine/store-folder.ts';

/** The files that the engine keeps open. A file that is removed can still be written, unseen. */
const WATCHED = [DATABASE_FILE, `${DATABASE_FILE}-wal`, ...INTAKE_LOG_FILES] as const;

/** What identifies a file; undefined if there is none. @throws the error of stat */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Watches the files of an open store. Each call returns what is wrong, if a file that was there at
 * an earlier call is gone or another one has its place. The first call must follow the opening.
 */
export function createFileWatch(folder: string): () => Promise<string | undefined> {
  const known = new Map<string, string>();
  const problemOf = async (name: string): Promise<string | undefined> => {
    const file = join(resolve(folder), name);
    const identity = await identityOf(file);
    const before = known.get(name);
    if (before === undefined && identity !== undefined) known.set(name, identity);
    if (before === undefined || before === identity) return undefined;
    const what = identity === undefined ? 'was removed' : 'was replaced';
    return (
      `${file} ${what} while the relay is using it, and what is written now is lost when it stops: ` +
      'put the file back, or back the store up before you stop the relay'
    );
  };
  return async () => {
    const problems = await Promise.all(WATCHED.map(problemOf));
    return problems.find((problem) => problem !== undefined);
  };
}
