import { randomBytes } from 'node:crypto';
import { closeSync, cpSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INTAKE_LOG_FILES } from '../../src/journal/sqlite/engine/intake-log.ts';
import { DATABASE_FILE, MARKER_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { writeMarker } from '../../src/journal/sqlite/engine/store-marker.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { appendAll, sampleEvent, sampleQuarantined } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const COUNT = 200;
const PAGE_BYTES = 4_096;
const KEYS = ['11'.repeat(32)];

let filled: string;
beforeAll(async () => {
  filled = await mkdtemp(join(tmpdir(), 'relay-journal-'));
  const journal = await openSqliteJournal({ path: filled, encryptionKeys: KEYS });
  const body = Buffer.from(JSON.stringify('A'.repeat(900)));
  await appendAll(
    journal,
    Array.from({ length: COUNT }, (_, n) => sampleEvent({ lane: `c${n % 20}`, body })),
  );
  await journal.quarantine(sampleQuarantined(), { maxCount: 10, maxBytes: 1e6, maxAge: 1e9 });
  await journal.close();
  writeMarker(filled, COUNT);
});
afterAll(() => rm(filled, { recursive: true }));

/** A copy of a store with encrypted events and a marker. */
async function copyStore() {
  const path = await journalFolder();
  cpSync(filled, path, { recursive: true });
  return { path, file: join(path, DATABASE_FILE), to: join(await journalFolder(), 'new') };
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

/** Flips the last bit of a stored payload, which the pages of the file do not show. */
function flip(file: string, table: string, column: string): void {
  const db = new DatabaseSync(file);
  const row = db.prepare(`SELECT rowid AS at, ${column} AS payload FROM ${table} LIMIT 1`).get()!;
  const payload = Buffer.from(row['payload'] as Uint8Array);
  payload[payload.length - 1] = payload.readUInt8(payload.length - 1) ^ 1;
  db.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(payload, row['at'] as number);
  db.close();
}

describe('salvage says what is missing, whatever it copies', () => {
  it('nothing, from a sound store', async () => {
    const { path, to } = await copyStore();
    const { missing, findings, accepted } = salvageStore(path, to, KEYS);
    expect({ missing, findings, accepted }).toEqual({
      missing: [],
      findings: [],
      accepted: { before: COUNT, after: COUNT },
    });
    expect(verifyStore(to, KEYS)).toEqual([]);
  });

  it.each([
    ['the schema behind the header', (file: string) => overwrite(file, 100, randomBytes(PAGE_BYTES - 100))],
    ['the whole first page', (file: string) => overwrite(file, 0, randomBytes(PAGE_BYTES))],
    ['the first page, zeroed', (file: string) => overwrite(file, 0, Buffer.alloc(PAGE_BYTES))],
  ])('with %s damaged, where the tables are found in their usual places', async (_what, damage) => {
    const { path, file, to } = await copyStore();
    damage(file);
    const before = readFileSync(file);
    const { missing, findings, accepted } = salvageStore(path, to, KEYS);
    expect(missing).toEqual([expect.stringMatching(/^the schema of relay\.db is damaged/u)]);
    expect({ findings, accepted }).toEqual({ findings: [], accepted: { before: COUNT, after: COUNT } });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(await (await openJournal(to, { encryptionKeys: KEYS })).count({ states: ['pending'] })).toBe(
      COUNT,
    );
  });

  it('an emptied file: the intake log has the newest events', async () => {
    const { path, file, to } = await copyStore();
    truncateSync(file, 0);
    const { missing, accepted, fromLog } = salvageStore(path, to, KEYS);
    expect({ accepted, fromLog }).toEqual({ accepted: { before: COUNT, after: COUNT }, fromLog: COUNT + 1 });
    expect(missing).toContainEqual(expect.stringContaining('relay.db is empty'));
    expect(missing).toContainEqual(expect.stringContaining('delivered again under the same _id'));
    const journal = await openJournal(to, { encryptionKeys: KEYS });
    expect(await journal.count({ states: ['pending'] })).toBe(COUNT);
    expect((await journal.listQuarantined({}, { limit: 9 })).items).toHaveLength(1);
  });

  it('an emptied file without logs: everything, and the new store is not called sound', async () => {
    const { path, file, to } = await copyStore();
    truncateSync(file, 0);
    for (const name of INTAKE_LOG_FILES) rmSync(join(path, name));
    expect(verifyStore(path)).toEqual([
      { check: 'account', detail: 'relay.db is empty: whatever it held is gone' },
    ]);
    const { missing, accepted } = salvageStore(path, to);
    expect(accepted).toEqual({ before: COUNT, after: 0 });
    expect(missing).toEqual([
      expect.stringContaining('relay.db is empty'),
      expect.stringMatching(`^accepted events: at least ${COUNT}, of ${COUNT} as of 20.*Z$`),
    ]);
    expect(verifyStore(to)).toMatchObject([
      { check: 'account', detail: expect.stringContaining(`holds 0 accepted events, but had ${COUNT} on `) },
    ]);
  });

  it('a file whose count of events is gone: that it is unknown', async () => {
    const { path, file, to } = await copyStore();
    rmSync(join(path, MARKER_FILE));
    const db = new DatabaseSync(file);
    db.exec('DROP TABLE counts');
    db.close();
    const { missing, accepted } = salvageStore(path, to, KEYS);
    expect(accepted).toEqual({ after: COUNT });
    expect(missing).toEqual([expect.stringContaining('how many events were accepted is unknown')]);
  });

  it('a file that was replaced by an older one', async () => {
    const { path, to } = await copyStore();
    writeMarker(path, COUNT + 14);
    expect(verifyStore(path, KEYS)).toMatchObject([{ check: 'account' }]);
    expect(salvageStore(path, to, KEYS).missing).toEqual([
      expect.stringMatching(`^accepted events: at least 14, of ${COUNT + 14} as of 20.*Z$`),
    ]);
    // What salvage has said is no error of the first start.
    const lines: string[] = [];
    const log = { error: (_fields: object, line: string) => lines.push(line) };
    await (await openJournal(to, { encryptionKeys: KEYS, log })).ledger();
    expect(lines).toEqual([]);
  });
});

describe('damaged payloads', () => {
  it('are taken from the intake log if it still has them', async () => {
    const { path, file, to } = await copyStore();
    flip(file, 'bodies', 'body');
    const { bodiless, missing, findings } = salvageStore(path, to, KEYS);
    expect({ bodiless, missing, findings }).toEqual({ bodiless: [], missing: [], findings: [] });
    expect(verifyStore(to, KEYS)).toEqual([]);
    const journal = await openJournal(to, { encryptionKeys: KEYS });
    expect(await journal.count({ states: ['pending'] })).toBe(COUNT);
  });

  it('are named by verify and left out by salvage, which needs their keys', async () => {
    const { path, file, to } = await copyStore();
    for (const name of INTAKE_LOG_FILES) rmSync(join(path, name));
    flip(file, 'bodies', 'body');
    flip(file, 'quarantine', 'headers');
    expect(verifyStore(path)).toEqual([]);
    expect(verifyStore(path, KEYS)).toEqual([
      { check: 'payloads', detail: expect.stringMatching(/^payload of event [0-9a-f-]{36} damaged$/u) },
      { check: 'payloads', detail: expect.stringMatching(/^content of quarantined request .* damaged$/u) },
    ]);
    const { bodiless, missing, findings } = salvageStore(path, to, KEYS);
    expect(findings).toEqual([]);
    expect(bodiless).toHaveLength(1);
    expect(missing).toEqual(['unreadable or damaged rows: 2', 'payloads of pending events: 1']);
    expect(verifyStore(to, KEYS)).toEqual([]);
    const journal = await openJournal(to, { encryptionKeys: KEYS });
    expect((await journal.find(bodiless[0]!))?.event).toMatchObject({
      state: 'dead',
      reason: 'payload-lost',
    });
  });
});
