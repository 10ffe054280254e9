import { readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { copyPrograms, type PostgresPrograms } from './postgres-programs.ts';

/** The user that a server runs as, if not the one of this process. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where a server of its own has its programs and its data, and on which port it will listen. */
export interface ServerPlace {
  /** Temporary folder, which belongs to the user. */
  readonly folder: string;
  /** Folder of `postgres` and `initdb`. */
  readonly bin: string;
  readonly port: number;
  readonly user: ServerUser | undefined;
}

/** PostgreSQL refuses to run as root. */
function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entry = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m);
  return { uid: Number(entry?.[1] ?? 65_534), gid: Number(entry?.[2] ?? 65_534) };
}

/**
 * Makes the folder of a server and copies its programs there if need be.
 * @param parent where the folder is made; another user must be able to reach it
 */
export async function prepareServer(programs: PostgresPrograms, parent = tmpdir()): Promise<ServerPlace> {
  const user = serverUser();
  const folder = await mkdtemp(join(parent, 'relay-postgres-'));
  await chmod(folder, 0o755);
  if (user) await chown(folder, user.uid, user.gid);
  const bin = programs.isPackage ? copyPrograms(programs.bin, join(folder, 'native')) : programs.bin;
  return { folder, bin, port: await freePort(), user };
}
