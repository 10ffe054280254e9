import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/journal/sqlite/engine/database.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { createTableCommits } from '../../src/journal/sqlite/engine/table-commits.ts';
import { journalFolder } from './journal-folder.ts';

const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;

/** A database whose commits the test decides. */
async function rig() {
  const path = await journalFolder();
  const { raw } = openDatabase(path);
  const durable: number[] = [];
  const failedSyncs: Error[] = [];
  let position = 0;
  const tables = createTableCommits(raw, {
    beforeCommit: () => undefined,
    position: () => (position += 1),
    onDurable: (upTo) => durable.push(upTo),
    onError: (error) => expect.fail(error.message),
    onSyncFailed: (error) => failedSyncs.push(error),
  });
  onTestFinished(() => {
    raw.close();
    tables.close();
  });
  const write = (by: string, rows = 1): void => {
    tables.begin();
    for (let row = 0; row < rows; row += 1)
      raw.prepare('INSERT OR REPLACE INTO pauses (destination, by, at) VALUES (?, ?, 1)').run(`${row}`, by);
    tables.commitDurably();
  };
  const walOf = (): Buffer => readFileSync(join(path, `${DATABASE_FILE}-wal`));
  const walFrames = (): number => Number(raw.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.['log']);
  return { path, tables, durable, failedSyncs, write, walOf, walFrames };
}

/** Who paused destination `0`, in a copy of the database with this write-ahead log. */
async function readWith(path: string, wal: Buffer): Promise<unknown> {
  const copy = await journalFolder();
  writeFileSync(join(copy, DATABASE_FILE), readFileSync(join(path, DATABASE_FILE)));
  writeFileSync(join(copy, `${DATABASE_FILE}-wal`), wal);
  const db = new DatabaseSync(join(copy, DATABASE_FILE));
  const by = db.prepare(`SELECT by FROM pauses WHERE destination = '0'`).get()?.['by'];
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  db.close();
  return by;
}

it('a write-ahead log that is overwritten in any order of its pages hides nothing newer in the file', async () => {
  const { path, tables, write, walOf, walFrames } = await rig();
  tables.begin();
  tables.checkpoint();
  write('first');
  const end = HEADER_BYTES + walFrames() * FRAME_BYTES;
  write('second');
  tables.checkpoint();
  const before = walOf();
  write('third', 400);
  expect(walFrames() * FRAME_BYTES).toBeGreaterThan(2 * end);
  const after = walOf();
  expect(after.subarray(0, end).equals(before.subarray(0, end))).toBe(false);

  // The disk has kept what was written later, and lost what was written first.
  expect(await readWith(path, Buffer.concat([before.subarray(0, end), after.subarray(end)]))).toBe('second');
  expect(await readWith(path, before)).toBe('second');
  expect(await readWith(path, after)).toBe('third');
});

it('what is in the synced file is reported, in order', async () => {
  const { tables, durable, write } = await rig();
  write('first');
  expect(durable).toEqual([]);
  tables.checkpoint();
  const [first] = durable;
  write('second');
  write('third');
  tables.checkpoint();
  expect(durable).toHaveLength(2);
  expect(durable[1]).toBeGreaterThan(first as number);
});

it('a file that is held is not written, not even by a checkpoint', async () => {
  const { path, tables, durable, write } = await rig();
  write('first');
  tables.hold();
  write('second');
  const held = readFileSync(join(path, DATABASE_FILE));
  const before = durable.length;
  write('third', 400);
  tables.begin();
  tables.checkpoint();
  expect(readFileSync(join(path, DATABASE_FILE)).equals(held)).toBe(true);
  expect(durable).toHaveLength(before);
  tables.release();
  tables.checkpoint();
  expect(readFileSync(join(path, DATABASE_FILE)).equals(held)).toBe(false);
  expect(durable).toHaveLength(before + 1);
});

it('nothing is committed or durable after a sync that failed', async () => {
  const { path, tables, durable, failedSyncs, write } = await rig();
  write('first');
  const handle = tables.hold();
  tables.release();
  closeSync(handle);
  expect(() => tables.checkpoint()).toThrow('EBADF');
  expect(failedSyncs).toHaveLength(1);
  // The next sync would succeed.
  expect(openSync(join(path, DATABASE_FILE), 'r')).toBe(handle);
  expect(() => tables.checkpoint()).toThrow('EBADF');
  expect(() => write('second')).toThrow('EBADF');
  expect(durable).toEqual([]);
});

it('what is accepted takes room twice until it is copied: in the write-ahead log and in the file', async () => {
  const { tables, write } = await rig();
  tables.begin();
  tables.checkpoint();
  expect(tables.owedBytes).toBe(0);
  tables.begin();
  tables.noteChange(1_000);
  expect(tables.owedBytes).toBe(2_000);
  write('first', 400);
  expect(tables.owedBytes).toBeGreaterThan(4 * 4_096);
  tables.checkpoint();
  expect(tables.owedBytes).toBe(0);
});
