import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { migrate } from '../../src/journal/sqlite/engine/database.ts';
import { MIGRATIONS } from '../../src/journal/sqlite/engine/migrations.ts';
import { createPayloadCipher, parseKey } from '../../src/journal/payload-cipher.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { readKeyUsage } from '../../src/journal/sqlite/offline/key-usage.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { append, claim, claimReceipts, DAY, sampleEvent, settled, sha256, T0 } from '../contract/samples.ts';
import { WAIT_LIMIT_MS } from '../helpers/limits.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** The format of version 0.3.0, the last one without an intake log. */
const OLD_FORMAT = 12;
const NEW_STEPS = MIGRATIONS.length - OLD_FORMAT;
const KEY = '11'.repeat(32);

/** A payload as the earlier version wrote it: without a checksum, or encrypted. */
type Seal = (text: string) => Uint8Array;
const clear: Seal = (text) => Buffer.concat([Buffer.of(0), Buffer.from(text)]);
const encrypted: Seal = (text) => createPayloadCipher([parseKey(KEY)]).encrypt(Buffer.from(text));

interface OldEvent {
  readonly receipt: string;
  readonly state?: string;
  readonly lane?: string;
  readonly ownLane?: string;
  readonly head?: 0 | 1;
  readonly replay?: 0 | 1;
  readonly dueAt?: number;
  readonly failures?: number;
}

/** A store with everything that the earlier version could write. */
function writeOldStore(file: string, seal: Seal): void {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON');
  migrate(db, MIGRATIONS.slice(0, OLD_FORMAT));
  const insert = (event: OldEvent): number => {
    const { receipt, state = 'pending', lane, ownLane, head = 0, replay = 0, dueAt = T0 } = event;
    const isMalformed = state === 'malformed';
    const { lastInsertRowid } = db
      .prepare(
        `INSERT INTO events (receipt, source, destination, identity, lane, own_lane, customer_id, org_id,
           event_name, event_id, received_at, verified_by, state, reason, settled_at, head, replay, due_at,
           failures, body_bytes)
         VALUES (?, 'acme', 'aep', ?, ?, ?, ?, 1, 'transactionAdded', ?, ?, 'v', ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        receipt,
        isMalformed ? null : Buffer.from(sha256(receipt), 'hex'),
        lane ?? null,
        ownLane ?? null,
        `customer of ${receipt}`,
        `id of ${receipt}`,
        T0,
        state,
        ['dead', 'malformed', 'ignored'].includes(state) ? 'rejected' : null,
        ['dead', 'delivered', 'ignored'].includes(state) ? T0 : null,
        head,
        replay,
        dueAt,
        event.failures ?? 0,
        receipt.length + 2,
      );
    db.prepare('INSERT INTO bodies VALUES (?, ?)').run(lastInsertRowid, seal(`"${receipt}"`));
    return Number(lastInsertRowid);
  };
  const attempt = db.prepare(
    `INSERT INTO attempts VALUES (?, ?, ${T0}, 'event', ?, ?, 'what Adobe said', 'x:1', 12, 3)`,
  );
  insert({ receipt: 'anna-1', lane: 'anna', head: 1 });
  insert({ receipt: 'anna-2', lane: 'anna' });
  insert({ receipt: 'free', head: 1 });
  const waiting = insert({ receipt: 'waiting', lane: 'ben', head: 1, dueAt: T0 + 1, failures: 1 });
  attempt.run(waiting, 1, 'retry', 503);
  insert({ receipt: 'merged', lane: 'anna', ownLane: 'old-anna' });
  const delivered = insert({ receipt: 'delivered', state: 'delivered', lane: 'carl' });
  attempt.run(delivered, 1, 'retry', 503);
  attempt.run(delivered, 2, 'delivered', 200);
  db.prepare('INSERT INTO notes VALUES (?, ?)').run(delivered, seal('[["data.x","too-long"]]'));
  db.exec(`INSERT INTO differing_copies VALUES (${delivered}, 2, ${T0})`);
  insert({ receipt: 'ignored', state: 'ignored' });
  const dead = insert({ receipt: 'dead', state: 'dead', lane: 'carl' });
  db.prepare(`INSERT INTO sent (seq, kind, json) VALUES (?, 'event', ?)`).run(dead, seal('{"sent":1}'));
  db.exec(`INSERT INTO actions (seq, at, by, action) VALUES (${dead}, ${T0}, 'olga', 'replayed')`);
  insert({ receipt: 'replayed', lane: 'dora', head: 1, replay: 1 });
  const toReplay = insert({ receipt: 'to-replay', state: 'dead', lane: 'emil' });
  insert({ receipt: 'malformed', state: 'malformed' });
  db.prepare(
    `INSERT INTO replay_jobs (at, by, as_new, shown, filter, next_seq, until_seq, span, matched, replayed)
     VALUES (?, 'olga', 0, '{"filter":{},"narrowedBy":["receipts"]}', ?, ?, ?, 4096, 1, 1)`,
  ).run(T0, seal('{"filter":{"receipts":["to-replay"]},"routes":{}}'), toReplay, toReplay);
  db.exec(`INSERT INTO aliases VALUES ('aep', 'old-anna', 'anna');
    INSERT INTO contact_scopes VALUES (1, 'aep', 1, 1);
    INSERT INTO contacts VALUES (1, 5, 6);
    INSERT INTO shared_contacts VALUES ('aep', 7, 'acme', 'email', 'a***', ${T0});
    INSERT INTO programs VALUES (1, '{"programs":[]}');
    INSERT INTO pauses VALUES ('other', 'olga', ${T0});
    INSERT INTO counts VALUES ('acme', 10, 6, 1, 1, 2, 1, 1, 9);
    INSERT INTO backlog VALUES ('aep', 6, 1)`);
  db.prepare(`INSERT INTO profiles VALUES ('aep', 'carl', ?)`).run(seal('{"points":1}'));
  db.prepare(
    `INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
     VALUES ('quarantined', 'acme', ?, ?, '203.0.113.7', '["header-mismatch"]', ?, ?, 9)`,
  ).run(Date.now(), Date.now() + DAY, seal('["X-Key","old"]'), seal('"body"'));
  db.close();
}

async function expectContent(journal: Journal): Promise<void> {
  const body = async (receipt: string) => (await journal.find(receipt))?.body?.toString();
  for (const receipt of ['anna-1', 'merged', 'delivered', 'dead', 'malformed'])
    expect(await body(receipt)).toBe(`"${receipt}"`);
  expect((await journal.find('delivered'))!).toMatchObject({
    attempts: [
      { outcome: 'retry', status: 503, detail: 'what Adobe said', xactionId: 'x:1', batchSize: 3 },
      { outcome: 'delivered', status: 200 },
    ],
    notes: [{ path: 'data.x', code: 'too-long' }],
  });
  expect((await journal.find('waiting'))?.attempts).toMatchObject([{ outcome: 'retry', status: 503 }]);
  expect((await journal.find('dead'))?.sent).toEqual([{ kind: 'event', json: '{"sent":1}' }]);
  expect((await journal.find('id of anna-2'))?.event.receipt).toBe('anna-2');
  expect((await journal.list({ states: ['malformed'] }, { limit: 9 })).items).toHaveLength(1);
  expect(await journal.count({ customerId: 'customer of dead' })).toBe(1);
  expect((await journal.listQuarantined({}, { limit: 9 })).items).toMatchObject([
    { receipt: 'quarantined', rawHeaders: ['X-Key', 'old'] },
  ]);
  expect((await journal.profiles('aep', ['carl'])).get('carl')).toBe('{"points":1}');
  expect(await journal.programs()).toHaveLength(1);
  expect(await journal.pauses()).toMatchObject([{ destination: 'other' }]);
  const known = sampleEvent({ identity: sha256('ignored') });
  expect(await append(journal, known)).toMatchObject({ receipt: 'ignored', duplicate: true });
}

/** Settles everything, lane by lane. @returns the receipts in the order of their claims */
async function drain(journal: Journal): Promise<string[]> {
  const order: string[] = [];
  for (;;) {
    const { token, events } = await claim(journal);
    if (events.length === 0) return order;
    order.push(...events.map(({ receipt }) => receipt));
    await journal.settle(
      token,
      events.map(({ receipt }) => settled.delivered(receipt)),
    );
  }
}

async function expectComplete(path: string, keys: readonly string[]): Promise<void> {
  const journal = await openJournal(path, { encryptionKeys: keys });
  await expectContent(journal);
  // The unfinished job of the earlier process.
  await until(async () => (await journal.find('to-replay'))?.event.state === 'pending');
  journal.maintain(() => ({
    retention: { delivered: 9e12, ids: 9e12, dead: 9e12 },
    maxBytes: 1e12,
    minFree: 0,
  }));
  const sealed = new Promise<void>((resolve) => {
    journal.onMaintenance(({ kind }) => kind === 'sealed' && resolve());
  });
  await sealed;
  await append(journal, sampleEvent({ lane: 'old-anna', identity: sha256('newest') }));
  const order = await drain(journal);
  expect(order.filter((receipt) => receipt.startsWith('anna') || receipt === 'merged')).toEqual([
    'anna-1',
    'anna-2',
    'merged',
  ]);
  expect(order).toHaveLength(8);
  expect(order).toEqual(expect.arrayContaining(['free', 'waiting', 'replayed', 'to-replay']));
  expect(await journal.ledger()).toMatchObject({
    acme: { accepted: 11, pending: 0, delivered: 9, ignored: 1, dead: 1, malformed: 1 },
  });
  expect(await journal.backlog()).toMatchObject([{ destination: 'aep', pending: 0, replaying: 0 }]);
  expect(await claimReceipts(journal)).toEqual([]);
  await journal.close();
  expect(verifyStore(path, keys)).toEqual([]);
  expect(readKeyUsage(path, keys).map(({ key }) => key)).toEqual([keys.length > 0 ? 'first' : 'none']);
}

/** Opens the store in a process that kills itself when it reaches the failpoint. */
function crashAt(path: string, crash: string): NodeJS.Signals | null {
  const child = fileURLToPath(new URL('./appending-child.ts', import.meta.url));
  const preload = new URL('../helpers/crash-at-failpoint.mjs', import.meta.url).href;
  const env = { ...process.env, NODE_OPTIONS: `--import=${preload}`, CRASH_AT: crash };
  const { signal } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', child, path], {
    env,
    stdio: 'ignore',
    timeout: WAIT_LIMIT_MS,
  });
  return signal;
}

describe('a store of version 0.3.0', () => {
  it.each([
    ['without keys', clear, []],
    ['that begins to encrypt', clear, [KEY]],
    ['that is encrypted', encrypted, [KEY]],
  ] as const)('%s is migrated with everything in it', async (_what, seal, keys) => {
    const path = await journalFolder();
    writeOldStore(join(path, DATABASE_FILE), seal);
    await expectComplete(path, keys);
  });

  it.each(
    Array.from({ length: NEW_STEPS * 2 }, (_, hit) => `journal-migrating#${hit + 1}`).concat(
      // The syncs of both files of the intake log, and those of the first checkpoint.
      [1, 2, 3, 4].map((times) => `journal-synced#${times}`),
    ),
  )('is migrated by the next start if this one is killed: %s', async (crash) => {
    const path = await journalFolder();
    writeOldStore(join(path, DATABASE_FILE), clear);
    expect(crashAt(path, crash)).toBe('SIGKILL');
    const copy = await journalFolder();
    cpSync(path, copy, { recursive: true });
    await expectComplete(copy, []);
    // Killed again, before an event of the new version is stored.
    expect(crashAt(path, 'journal-committing#1#append')).toBe('SIGKILL');
    await expectComplete(path, []);
  });
});
