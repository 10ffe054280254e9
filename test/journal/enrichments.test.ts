import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openCopySource, openCopyTarget } from '../../src/journal/copy/copy-places.ts';
import { copyStore } from '../../src/journal/copy/store-copy.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { AnswerOf, OperationName, RequestOf } from '../../src/journal/sqlite/engine/calls.ts';
import { closeEngine, openEngine, recoverEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { enriched } from '../contract/entities.ts';
import {
  appendSettled,
  claimLimits,
  claimReceipts,
  DAY,
  sampleAttempt,
  sampleEvent,
  settled,
  sha256,
} from '../contract/samples.ts';
import { journalFolder, openChannel } from './journal-folder.ts';

const KEYS = ['11'.repeat(32)];
const ENTITIES = '{"customer":{"kind":"found"}}';
const BOTH = { customer: true, bill: true };
const ROUTES = [{ source: 'acme', destination: 'aep' }];
const NEVER = { delivered: 1_000 * DAY, ids: 1_000 * DAY, dead: 1_000 * DAY };

async function openJournal(
  path: string,
  encryptionKeys: readonly string[],
  lines: unknown[] = [],
): Promise<Journal> {
  const journal = await openSqliteJournal({
    path,
    encryptionKeys,
    log: { error: (fields, message) => lines.push({ ...fields, message }) },
  });
  onTestFinished(() => journal.close());
  return journal;
}

/** A settlement of a delivered event with what was fetched, and of which more is to be fetched. */
function thin(receipt: string) {
  return enriched(settled.delivered(receipt), { entities: ENTITIES, missing: { ...BOTH, dueIn: 0 } });
}

/** A closed store with an event that waits for a refresh, and one that is pending for it. */
async function storeOf(encryptionKeys: readonly string[]) {
  const path = await journalFolder();
  const journal = await openJournal(path, encryptionKeys);
  const waiting = await appendSettled(journal, sampleEvent({ lane: sha256('ann') }), thin);
  const running = await appendSettled(journal, sampleEvent({ lane: sha256('bob') }), thin);
  expect(await journal.refresh({ routes: ROUTES, running: 1 })).toEqual({ started: 1, dropped: 0 });
  const contents = {
    refreshes: await journal.refreshes(),
    stored: await contentsOf(journal, waiting, running),
  };
  await journal.close();
  return { path, waiting, running, contents };
}

async function contentsOf(journal: Journal, ...receipts: string[]) {
  return [...(await journal.enrichments(receipts))];
}

function flipLastBit(path: string): void {
  const db = new DatabaseSync(join(path, DATABASE_FILE));
  const stored = Buffer.from(
    db.prepare('SELECT json FROM entities WHERE seq = 1').get()!['json'] as Uint8Array,
  );
  stored[stored.length - 1] = stored.readUInt8(stored.length - 1) ^ 1;
  db.prepare('UPDATE entities SET json = ? WHERE seq = 1').run(stored);
  db.close();
}

describe.each([
  ['without keys', []],
  ['with keys', KEYS],
])('fetched entities that are damaged, %s', (_what, keys) => {
  it('are none, which is reported once, and cost nothing else', async () => {
    const { path, waiting, running } = await storeOf(keys);
    flipLastBit(path);
    expect(verifyStore(path, keys)).toEqual([
      { check: 'payloads', detail: `fetched data of event ${waiting} damaged` },
    ]);
    const lines: unknown[] = [];
    const journal = await openJournal(path, keys, lines);
    for (let times = 0; times < 2; times += 1)
      expect(await contentsOf(journal, waiting, running)).toEqual([
        [running, { entities: ENTITIES, refresh: { ...BOTH, attempts: 0 } }],
      ]);
    expect(lines).toEqual([
      {
        receipt: waiting,
        message: 'what was fetched for an event is damaged: it does not match its checksum',
      },
    ]);
    await journal.refresh({ routes: ROUTES, running: 2 });
    expect((await claimReceipts(journal)).toSorted()).toEqual([waiting, running].toSorted());
  });
});

describe('fetched entities whose key is missing', () => {
  it('are none, and are there again when the key is', async () => {
    const { path, waiting } = await storeOf(KEYS);
    const lines: unknown[] = [];
    const without = await openJournal(path, [], lines);
    expect(await contentsOf(without, waiting)).toEqual([]);
    expect(lines).toMatchObject([
      { receipt: waiting, message: expect.stringContaining('cannot be decrypted') },
    ]);
    await without.close();
    expect(await contentsOf(await openJournal(path, KEYS), waiting)).toEqual([
      [waiting, { entities: ENTITIES }],
    ]);
  });
});

describe('making room', () => {
  it('removes what was fetched with the body, and the refresh with the details', async () => {
    const channel = await openChannel(await journalFolder());
    await channel.call('append', packEvents([sampleEvent({ lane: 'c1' }), sampleEvent({ lane: 'c2' })]));
    const claimant = { id: 'one', destination: 'aep' };
    const { token, events } = await channel.call('claim', { claimant, limits: claimLimits() });
    const receipts = events.map(({ receipt }) => receipt);
    await channel.call('settle', { token, settlements: receipts.map(thin) });
    expect(await channel.call('makeRoom', { minIds: DAY })).toMatchObject({ bodies: 2 });
    expect((await channel.call('enrichments', receipts)).size).toBe(0);
    expect((await channel.call('refreshes', { after: 0 })).backlogs).toMatchObject([{ customers: 2 }]);
    expect(await channel.call('refresh', { routes: ROUTES, running: 0 })).toEqual({ started: 0, dropped: 0 });
    expect(await channel.call('makeRoom', { minIds: DAY })).toMatchObject({ bodies: 0, records: 2 });
    expect(await channel.call('refreshes', { after: 0 })).toEqual({ backlogs: [] });
    expect(await channel.call('retain', NEVER)).toMatchObject({ removed: 0 });
  });
});

describe('what the offline tools do with what was fetched and what waits', () => {
  it('salvage has it, without what is damaged or belongs to nothing', async () => {
    const { path, waiting, running, contents } = await storeOf(KEYS);
    const copy = join(await journalFolder(), 'whole');
    expect(salvageStore(path, copy, KEYS)).toMatchObject({ missing: [], findings: [] });
    const whole = await openJournal(copy, KEYS);
    expect(await whole.refreshes()).toEqual(contents.refreshes);
    expect(await contentsOf(whole, waiting, running)).toEqual(contents.stored);

    flipLastBit(path);
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('PRAGMA foreign_keys = OFF; UPDATE refreshes SET seq = 9 WHERE seq = 1');
    db.close();
    expect(verifyStore(path, KEYS)).toContainEqual({
      check: 'refreshes',
      detail: 'refreshes of events in another state: 1',
    });
    const to = join(await journalFolder(), 'rest');
    expect(salvageStore(path, to, KEYS)).toMatchObject({ findings: [] });
    const rest = await openJournal(to, KEYS);
    expect(await rest.refreshes()).toMatchObject([{ customers: 1, running: 1 }]);
    expect(await contentsOf(rest, waiting, running)).toEqual([
      [running, { entities: ENTITIES, refresh: { ...BOTH, attempts: 0 } }],
    ]);
  });

  it('a backup and a copy have it', async () => {
    const { path, waiting, running, contents } = await storeOf(KEYS);
    const folder = await journalFolder();
    const source = await openCopySource({ folder: path });
    const target = await openCopyTarget({ folder: join(folder, 'copy') }, pino({ level: 'silent' }));
    const { account } = await copyStore(source, target, () => undefined);
    expect(account.rows).toMatchObject({ entities: 2, refreshes: 2 });
    await target.close();
    await source.close();
    expect(verifyStore(join(folder, 'copy'), KEYS)).toEqual([]);
    const journal = await openJournal(join(folder, 'copy'), KEYS);
    expect(await journal.refreshes()).toEqual(contents.refreshes);
    expect(await contentsOf(journal, waiting, running)).toEqual(contents.stored);
    await journal.backup(join(folder, DATABASE_FILE));
    expect(await (await openJournal(folder, KEYS)).refreshes()).toEqual(contents.refreshes);
  });
});

/** An engine without a thread, and its calls. */
async function openCalls() {
  const engine = openEngine({ path: await journalFolder(), keys: [] });
  onTestFinished(() => closeEngine(engine));
  const call = <Name extends OperationName>(name: Name, request: RequestOf<Name>): AnswerOf<Name> => {
    const [outcome] = runBatch(engine, [{ name, request }]);
    if (outcome?.ok !== true) throw new Error(outcome?.message);
    return outcome.answer as AnswerOf<Name>;
  };
  return { engine, call };
}

/** The texts of all statements that run from now on. */
function statementsOf({ db }: Engine): string[] {
  const texts: string[] = [];
  for (const method of ['one', 'values', 'all', 'run', 'sql'] as const) {
    const run = db[method].bind(db) as (text: string, ...rest: never[]) => never;
    vi.spyOn(db, method).mockImplementation((text: string, ...rest: unknown[]) => {
      texts.push(text);
      return run(text, ...(rest as never[]));
    });
  }
  return texts;
}

describe('a store without enrichment', () => {
  it('runs no statement for it when events are accepted, claimed, settled and merged', async () => {
    const { engine, call } = await openCalls();
    const texts = statementsOf(engine);
    const claimant = { id: 'one', destination: 'aep' };
    const settleAll = (settle: typeof settled.delivered): void => {
      const { token, events } = call('claim', { claimant, limits: claimLimits() });
      call('settle', { token, settlements: events.map(({ receipt }) => settle(receipt)) });
    };
    call('append', packEvents(['c1', 'c2', undefined].map((lane) => sampleEvent({ lane }))));
    settleAll((receipt) => settled.waiting(receipt, 0));
    settleAll((receipt) => ({
      ...settled.delivered(receipt),
      attempts: [sampleAttempt()],
      profiles: [{ lane: 'c1', state: '{}' }],
      alias: { from: 'c2', to: 'c1', profile: null },
    }));
    call('replay', { filter: {}, asNew: false, by: 'olga' });
    settleAll(settled.dead);
    call('refresh', { routes: ROUTES, running: 9 });
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => /refreshes|entities/u.test(text))).toEqual([]);
  });
});

describe('an engine that has lost the outcomes of the last seconds', () => {
  it('has lost their refreshes too, and knows those that are stored', async () => {
    const { engine, call } = await openCalls();
    const claimant = { id: 'one', destination: 'aep' };
    const [first] = call('append', packEvents([sampleEvent({ lane: 'c1' })]));
    const settleIt = (): void => {
      const { token } = call('claim', { claimant, limits: claimLimits() });
      call('settle', { token, settlements: [thin(first!.receipt)] });
    };
    settleIt();
    recoverEngine(engine);
    expect(engine.refreshes.isAny).toBe(false);
    expect(call('refreshes', { after: 0 })).toEqual({ backlogs: [] });
    settleIt();
    engine.tables.commitDurably();
    recoverEngine(engine);
    expect(engine.refreshes.isAny).toBe(true);
    expect(call('refresh', { routes: ROUTES, running: 1 })).toEqual({ started: 1, dropped: 0 });
  });
});

describe('a long backlog of refreshes', () => {
  /** Refreshes without events, of two sources in turn. */
  async function openBacklog(count: number, dueAt: (seq: number) => number) {
    const calls = await openCalls();
    const { db, refreshes } = calls.engine;
    refreshes.isAny = true;
    db.raw.exec('PRAGMA foreign_keys = OFF');
    const insert = db.sql(
      `INSERT INTO refreshes (seq, source, destination, customer, bill, since, due_at)
       VALUES (?, ?, 'aep', 1, 0, ?, ?)`,
    );
    db.transaction(() => {
      for (let seq = 1; seq <= count; seq += 1)
        insert.run(seq, seq % 2 === 0 ? 'acme' : 'shop', 30_000 - seq, dueAt(seq));
    });
    return calls;
  }

  it('is counted in steps', async () => {
    const { call } = await openBacklog(5_001, () => 0);
    const first = call('refreshes', { after: 0 });
    expect(first.next).toBe(5_000);
    expect(first.backlogs).toMatchObject([
      { source: 'acme', customers: 2_500, oldestAt: 25_000 },
      { source: 'shop', customers: 2_500, oldestAt: 25_001 },
    ]);
    expect(call('refreshes', { after: 5_000 })).toEqual({
      backlogs: [
        { source: 'shop', destination: 'aep', customers: 1, bills: 0, running: 0, oldestAt: 24_999 },
      ],
    });
  });

  it('has those found that are due, however many newer ones are not', async () => {
    const { engine, call } = await openBacklog(20_100, (seq) => (seq <= 4 ? 0 : Number.MAX_SAFE_INTEGER));
    expect(call('refresh', { routes: ROUTES, running: 9 })).toEqual({ started: 0, dropped: 2 });
    const left = engine.db.all('SELECT seq FROM refreshes WHERE due_at = 0 ORDER BY seq');
    expect(left).toEqual([{ seq: 1 }, { seq: 3 }]);
  });
});
