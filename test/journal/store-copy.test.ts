import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CopySource, CopyTarget } from '../../src/journal/copy/copied-rows.ts';
import { type CopyPlace, openCopySource, openCopyTarget } from '../../src/journal/copy/copy-places.ts';
import { copyStore } from '../../src/journal/copy/store-copy.ts';
import type { Enrichments, Journal, SettledEnrichment } from '../../src/journal/journal.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import {
  append,
  appendSettled,
  claim,
  claimReceipts,
  DAY,
  sampleAttempt,
  sampleEvent,
  sampleMalformed,
  sampleQuarantined,
  settleAs,
  settled,
  sha256,
  T0,
} from '../contract/samples.ts';
import { executeSql } from '../helpers/postgres-server.ts';
import { schemaOfTest } from './postgres-rig.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const log = pino({ level: 'silent' });

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-copy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const clock = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));

function setClock(now: number): void {
  clock.fill(now);
}

function openJournal(path: string): Promise<Journal & Enrichments> {
  setClock(T0 + DAY);
  return openSqliteJournal({ path, encryptionKeys: [KEY], clock });
}

const lane = (name: string): string => sha256(name);

/** A store with everything in it that a relay can store. */
async function fullStore(path: string): Promise<void> {
  const journal = await openJournal(path);
  await journal.savePrograms([{ orgId: 100_737, json: '{"name":"Gold"}', replaces: undefined }]);
  await appendSettled(
    journal,
    sampleEvent({ lane: lane('a'), customerId: '17', traceparent: 'tp' }),
    (receipt) => ({
      ...settled.delivered(receipt),
      attempts: [
        sampleAttempt({ outcome: 'delivered', xactionId: 'x-1:0' }, { status: 207 }),
        sampleAttempt(),
      ],
      profiles: [{ lane: lane('a'), state: '{"points":5}' }],
      notes: [{ path: 'data.x', code: 'unknown-field' }],
    }),
  );
  await appendSettled(journal, sampleEvent({ eventName: 'na\0me', eventId: 'id\0\uFDD0' }), settled.ignored);
  const dead = await appendSettled(journal, sampleEvent({ lane: lane('d') }), settled.dead);
  const replayed = await appendSettled(journal, sampleEvent({ lane: lane('a') }), settled.delivered);
  const first = sampleEvent({ lane: lane('w') });
  await append(journal, first);
  expect(await append(journal, first)).toMatchObject({ duplicate: true });
  await journal.recordDifferingCopy(
    (await journal.list({ states: ['pending'] }, { limit: 1 })).items[0]!.receipt,
  );
  await settleAs(journal, settled.waiting((await claimReceipts(journal))[0]!, 60_000));
  for (const name of ['a', 'b', 'a', 'b', 'c'])
    await append(journal, sampleEvent({ lane: lane(name), createdAt: T0 - 3 * DAY }));
  await append(journal, sampleEvent());
  await append(journal, sampleEvent({ source: 'shop', destination: 'other', lane: lane('z') }));
  // An older event joins a lane that has a head.
  await journal.reroute('shop', 'aep', 'alice');
  await journal.replay({ filter: { receipts: [replayed, dead] }, asNew: true, by: 'bob' });
  // A merge with an alias.
  const merge = await append(journal, sampleEvent({ lane: lane('m1') }));
  await append(journal, sampleEvent({ lane: lane('m1') }));
  await settleAs(journal, {
    ...settled.delivered(merge.receipt),
    alias: { from: lane('m1'), to: lane('b'), profile: null },
  });
  await journal.appendMalformed(sampleMalformed());
  await journal.quarantine(sampleQuarantined(), { maxCount: 10, maxBytes: 1e6, maxAge: DAY });
  await journal.countContacts({
    destination: 'aep',
    source: 'acme',
    limit: 1,
    customers: ['a', 'b'].map((name) => ({
      lane: lane(name),
      contacts: [
        { key: 77, kind: 'email', masked: 'a…@b.co' },
        { key: name.length + name.codePointAt(0)!, kind: 'phone', masked: '…' },
      ],
    })),
  });
  await appendSettled(journal, sampleEvent({ lane: lane('gone') }), settled.dead);
  const gone = await append(journal, sampleEvent({ lane: lane('gone') }));
  await settleAs(journal, { ...settled.delivered(gone.receipt), erase: [lane('gone')] });
  await enrich(journal);
  await reconcile(journal);
  await journal.pause('aep', 'carol');
  await journal.close();
}

/** Deliveries that have landed, are doubted, watched, refused, or not confirmed. */
async function reconcile(journal: Journal): Promise<void> {
  const deliver = (watch = false) =>
    appendSettled(journal, sampleEvent({ destination: 'lake' }), (receipt) => ({
      ...settled.delivered(receipt),
      watch,
      attempts: [
        sampleAttempt({ outcome: 'delivered' }, { status: 200 }),
        sampleAttempt({ outcome: 'destination' }, { kind: 'profile', status: undefined }),
      ],
    }));
  const [now, watched, doubted, refused] = [T0 + DAY, await deliver(true), await deliver(), await deliver()];
  const doubt = { receipt: doubted, code: 'not-in-aep', detail: 'gone\0' };
  expect(await journal.doubt('lake', [doubt])).toEqual({ doubted: 1 });
  // Of the events to aep, two doubts come before the confirmation, and the clock goes on after it.
  const { items } = await journal.list({ states: ['delivered'], destination: 'aep' }, { limit: 2 });
  await journal.doubt(
    'aep',
    items.map(({ receipt }) => ({ ...doubt, receipt })),
  );
  setClock(now + 20_000);
  expect((await journal.confirm('aep', { from: now - 10_000, until: now + 10_000, since: 5 })).landed).toBe(
    (await journal.count({ states: ['delivered'], destination: 'aep' })) - 2,
  );
  await journal.confirm('lake', { from: now - 30_000, until: now - 20_000, since: 6 });
  expect(
    await journal.refuse('lake', [
      { receipt: refused, kind: 'event', idSuffix: '', refusedAt: now, detail: 'no', json: '{}' },
    ]),
  ).toEqual({ refused: [refused] });
  expect(await journal.watched('lake', { until: now + 1, limit: 10 })).toEqual([watched]);
  await journal.saveReconciliationNotes('capillary:acme', { '2026-08-01': '{"sent":\t1}', state: '[]' });
}

/** What was fetched for events, what waits for a refresh, and what is pending because of one. */
async function enrich(journal: Journal & Enrichments): Promise<void> {
  const settle = (enrichment: SettledEnrichment) => (receipt: string) => ({
    ...settled.delivered(receipt),
    enrichment,
  });
  const missing = (customer: boolean, bill: boolean) => ({ missing: { customer, bill, dueIn: 0 } });
  const add = (name: string | undefined, enrichment: SettledEnrichment) =>
    appendSettled(
      journal,
      sampleEvent({ lane: name === undefined ? undefined : lane(name) }),
      settle(enrichment),
    );
  await add('e1', { entities: '{"customer":1}', ...missing(true, true) });
  await add('e1', { entities: '{"bill":2}', ...missing(false, true) });
  await add(undefined, missing(true, false));
  await add('e2', missing(true, true));
  const again = await add('e3', missing(true, true));
  const routes = [{ source: 'acme', destination: 'aep' }];
  expect(await journal.refresh({ routes, running: 1 })).toEqual({ started: 1, dropped: 0 });
  await settleAs(journal, settle(missing(true, true))(again));
  expect(await journal.refresh({ routes, running: 2 })).toEqual({ started: 2, dropped: 0 });
}

/** All rows, except for what differs between two copies of one store. */
function contentsOf(folder: string): Record<string, unknown[]> {
  const db = new DatabaseSync(join(folder, 'relay.db'), { readOnly: true });
  const all = (sql: string): unknown[] => db.prepare(sql).all();
  const withSeqOf = (table: string, columns: string): unknown[] =>
    all(
      `SELECT (SELECT receipt FROM events e WHERE e.seq = t.seq) AS receipt, ${columns} FROM ${table} t ORDER BY 1, 2, 3`,
    );
  const contents = {
    events: all(
      `SELECT receipt, source, destination, identity, lane, own_lane, customer_id, org_id, event_name, event_id,
         created_at, received_at, verified_by, state, reason, detail, settled_at, head, due_at, failures, charged,
         delivered, id_suffix, replays, body_bytes, kept, replay, sent_in, traceparent FROM events ORDER BY seq`,
    ),
    bodies: withSeqOf('bodies', 'body, 1'),
    notes: withSeqOf('notes', 'json, 1'),
    entities: withSeqOf('entities', 'json, 1'),
    refreshes: withSeqOf('refreshes', 'lane, customer, bill, since, due_at, attempts, running'),
    attempts: withSeqOf(
      'attempts',
      'n, at, kind, outcome, status, detail, xaction_id, duration_ms, batch_size',
    ),
    sent: withSeqOf('sent', 'kind, json'),
    actions: withSeqOf('actions', 'at, action, by'),
    differing: withSeqOf('differing_copies', 'copies, last_at'),
    doubts: withSeqOf('doubts', 'destination, code, detail, at'),
    watched: withSeqOf('watched', 'destination, settled_at'),
    spans: all(
      `SELECT * FROM spans WHERE events <> 0 OR doubted <> 0 OR events_acknowledged <> 0
         OR profiles_acknowledged <> 0 OR events_unanswered <> 0 OR profiles_unanswered <> 0 ORDER BY 1, 2, 3`,
    ),
    contacts: all(
      'SELECT destination, key, customer FROM contacts JOIN contact_scopes s ON s.id = scope ORDER BY 1, 2, 3',
    ),
    scopes: all('SELECT destination, counted, shared FROM contact_scopes ORDER BY 1'),
    jobs: all(
      'SELECT id, at, by, as_new, shown, filter, matched, replayed, finished_at FROM replay_jobs ORDER BY id',
    ),
    quarantine: all(
      'SELECT receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes FROM quarantine ORDER BY receipt',
    ),
  };
  const same = [
    'requests',
    'profiles',
    'aliases',
    'shared_contacts',
    'pauses',
    'programs',
    'counts',
    'backlog',
    'landings',
    'confirmed',
    'marks',
    'reconciliation_notes',
  ];
  for (const table of same) Object.assign(contents, { [table]: all(`SELECT * FROM ${table} ORDER BY 1, 2`) });
  db.close();
  return contents;
}

async function copy(from: CopyPlace, to: CopyPlace, change = (target: CopyTarget): CopyTarget => target) {
  const source: CopySource = await openCopySource(from);
  try {
    const target = change(await openCopyTarget(to, log));
    try {
      return await copyStore(source, target, () => undefined);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Fails at a step, before or after it is written. */
function failing(target: CopyTarget, at: number, isAfter: boolean): CopyTarget {
  let steps = 0;
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    steps += 1;
    if (steps === at && !isAfter) throw new Error('stopped');
    await work();
    if (steps === at) throw new Error('stopped');
  };
  return {
    ...target,
    writeEvents: (events, progress) => guarded(() => target.writeEvents(events, progress)),
    writeRows: (table, rows, progress) => guarded(() => target.writeRows(table, rows, progress)),
    writeCounts: (account, progress) => guarded(() => target.writeCounts(account, progress)),
    finish: () => guarded(() => target.finish()),
  };
}

/** Copies in as many starts as it takes, each of which is stopped at a later step. */
async function copyWithStops(from: CopyPlace, to: CopyPlace): Promise<number> {
  for (let stops = 0; stops < 100; stops += 1) {
    try {
      await copy(from, to, (target) => failing(target, 1 + (stops % 2), stops % 3 === 0));
      return stops;
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'stopped') throw error;
    }
  }
  throw new Error('it never ended');
}

async function claimOrder(folder: string): Promise<unknown> {
  const journal = await openJournal(folder);
  try {
    const order: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      const { token, events } = await claim(journal, { sources: ['acme', 'shop'] });
      order.push(...events.map(({ receipt, lane: own, profile }) => `${round} ${receipt} ${own} ${profile}`));
      await journal.settle(
        token,
        events.map(({ receipt }) => settled.delivered(receipt)),
      );
    }
    return { order, ledger: await journal.ledger(), backlog: await journal.backlog() };
  } finally {
    await journal.close();
  }
}

describe('a copy of a store', () => {
  it('into PostgreSQL and back has everything, although it is stopped at each step', async () => {
    const folder = temporaryFolder();
    const back = join(temporaryFolder(), 'back');
    await fullStore(folder);
    const { url, schema } = await schemaOfTest();
    const database = { url, schema, name: 'the database' };
    expect(await copyWithStops({ folder }, database)).toBeGreaterThan(8);
    // A repetition of what is complete.
    expect(await copy({ folder }, database)).toMatchObject({ continued: true });
    await executeSql(
      url,
      `INSERT INTO ${schema}.streams (replica, backend, backend_started) VALUES (gen_random_uuid(), 1, 'epoch')`,
    );
    await expect(copy({ folder }, database)).rejects.toThrow('has a store with contents');
    expect(await copyWithStops(database, { folder: back })).toBeGreaterThan(8);
    expect(contentsOf(back)).toEqual(contentsOf(folder));
    expect(verifyStore(back, [KEY])).toEqual([]);
    expect(await claimOrder(back)).toEqual(await claimOrder(folder));
    await expect(copy(database, { folder: back })).rejects.toThrow('there is a store in');
  });

  it('goes on if it was killed after its last change of the database, before the file was moved', async () => {
    const folder = temporaryFolder();
    const to = join(temporaryFolder(), 'copy');
    await fullStore(folder);
    const killed = (target: CopyTarget): CopyTarget => ({
      ...target,
      finish: async () => {
        await target.close();
        const db = new DatabaseSync(join(to, '.store-copy', 'relay.db'));
        db.exec('DROP TABLE copy_progress');
        db.close();
        throw new Error('stopped');
      },
    });
    await expect(copy({ folder }, { folder: to }, killed)).rejects.toThrow('stopped');
    expect(await copy({ folder }, { folder: to })).toMatchObject({ continued: true });
    expect(contentsOf(to)).toEqual(contentsOf(folder));
    expect(verifyStore(to, [KEY])).toEqual([]);
  });

  it('has the queue of PostgreSQL with its heads, and numbers above those that were copied', async () => {
    const folder = temporaryFolder();
    const journal = await openJournal(folder);
    const old = await append(journal, sampleEvent({ destination: 'other', lane: lane('p') }));
    const head = await append(journal, sampleEvent({ lane: lane('p') }));
    await claim(journal);
    await journal.reroute('acme', 'aep', 'alice');
    await journal.close();
    const { url, schema } = await schemaOfTest();
    await copy({ folder }, { url, schema, name: 'the database' });
    const queue = await executeSql(url, `SELECT receipt, is_pinned FROM ${schema}.queue ORDER BY seq`);
    expect(queue).toEqual([
      { receipt: old.receipt, is_pinned: false },
      { receipt: head.receipt, is_pinned: true },
    ]);
    const [next] = await executeSql(
      url,
      `SELECT nextval('${schema}.positions') > (SELECT max(seq) FROM ${schema}.events) AS above`,
    );
    expect(next).toEqual({ above: true });
  });

  it('is refused while a relay uses either store, and where a copy of another one is unfinished', async () => {
    const folder = temporaryFolder();
    const other = temporaryFolder();
    for (const path of [folder, other]) {
      const filled = await openJournal(path);
      await append(filled, sampleEvent());
      await filled.close();
    }
    const { url, schema } = await schemaOfTest();
    const database = { url, schema, name: 'the database' };
    const running = await openJournal(folder);
    await expect(copy({ folder }, database)).rejects.toThrow('a relay is running');
    await running.close();
    await expect(copy({ folder }, database, (target) => failing(target, 2, true))).rejects.toThrow('stopped');
    await expect(copy({ folder: other }, database)).rejects.toThrow('unfinished copy of another store');
    await expect(openCopySource(database)).rejects.toThrow('unfinished copy');
    await copy({ folder }, database);
    await executeSql(
      url,
      `INSERT INTO ${schema}.replicas (id, name, version, since, seen)
       VALUES (gen_random_uuid(), 'relay-7', '1', 0, clock_timestamp())`,
    );
    await expect(openCopySource(database)).rejects.toThrow('relay-7');
  });
});
