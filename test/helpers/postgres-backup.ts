import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** What a standby must not take over from its primary. */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf', 'standby.signal']);

/** Copies a folder in which files come and go. */
async function copyFolder(from: string, to: string, skip: ReadonlySet<string>): Promise<void> {
  const copyOne = async (name: string): Promise<void> => {
    const source = join(from, name);
    const info = await stat(source).catch(() => undefined);
    if (info?.isDirectory()) {
      await mkdir(join(to, name), { recursive: true, mode: 0o700 });
      await copyFolder(source, join(to, name), new Set());
    } else if (info) {
      await copyFile(source, join(to, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  };
  const names = await readdir(from);
  await Promise.all(names.filter((name) => !skip.has(name)).map(copyOne));
}

/**
 * Copies the data of a running server as `pg_basebackup` does, which not every installation has.
 */
export async function copyBackup(url: string, from: string, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ v: number }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS v`,
    );
    const isOld = (rows[0]?.v ?? 0) < 15;
    await client.query(
      isOld ? `SELECT pg_start_backup('copy', true, false)` : `SELECT pg_backup_start('copy', true)`,
    );
    await copyFolder(from, to, LEFT_OUT);
    const { rows: labels } = await client.query<{ labelfile: string }>(
      isOld
        ? 'SELECT labelfile FROM pg_stop_backup(false, false)'
        : 'SELECT labelfile FROM pg_backup_stop(false)',
    );
    await writeFile(join(to, 'backup_label'), labels[0]?.labelfile ?? '');
    const version = await readFile(join(to, 'PG_VERSION'), 'utf8');
    if (!version.trim()) throw new Error('the copy of the server has no data');
  } finally {
    await client.end();
  }
}
