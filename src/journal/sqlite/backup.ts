import { chmodSync, closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../journal.ts';
import { withStoppedStore } from './stopped-store.ts';

function flush(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Copies the store of a stopped relay into one new file, whole and without free pages, and sees that it is on the disk. As relay.db in an empty
 * folder it is a store again.
 * @throws StoreError when the file is there already, a relay is running, or the store is damaged
 */
export function backupStore(path: string, file: string): { readonly bytes: number } {
  if (existsSync(file)) throw new StoreError(`${file} is there already; a backup overwrites nothing`);
  const mask = process.umask(0o077);
  try {
    withStoppedStore(path, (db) => {
      db.exec('COMMIT');
      db.prepare('VACUUM INTO ?').run(file);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(file, 0o600);
  flush(file);
  flush(dirname(file));
  return { bytes: statSync(file).size };
}
