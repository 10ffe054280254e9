import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { migrate, openDatabase } from '../../src/journal/sqlite/engine/database.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { MIGRATIONS } from '../../src/journal/sqlite/engine/migrations.ts';
import { append, sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const STEPS = ['CREATE TABLE a (x)', 'CREATE TABLE b (x); INSERT INTO b VALUES (1)'];

function inMemory(): DatabaseSync {
  return new DatabaseSync(':memory:');
}
function tables(db: DatabaseSync) {
  return db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .all()
    .map((row) => row['name']);
}
function version(db: DatabaseSync) {
  return db.prepare('PRAGMA user_version').get()?.['user_version'];
}

describe('opening the store', () => {
  it('creates the folder, accessible to the user of the relay only', async () => {
    const path = join(await journalFolder(), 'deep', 'data');
    await openJournal(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it('reports that the folder cannot be used', async () => {
    const path = join(await journalFolder(), 'file');
    await writeFile(path, '');
    const opening = openJournal(join(path, 'data'));
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toThrow(/the store in .* cannot be opened: .*file is not a folder/u);
  });

  it('refuses a file that is not a database', async () => {
    const path = await journalFolder();
    await writeFile(join(path, DATABASE_FILE), 'not a database at all, just text'.repeat(100));
    await expect(openJournal(path)).rejects.toThrow(/cannot be opened: file is not a database/u);
  });

  it('refuses a store written by a newer relay and does not change it', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path);
    await append(journal, sampleEvent());
    await journal.close();
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(openJournal(path)).rejects.toThrow(
      /was written by a newer relay \(format 99; this one knows up to \d+\)/u,
    );
    const again = new DatabaseSync(join(path, DATABASE_FILE));
    expect(version(again)).toBe(99);
    again.close();
  });

  it('configures a write-ahead log that the engine syncs itself, an exclusive lock and a file that can shrink', async () => {
    const db = openDatabase(await journalFolder());
    const pragma = (name: string) => Object.values(db.one(`PRAGMA ${name}`) as object)[0] as unknown;
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(0);
    expect(pragma('locking_mode')).toBe('exclusive');
    expect(pragma('auto_vacuum')).toBe(2);
    expect(pragma('foreign_keys')).toBe(1);
    db.close();
  });

  it('refuses an invalid key before it touches the disk', async () => {
    const path = join(await journalFolder(), 'data');
    await expect(openJournal(path, { encryptionKeys: ['too short'] })).rejects.toThrow(
      /an encryption key must be/u,
    );
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });
});

describe('migrations', () => {
  it('bring an empty database to the latest version', () => {
    const db = inMemory();
    migrate(db);
    expect(version(db)).toBe(MIGRATIONS.length);
    expect(tables(db)).toContain('events');
  });

  it('run only the missing steps', () => {
    const db = inMemory();
    migrate(db, STEPS.slice(0, 1));
    expect([version(db), tables(db)]).toEqual([1, ['a']]);
    migrate(db, STEPS);
    migrate(db, STEPS);
    expect([version(db), tables(db)]).toEqual([2, ['a', 'b']]);
    expect(db.prepare('SELECT count(*) AS n FROM b').get()).toMatchObject({ n: 1 });
  });

  it('roll back a failing step and keep the earlier ones', () => {
    const db = inMemory();
    expect(() => migrate(db, [...STEPS, 'CREATE TABLE c (x); CREATE TABLE a (x)'])).toThrow(
      /already exists/u,
    );
    expect([version(db), tables(db)]).toEqual([2, ['a', 'b']]);
  });
});
