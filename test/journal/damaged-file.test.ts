import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { backupStore } from '../../src/journal/sqlite/backup.ts';
import { runBatch } from '../../src/journal/sqlite/batch.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/database.ts';
import { openEngine } from '../../src/journal/sqlite/engine.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { salvageStore } from '../../src/journal/sqlite/salvage.ts';
import { verifyStore } from '../../src/journal/sqlite/verify.ts';
import { claimEvents, sampleEvent, sampleQuarantined, settled } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const COUNT = 600;
const DELIVERED = 100;
const PAGE = 4_096;
const WAY_OUT = /store verify.*store salvage --to FOLDER.*store backup/u;

/** A store with a past, closed. @returns its folder, and the events with their receipts */
const fillStore = async () => {
  const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  const events = Array.from({ length: COUNT }, (_, n) =>
    sampleEvent({ lane: `c${n % 50}`, body: Buffer.from(JSON.stringify({ n, pad: 'x'.repeat(1_000) })) }),
  );
  const answers = await Promise.all(events.map((event) => journal.append(event)));
  const receipts = answers.map(({ receipt }) => receipt);
  await Promise.all(
    receipts.slice(0, DELIVERED).map((receipt) =>
      journal.settle({
        ...settled.delivered(receipt),
        profiles: [{ lane: 'c1', state: '{"tier":"gold"}' }],
      }),
    ),
  );
  await journal.quarantine(sampleQuarantined(), { maxCount: 10, maxBytes: 1e6, maxAge: 1e9 });
  await journal.close();
  return { path, events, receipts };
};

let filled: Awaited<ReturnType<typeof fillStore>>;
beforeAll(async () => {
  filled = await fillStore();
});
afterAll(() => rm(filled.path, { recursive: true }));

/** A copy of that store for one test. */
const makeStore = async () => {
  const path = await journalFolder();
  await cp(filled.path, path, { recursive: true });
  return { ...filled, path, file: join(path, DATABASE_FILE) };
};

const overwrite = (file: string, at: number, bytes: Buffer): void => {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
};

const DAMAGES: readonly [string, (file: string) => void][] = [
  [
    'pages overwritten in the middle',
    (file) => {
      const middle = Math.floor(statSync(file).size / PAGE / 2);
      overwrite(file, middle * PAGE, randomBytes(4 * PAGE));
    },
  ],
  ['cut off', (file) => truncateSync(file, Math.floor(statSync(file).size * 0.9) + 17)],
  ['a garbage header', (file) => overwrite(file, 0, randomBytes(100))],
];

describe('a sound store', () => {
  it('is found sound, and left as it was', async () => {
    const { path, file } = await makeStore();
    const before = readFileSync(file);
    expect(verifyStore(path)).toEqual([]);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('is found wrong when its accounts or its lanes are', async () => {
    const { path, file } = await makeStore();
    const db = new DatabaseSync(file);
    db.exec('UPDATE counts SET accepted = accepted + 1');
    db.exec("UPDATE events SET head = 0 WHERE lane = 'c7'");
    db.exec('UPDATE backlog SET pending = 3');
    db.exec('DELETE FROM bodies WHERE seq = 300');
    db.close();
    const found = verifyStore(path).map(({ check }) => check);
    expect(new Set(found)).toEqual(new Set(['ledger', 'lanes', 'backlog', 'bodies']));
  });

  it('is found wrong when an alias is not followed, and salvaged with it followed', async () => {
    const { path, file, receipts } = await makeStore();
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
    const { receipt } = await journal.append(sampleEvent({ lane: 'c7' }));
    expect((await journal.find(receipt))?.event.lane).toBe('c8');
  });

  it('is found wrong when an alias leads to another', async () => {
    const { path, file } = await makeStore();
    const db = new DatabaseSync(file);
    db.exec("INSERT INTO aliases VALUES ('aep', 'x', 'y'), ('aep', 'y', 'z')");
    db.close();
    expect(verifyStore(path)).toMatchObject([{ check: 'aliases' }]);
  });

  it('can be backed up, and the copy is a store', async () => {
    const { path, receipts } = await makeStore();
    const to = await journalFolder();
    const file = join(to, DATABASE_FILE);
    expect(backupStore(path, file).bytes).toBe(statSync(file).size);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(verifyStore(to)).toEqual([]);
    const copy = await openJournal(to);
    expect(await copy.count({ receipts })).toBe(COUNT);
    expect(() => backupStore(path, file)).toThrow(/is there already/u);
  });

  it('is refused to all three while a relay has it', async () => {
    const { path } = await makeStore();
    await openJournal(path);
    const to = join(await journalFolder(), 'new');
    for (const command of [
      () => verifyStore(path),
      () => backupStore(path, to),
      () => salvageStore(path, to),
    ])
      expect(command).toThrow(/a relay is running on the store in .*: stop it first/u);
  });

  it('is salvaged whole, with what is only in the log of a relay that was killed', async () => {
    const { path, file, receipts } = await makeStore();
    const db = new DatabaseSync(file);
    db.exec("UPDATE events SET detail = 'in the log' WHERE seq = 1");
    // A zero in front of what is not sealed.
    db.exec(`INSERT INTO notes VALUES (1, CAST(X'00' || '[["data.a","too-long"]]' AS BLOB)), (2, X'00')`);
    const log = readFileSync(`${file}-wal`);
    db.close();
    await writeFile(`${file}-wal`, log);
    const to = join(await journalFolder(), 'new');
    const { tables, ...rest } = salvageStore(path, to);
    expect(rest).toEqual({ lost: [], bodiless: [], accepted: { before: COUNT, after: COUNT }, findings: [] });
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
  it('is refused at the start, with the way out', async () => {
    const { path, file } = await makeStore();
    damage(file);
    const opening = openJournal(path);
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toThrow(WAY_OUT);
  });

  it('does not pass for sound', async () => {
    const { path, file } = await makeStore();
    damage(file);
    // What is too damaged to be looked through is refused as at the start.
    const words = (): string => {
      try {
        return verifyStore(path)
          .map(({ check }) => check)
          .join(' ');
      } catch (error) {
        return String(error);
      }
    };
    expect(words()).toMatch(new RegExp(`integrity|${WAY_OUT.source}`, 'u'));
  });

  it('is salvaged: what can be read is there, what is lost is told, and the damaged file stays as it is', async () => {
    const { path, file, events, receipts } = await makeStore();
    damage(file);
    const before = readFileSync(file);
    const to = join(await journalFolder(), 'new');
    const report = salvageStore(path, to);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(report.findings).toEqual([]);
    const copied = report.tables.find(({ table }) => table === 'events')?.copied ?? 0;
    expect(copied).toBeGreaterThan(0);
    expect(copied + report.lost.length).toBeGreaterThanOrEqual(COUNT * 0.9);

    const journal = await openJournal(to);
    expect(await journal.count({ receipts })).toBe(copied);
    // Whatever is pending can be claimed and has the body it came with; nothing is stuck behind what is lost.
    let claimed = 0;
    for (let batch = await claimEvents(journal); batch.length > 0; batch = await claimEvents(journal)) {
      for (const event of batch) {
        expect(event.body.equals(Buffer.from(events[receipts.indexOf(event.receipt)]!.body))).toBe(true);
      }
      await Promise.all(batch.map(({ receipt }) => journal.settle(settled.delivered(receipt))));
      claimed += batch.length;
    }
    const { acme } = await journal.ledger();
    expect(acme).toMatchObject({ pending: 0, dead: report.bodiless.length, delivered: claimed + DELIVERED });
    expect(acme?.accepted).toBe(claimed + DELIVERED + report.bodiless.length);
    // What lost its payload can be sent again.
    for (const receipt of report.bodiless) {
      const again = await journal.append(events[receipts.indexOf(receipt)]!);
      expect(again.duplicate).toBe(false);
    }
  });
});

describe('a store that is gone but for its log', () => {
  it('is not taken for a new one', async () => {
    const { path, file } = await makeStore();
    await writeFile(`${file}-wal`, randomBytes(8_192));
    truncateSync(file, 0);
    await expect(openJournal(path)).rejects.toThrow(/is empty or gone while its write-ahead log is there/u);
  });
});

describe('a file that is damaged while a relay runs', () => {
  it('is told once, with the way out, and what is readable still is', async () => {
    const { path, file, receipts } = await makeStore();
    const engine = openEngine({ path, keys: [] });
    // Or it would not look at the disk again.
    engine.db.raw.exec('PRAGMA shrink_memory');
    overwrite(file, 60 * PAGE, randomBytes(statSync(file).size - 60 * PAGE));
    const outcomes = receipts.map((request) => runBatch(engine, [{ name: 'find', request }])[0]);
    expect(outcomes.filter((outcome) => outcome?.ok === false).length).toBeGreaterThan(0);
    const told = engine.takeNotices().map(({ message }) => message);
    expect(told.filter((line) => WAY_OUT.test(line))).toHaveLength(1);
    const [ledger] = runBatch(engine, [{ name: 'ledger', request: undefined }]);
    expect(ledger).toMatchObject({ ok: true, answer: { acme: { accepted: COUNT } } });
    engine.db.close();
  });
});
