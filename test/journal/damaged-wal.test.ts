import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Appended } from '../../src/journal/journal.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import { INTAKE_LOG_FILES } from '../../src/journal/sqlite/engine/intake-log.ts';
import { describeWalDamage } from '../../src/journal/sqlite/engine/damage.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { damagedWal } from '../../src/journal/sqlite/engine/wal-frames.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { backupStore } from '../../src/journal/sqlite/offline/stopped-store.ts';
import { storeNotes, verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { append, sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const COUNT = 40;
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;

/** What a relay leaves that is killed after its events were acknowledged one by one. */
async function killedStore({ isCommitted = true } = {}) {
  const running = await journalFolder();
  const engine = openEngine({ path: running, keys: [] });
  const receipts: string[] = [];
  for (let n = 0; n < COUNT; n += 1) {
    const request = packEvents([sampleEvent({ lane: `c${n % 7}` })]);
    const [outcome] = runBatch(engine, [{ name: 'append', request }]);
    receipts.push(...(outcome as { answer: readonly Appended[] }).answer.map(({ receipt }) => receipt));
    if (isCommitted) engine.tables.commitDurably();
  }
  const path = join(await journalFolder(), 'killed');
  mkdirSync(path);
  const file = join(path, DATABASE_FILE);
  cpSync(running, path, { recursive: true });
  closeEngine(engine);
  return { path, file, wal: `${file}-wal`, receipts };
}

/** Flips a bit in the middle of a file. */
function flipMiddle(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes.readUInt8(at) ^ 1;
  writeFileSync(file, bytes);
}

/** Flips a bit at a position of a frame; a negative frame counts from the end. */
function flipFrame(wal: string, frame: number, at: number): void {
  const bytes = readFileSync(wal);
  const frames = Math.floor((bytes.length - HEADER_BYTES) / FRAME_BYTES);
  const position = HEADER_BYTES + (frame < 0 ? frames + frame : frame) * FRAME_BYTES + at;
  bytes[position] = bytes.readUInt8(position) ^ 1;
  writeFileSync(wal, bytes);
}

function flipHeader(wal: string, at: number): void {
  const bytes = readFileSync(wal);
  bytes[at] = bytes.readUInt8(at) ^ 1;
  writeFileSync(wal, bytes);
}

describe('the write-ahead log of a killed relay', () => {
  it('is sound, and opens with every event', async () => {
    const { path, file, receipts } = await killedStore();
    expect(damagedWal(file)).toBeUndefined();
    expect(storeNotes(path)).toEqual([]);
    expect(await (await openJournal(path)).count({ receipts })).toBe(COUNT);
  });

  it('is sound if the machine stopped within the last commit', async () => {
    const { path, file, wal, receipts } = await killedStore();
    flipFrame(wal, -1, 500);
    expect(damagedWal(file)).toBeUndefined();
    expect(verifyStore(path)).toEqual([]);
    const note = expect.stringContaining('relay.db-wal ends in an incomplete transaction');
    expect(storeNotes(path)).toEqual([note]);
    const [errors, warnings] = [[] as string[], [] as string[]];
    const log = {
      error: (_fields: object, line: string) => errors.push(line),
      warn: (_fields: object, line: string) => warnings.push(line),
    };
    expect(await (await openJournal(path, { log })).count({ receipts })).toBe(COUNT);
    expect({ errors, warnings }).toEqual({ errors: [], warnings: [note] });
  });

  it('is sound if its end was cut off', async () => {
    const { file, wal } = await killedStore();
    truncateSync(wal, statSync(wal).size - 1_000);
    expect(damagedWal(file)).toBeUndefined();
  });

  it.each([
    ['in its first page', (wal: string) => flipFrame(wal, 0, 200)],
    ['in the number of a page', (wal: string) => flipFrame(wal, 3, 3)],
    ['in the salts of a frame', (wal: string) => flipFrame(wal, 5, 9)],
    ['in the checksum of a frame', (wal: string) => flipFrame(wal, 8, 18)],
    ['in the middle', (wal: string) => flipFrame(wal, 60, 4_000)],
    ['in the magic number', (wal: string) => flipHeader(wal, 0)],
    ['in the salts of the header', (wal: string) => flipHeader(wal, 17)],
    ['in the checksum of the header', (wal: string) => flipHeader(wal, 30)],
  ])('with a flipped bit %s loses no accepted event, and is salvaged', async (_where, damage) => {
    const { path, file, wal, receipts } = await killedStore();
    damage(wal);
    const [before, log] = [readFileSync(file), readFileSync(wal)];
    expect(damagedWal(file)?.commitsAfter).toBeGreaterThan(5);
    expect(() => backupStore(path, join(path, '..', 'backup.db'))).toThrow(/relay\.db-wal is damaged/u);
    expect(verifyStore(path)).toContainEqual({
      check: 'log',
      detail: expect.stringContaining('SQLite ignores'),
    });
    const to = join(await journalFolder(), 'new');
    const report = salvageStore(path, to);
    expect(report.accepted).toEqual({ before: COUNT, after: COUNT });
    expect(report.findings).toEqual([]);
    expect(readFileSync(file).equals(before) && readFileSync(wal).equals(log)).toBe(true);
    expect(await (await openJournal(to)).count({ receipts })).toBe(COUNT);
    const lines: string[] = [];
    const started = await openJournal(path, { log: { error: (_fields, line) => lines.push(line) } });
    expect(await started.count({ receipts })).toBe(COUNT);
    expect(await started.ledger()).toMatchObject({ acme: { accepted: COUNT, pending: COUNT } });
    expect(lines).toEqual([expect.stringMatching(/relay\.db-wal is damaged .* from the intake log/u)]);
  });

  it('is described in the singular after one transaction', () => {
    const counts = { framesBefore: 3, commitsBefore: 1, framesAfter: 9, commitsAfter: 1 };
    expect(describeWalDamage({ isHeaderDamaged: false, ...counts })).toBe(
      'the write-ahead log relay.db-wal is damaged after 1 transaction: SQLite ignores what follows (1 transaction, sound pages: 9)',
    );
  });

  it('of an earlier version, which had no intake log, refuses the start if it is damaged', async () => {
    const { path, wal } = await killedStore();
    for (const name of INTAKE_LOG_FILES) rmSync(join(path, name));
    flipFrame(wal, 0, 200);
    const opening = openJournal(path);
    await expect(opening).rejects.toThrow(/write-ahead log relay\.db-wal is damaged/u);
    await expect(opening).rejects.toMatchObject({ fix: expect.stringContaining('store salvage') });
  });

  it('is all that is read if relay.db is gone or empty', async () => {
    for (const remove of [rmSync, (file: string) => truncateSync(file, 0)]) {
      const { path, file, wal } = await killedStore();
      const log = readFileSync(wal);
      remove(file);
      await expect(openJournal(path)).rejects.toThrow(/is empty or missing, but its write-ahead log exists/u);
      const report = salvageStore(path, join(await journalFolder(), 'new'));
      expect(report.missing[0]).toMatch(/relay\.db is (gone|empty)/u);
      expect(readFileSync(wal).equals(log)).toBe(true);
    }
  });
});

describe('the intake log of a killed relay', () => {
  it('with a flipped bit refuses the start, and salvage copies every other record', async () => {
    const { path, receipts } = await killedStore({ isCommitted: false });
    flipMiddle(join(path, INTAKE_LOG_FILES[0]));
    const opening = openJournal(path);
    await expect(opening).rejects.toThrow(/the intake log is damaged: 1 accepted records cannot be read/u);
    await expect(opening).rejects.toMatchObject({ fix: expect.stringContaining('store salvage') });
    expect(verifyStore(path)).toEqual([
      { check: 'log', detail: 'the intake log is damaged: 1 accepted records cannot be read' },
    ]);
    expect(() => backupStore(path, join(path, '..', 'backup.db'))).toThrow(/only in the intake log/u);
    const to = join(await journalFolder(), 'new');
    const { missing, accepted, fromLog, findings } = salvageStore(path, to);
    expect({ accepted, fromLog, findings }).toEqual({
      accepted: { before: 0, after: COUNT - 1 },
      fromLog: COUNT - 1,
      findings: [],
    });
    expect(missing).toEqual([
      'records of the intake log that cannot be read: 1 (accepted events, malformed bodies or quarantined requests)',
    ]);
    const journal = await openJournal(to);
    expect(await journal.count({ receipts, states: ['pending'] })).toBe(COUNT - 1);
  });

  it('with a flipped bit in the last record says that it may have been stored', async () => {
    const { path, receipts } = await killedStore({ isCommitted: false });
    const file = join(path, INTAKE_LOG_FILES[0]);
    flipHeader(file, statSync(file).size - 3);
    const engine = openEngine({ path, keys: [] });
    expect(engine.takeNotices()).toContainEqual({
      message: expect.stringContaining('lacks at least 1 of its records'),
    });
    const [outcome] = runBatch(engine, [{ name: 'ledger', request: undefined }]);
    expect(outcome).toMatchObject({ answer: { acme: { accepted: receipts.length - 1 } } });
    closeEngine(engine);
  });

  it('whose file is missing refuses the start, and salvage says what it may have held', async () => {
    const { path } = await killedStore();
    rmSync(join(path, INTAKE_LOG_FILES[1]));
    await expect(openJournal(path)).rejects.toThrow(/intake-1\.log is missing/u);
    expect(verifyStore(path)).toContainEqual({
      check: 'log',
      detail: 'intake-1.log is missing, though the relay was not stopped properly',
    });
    const { missing } = salvageStore(path, join(await journalFolder(), 'new'));
    expect(missing).toEqual(['intake-1.log, which may have held accepted events']);
  });

  it('with a damaged header refuses the start, and verify says so too', async () => {
    const { path, receipts } = await killedStore();
    const log = join(path, INTAKE_LOG_FILES[0]);
    flipHeader(log, 2);
    const detail = 'the header of intake-0.log is damaged; its records are those of relay.db';
    await expect(openJournal(path)).rejects.toThrow(detail);
    expect(verifyStore(path)).toEqual([{ check: 'log', detail }]);
    const to = join(await journalFolder(), 'new');
    salvageStore(path, to);
    expect(await (await openJournal(to)).count({ receipts })).toBe(COUNT);
  });

  it('that is newer than a restored backup is not called damaged', async () => {
    const path = await journalFolder();
    const backup = join(await journalFolder(), DATABASE_FILE);
    const journal = await openSqliteJournal({ path, encryptionKeys: [] });
    await journal.close();
    cpSync(join(path, DATABASE_FILE), backup);
    const later = await openSqliteJournal({ path, encryptionKeys: [] });
    for (let n = 0; n < 2; n += 1) await append(later, sampleEvent());
    await later.close();
    cpSync(backup, join(path, DATABASE_FILE));
    // The first record is gone, as when the log was written from its start again.
    flipHeader(join(path, INTAKE_LOG_FILES[0]), 20);
    const older = /relay\.db is older than the intake log beside it/u;
    const opening = openJournal(path);
    await expect(opening).rejects.toThrow(older);
    await expect(opening).rejects.toMatchObject({ fix: expect.stringContaining('into an empty folder') });
    expect(verifyStore(path)).toContainEqual({ check: 'log', detail: expect.stringMatching(older) });
  });

  it('is named by verify when relay.db is gone', async () => {
    const { path, file, wal } = await killedStore();
    rmSync(file);
    rmSync(wal);
    expect(() => verifyStore(path)).toThrow(
      `there is no store in ${path}: relay.db is missing, but its logs are there (intake-0.log, intake-1.log)`,
    );
    const opening = openJournal(path);
    await expect(opening).rejects.toThrow(`${file} is empty or missing`);
    await expect(opening).rejects.toMatchObject({
      fix: expect.stringMatching(/^run `capillary-relay store/u),
    });
  });

  it('of another store is not overwritten', async () => {
    const [one, other] = [await killedStore(), await killedStore()];
    cpSync(join(other.path, INTAKE_LOG_FILES[0]), join(one.path, INTAKE_LOG_FILES[0]));
    await expect(openJournal(one.path)).rejects.toThrow(/intake-0\.log does not belong to relay\.db/u);
  });

  it('is not forgotten when relay.db is gone', async () => {
    const { path, file, wal } = await killedStore();
    rmSync(file);
    rmSync(wal);
    await expect(openJournal(path)).rejects.toThrow(/empty or missing, but its intake log exists/u);
    expect(salvageStore(path, join(await journalFolder(), 'new')).accepted.after).toBe(COUNT);
  });
});
