import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { backupStore } from '../../src/journal/sqlite/offline/stopped-store.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import {
  append,
  appendAll,
  claimEvents,
  sampleEvent,
  sampleQuarantined,
  settleAs,
  settled,
  settleHeld,
} from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const COUNT = 600;
const DELIVERED = 100;
const PAGE_BYTES = 4_096;
const DAMAGE_ADVICE = /store verify.*store salvage --to FOLDER.*store backup/u;

/**
 * Creates a store with various events and closes it.
 * @returns its folder, and the events with their receipts
 */
async function createFilledStore() {
  const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  const events = Array.from({ length: COUNT }, (_, n) =>
    sampleEvent({ lane: `c${n % 50}`, body: Buffer.from(JSON.stringify({ n, pad: 'x'.repeat(1_000) })) }),
  );
  const receipts = await appendAll(journal, events);
  for (const receipt of receipts.slice(0, DELIVERED))
    await settleAs(journal, {
      ...settled.delivered(receipt),
      profiles: [{ lane: 'c1', state: '{"tier":"gold"}' }],
    });
  await journal.quarantine(sampleQuarantined(), { maxCount: 10, maxBytes: 1e6, maxAge: 1e9 });
  await journal.close();
  return { path, events, receipts };
}

let filled: Awaited<ReturnType<typeof createFilledStore>>;
beforeAll(async () => {
  filled = await createFilledStore();
});
afterAll(() => rm(filled.path, { recursive: true }));

/** A copy of that store for one test. */
async function copyStore() {
  const path = await journalFolder();
  await cp(filled.path, path, { recursive: true });
  return { ...filled, path, file: join(path, DATABASE_FILE) };
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

const DAMAGES: readonly [string, (file: string) => void][] = [
  [
    'overwritten pages in the middle',
    (file) => {
      const middle = Math.floor(statSync(file).size / PAGE_BYTES / 2);
      overwrite(file, middle * PAGE_BYTES, randomBytes(4 * PAGE_BYTES));
    },
  ],
  ['a truncated end', (file) => truncateSync(file, Math.floor(statSync(file).size * 0.9) + 17)],
  ['a garbage header', (file) => overwrite(file, 0, randomBytes(100))],
];

describe('a sound store', () => {
  it('passes verify and is not changed', async () => {
    const { path, file } = await copyStore();
    const before = readFileSync(file);
    expect(verifyStore(path)).toEqual([]);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('fails verify if its ledger or its lanes are wrong', async () => {
    const { path, file } = await copyStore();
    const db = new DatabaseSync(file);
    db.exec('UPDATE counts SET accepted = accepted + 1');
    db.exec("UPDATE events SET head = 0 WHERE lane = 'c7'");
    db.exec('UPDATE backlog SET pending = 3');
    db.exec('DELETE FROM bodies WHERE seq = 300');
    db.close();
    const found = verifyStore(path).map(({ check }) => check);
    expect(new Set(found)).toEqual(new Set(['ledger', 'lanes', 'backlog', 'bodies']));
  });

  it('fails verify if an alias is not followed, which salvage fixes', async () => {
    const { path, file, receipts } = await copyStore();
    const db = new DatabaseSync(file);
    db.exec("INSERT INTO aliases VALUES ('aep', 'c7', 'c8')");
    db.close();
    expect(verifyStore(path)).toEqual([
      {
        check: 'aliases',
        detail: 'pending events in the lane of a customer who was merged into another: 10',
      },
    ]);
    const to = join(await journalFolder(), 'new');
    const { tables, findings } = salvageStore(path, to);
    expect(findings).toEqual([]);
    expect(tables).toContainEqual({ table: 'aliases', copied: 1, unreadable: 0 });
    const journal = await openJournal(to);
    expect((await journal.find(receipts[107]!))?.event).toMatchObject({ lane: 'c8', ownLane: 'c7' });
    const { receipt } = await append(journal, sampleEvent({ lane: 'c7' }));
    expect((await journal.find(receipt))?.event.lane).toBe('c8');
  });

  it('fails verify if an alias leads to another', async () => {
    const { path, file } = await copyStore();
    const db = new DatabaseSync(file);
    db.exec("INSERT INTO aliases VALUES ('aep', 'x', 'y'), ('aep', 'y', 'z')");
    db.close();
    expect(verifyStore(path)).toMatchObject([{ check: 'aliases' }]);
  });

  it('can be backed up, and the copy is a complete store', async () => {
    const { path, receipts } = await copyStore();
    const to = await journalFolder();
    const file = join(to, DATABASE_FILE);
    expect(backupStore(path, file).bytes).toBe(statSync(file).size);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(verifyStore(to)).toEqual([]);
    const copy = await openJournal(to);
    expect(await copy.count({ receipts })).toBe(COUNT);
    expect(() => backupStore(path, file)).toThrow(/already exists/u);
  });

  it('is refused to verify, backup and salvage while a relay uses it', async () => {
    const { path } = await copyStore();
    await openJournal(path);
    const to = join(await journalFolder(), 'new');
    for (const command of [
      () => verifyStore(path),
      () => backupStore(path, to),
      () => salvageStore(path, to),
    ])
      expect(command).toThrow(/a relay is running on the store in .*: stop it first/u);
  });

  it('is salvaged completely, including the write-ahead log of a killed relay', async () => {
    const { path, file, receipts } = await copyStore();
    const db = new DatabaseSync(file);
    db.exec("UPDATE events SET detail = 'in the log' WHERE seq = 1");
    // Payloads that are not encrypted start with a zero byte.
    db.exec(`INSERT INTO notes VALUES (1, CAST(X'00' || '[["data.a","too-long"]]' AS BLOB)), (2, X'00')`);
    const log = readFileSync(`${file}-wal`);
    db.close();
    await writeFile(`${file}-wal`, log);
    const to = join(await journalFolder(), 'new');
    const { tables, ...rest } = salvageStore(path, to);
    expect(rest).toMatchObject({
      lost: [],
      bodiless: [],
      accepted: { before: COUNT, after: COUNT },
      findings: [],
      missing: [],
      wal: { damaged: 0 },
    });
    expect(tables).toContainEqual({ table: 'quarantine', copied: 1, unreadable: 0 });
    expect(tables).toContainEqual({ table: 'notes', copied: 2, unreadable: 0 });
    const journal = await openJournal(to);
    expect(await journal.profiles('aep', ['c1'])).toEqual(new Map([['c1', '{"tier":"gold"}']]));
    expect((await journal.find(receipts[0]!))?.event.detail).toBe('in the log');
    expect((await journal.find(receipts[0]!))?.notes).toEqual([{ path: 'data.a', code: 'too-long' }]);
    expect((await journal.find(receipts[1]!))?.notes).toEqual([]);
  });
});

describe.each(DAMAGES)('a store with %s', (_what, damage) => {
  it('is refused at start, with advice', async () => {
    const { path, file } = await copyStore();
    damage(file);
    const opening = openJournal(path);
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toMatchObject({ fix: expect.stringMatching(DAMAGE_ADVICE) });
  });

  it('does not pass verify', async () => {
    const { path, file } = await copyStore();
    damage(file);
    // A store that is too damaged to be checked is refused as at start.
    const verify = (): string => {
      try {
        return verifyStore(path)
          .map(({ check }) => check)
          .join(' ');
      } catch (error) {
        return String(error);
      }
    };
    expect(verify()).toMatch(/integrity|store salvage.*--to FOLDER.*store backup/u);
  });

  it('is salvaged: readable events are copied, lost ones reported, and the damaged file is not changed', async () => {
    const { path, file, events, receipts } = await copyStore();
    damage(file);
    const before = readFileSync(file);
    const to = join(await journalFolder(), 'new');
    const report = salvageStore(path, to);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(report.findings).toEqual([]);
    const rows = report.tables.find(({ table }) => table === 'events')?.copied ?? 0;
    // What is not in the tables any more may still be in the intake log.
    const copied = rows + report.fromLog;
    expect(copied).toBeGreaterThan(0);
    expect(copied + report.lost.length).toBeGreaterThanOrEqual(COUNT * 0.9);

    const journal = await openJournal(to);
    expect(await journal.count({ receipts })).toBe(copied);
    // Every pending event can be claimed with its original body; none is stuck behind a lost one.
    let claimed = 0;
    for (let batch = await claimEvents(journal); batch.length > 0; batch = await claimEvents(journal)) {
      for (const event of batch) {
        expect(event.body.equals(Buffer.from(events[receipts.indexOf(event.receipt)]!.body))).toBe(true);
      }
      for (const { receipt } of batch) await settleHeld(journal, settled.delivered(receipt));
      claimed += batch.length;
    }
    const { acme } = await journal.ledger();
    expect(acme).toMatchObject({ pending: 0, dead: report.bodiless.length, delivered: claimed + DELIVERED });
    expect(acme?.accepted).toBe(claimed + DELIVERED + report.bodiless.length);
    // Events that lost their payload can be sent again.
    for (const receipt of report.bodiless) {
      const again = await append(journal, events[receipts.indexOf(receipt)]!);
      expect(again.duplicate).toBe(false);
    }
  });
});

describe('a store of which only the write-ahead log exists', () => {
  it('is not treated as a new store', async () => {
    const { path, file } = await copyStore();
    await writeFile(`${file}-wal`, randomBytes(8_192));
    truncateSync(file, 0);
    await expect(openJournal(path)).rejects.toThrow(/is empty or missing, but its write-ahead log exists/u);
  });
});

describe('a file that is damaged while a relay is running', () => {
  it('is reported once, with advice, and its readable parts stay readable', async () => {
    const { path, file, receipts } = await copyStore();
    const engine = openEngine({ path, keys: [] });
    // Otherwise SQLite would not read the disk again.
    engine.db.raw.exec('PRAGMA shrink_memory');
    overwrite(file, 60 * PAGE_BYTES, randomBytes(statSync(file).size - 60 * PAGE_BYTES));
    const outcomes = receipts.map((request) => runBatch(engine, [{ name: 'find', request }])[0]);
    expect(outcomes.filter((outcome) => outcome?.ok === false).length).toBeGreaterThan(0);
    const messages = engine.takeNotices().map(({ message }) => message);
    expect(messages.filter((line) => DAMAGE_ADVICE.test(line))).toHaveLength(1);
    const [ledger] = runBatch(engine, [{ name: 'ledger', request: undefined }]);
    expect(ledger).toMatchObject({ ok: true, answer: { acme: { accepted: COUNT } } });
    closeEngine(engine);
  });
});
