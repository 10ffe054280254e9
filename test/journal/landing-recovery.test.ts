import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { AnswerOf, OperationName, RequestOf } from '../../src/journal/sqlite/engine/calls.ts';
import { migrate } from '../../src/journal/sqlite/engine/database.ts';
import { LANDINGS } from '../../src/journal/sqlite/engine/landing-schema.ts';
import { MIGRATIONS } from '../../src/journal/sqlite/engine/migrations.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { acknowledged, deliver, sumsOf } from '../contract/landing-samples.ts';
import { claimantOf, claimLimits, sampleEvent, settleAs, sha256, T0 } from '../contract/samples.ts';
import { journalFolder } from './journal-folder.ts';

const SPAN = 10_000;
const DAY = 86_400_000;
const ALL = { from: 0, until: 2 * T0 };

function testClock(): Float64Array {
  return new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(T0);
}

async function open(path: string, clock: Float64Array): Promise<Journal> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [], clock });
  onTestFinished(() => journal.close());
  return journal;
}

/** A closed store with an event each: landed, unconfirmed, doubted, refused, and watched. */
async function filledStore() {
  const [path, clock] = [await journalFolder(), testClock()];
  const journal = await open(path, clock);
  const landed = await deliver(journal);
  const doubted = await deliver(journal);
  const refused = await deliver(journal);
  clock.fill(T0 + SPAN);
  await journal.confirm('aep', { from: T0, until: T0 + SPAN, since: T0 + 1 });
  const unconfirmed = await deliver(journal, sampleEvent(), (receipt) => ({
    ...acknowledged(receipt),
    state: 'delivered',
    watch: true,
  }));
  await journal.doubt('aep', [{ receipt: doubted, code: 'not-in-aep', detail: 'no' }]);
  await journal.refuse('aep', [
    { receipt: refused, kind: 'event', idSuffix: '', refusedAt: T0 + SPAN, detail: 'no' },
  ]);
  await journal.saveReconciliationNotes('scope', { key: '1' });
  await journal.close();
  return { path, clock, receipts: { landed, doubted, refused, unconfirmed } };
}

type Filled = Awaited<ReturnType<typeof filledStore>>;

async function expectFilled(path: string, { clock, receipts }: Filled): Promise<void> {
  const journal = await open(path, clock);
  expect(await sumsOf(journal)).toEqual([1, 1, 2]);
  expect(await journal.landing(receipts.landed)).toEqual({ state: 'landed', since: T0 + 1 });
  expect(await journal.landing(receipts.unconfirmed)).toEqual({ state: 'unconfirmed' });
  expect(await journal.landing(receipts.doubted)).toMatchObject({ code: 'not-in-aep' });
  expect(await journal.watched('aep', { until: 2 * T0, limit: 9 })).toEqual([receipts.unconfirmed]);
  expect(await journal.reconciliationNotes('scope')).toEqual(new Map([['key', '1']]));
  expect(await journal.deliverySpans('aep', ALL)).toMatchObject([{ at: T0 + SPAN, events: 1 }]);
  clock.fill(T0 + 2 * SPAN);
  expect(await journal.confirm('aep', { from: T0, until: T0 + 2 * SPAN, since: T0 })).toEqual({ landed: 1 });
  expect(await sumsOf(journal)).toEqual([2, 1, 1]);
  await journal.close();
}

describe('what a store knows of landings', () => {
  it('is in its backup', async () => {
    const filled = await filledStore();
    const journal = await open(filled.path, filled.clock);
    const to = await journalFolder();
    await journal.backup(join(to, DATABASE_FILE));
    await journal.close();
    expect(verifyStore(to)).toEqual([]);
    await expectFilled(to, filled);
  });

  it('is salvaged', async () => {
    const filled = await filledStore();
    const to = join(await journalFolder(), 'new');
    expect(salvageStore(filled.path, to)).toMatchObject({ findings: [], missing: [] });
    await expectFilled(to, filled);
  });

  it.each([
    ['UPDATE landings SET landed = 0', 'source acme: landed 0 (rows: 1), refused later 1 (rows: 1)'],
    ['UPDATE landings SET landed = 3', 'source acme: landed 3 (rows: 1), refused later 1 (rows: 1)'],
    ['DELETE FROM landings', 'source acme: landed 0 (rows: 1), refused later 0 (rows: 1)'],
    ['UPDATE spans SET events = 0', 'periods with fewer deliveries than there are: 1'],
    ['UPDATE spans SET doubted = 2', 'periods with fewer deliveries than there are: 1'],
    ['UPDATE doubts SET seq = 3', 'doubts about events that are not delivered: 1'],
  ])('is checked by verify, and corrected by salvage: %s', async (sql, detail) => {
    const { path } = await filledStore();
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec(sql);
    db.close();
    expect(verifyStore(path)).toContainEqual({ check: 'landings', detail });
    const to = join(await journalFolder(), 'new');
    expect(salvageStore(path, to)).toMatchObject({ findings: [] });
    expect(verifyStore(to)).toEqual([]);
  });

  it('is consistent after a kill at any time', async () => {
    const [path, clock] = [await journalFolder(), testClock()];
    const journal = await open(path, clock);
    const found: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const receipt = await deliver(journal);
      await deliver(journal);
      clock.fill(T0 + (n + 1) * SPAN);
      if (n % 2 === 0) await journal.confirm('aep', { from: T0, until: T0 + (n + 1) * SPAN, since: T0 });
      await journal.doubt('aep', [{ receipt, code: 'x', detail: '' }]);
      // An operator's call commits what was delivered before it.
      if (n === 3) await journal.pause('other', 'olga');
      const copy = await journalFolder();
      cpSync(path, copy, { recursive: true });
      const killed = await open(copy, clock);
      const { items } = await killed.list({ states: ['delivered'] }, { limit: 500 });
      const states = await Promise.all(items.map((event) => killed.landing(event.receipt)));
      const countOf = (state: string): number => states.filter((each) => each?.state === state).length;
      expect(await sumsOf(killed)).toEqual([countOf('landed'), 0, countOf('unconfirmed')]);
      found.push(countOf('landed'));
      await killed.close();
      expect(verifyStore(copy)).toEqual([]);
    }
    expect(Math.min(...found.slice(3))).toBeGreaterThan(0);
  });
});

describe('a store of the format before', () => {
  const OLD = MIGRATIONS.slice(0, MIGRATIONS.indexOf(LANDINGS));

  /**
   * With one delivered event, one that is pending, and a dead one that was refused at once.
   * @param accepted how many events the store has accepted
   */
  async function oldStore(accepted = 3): Promise<string> {
    const path = await journalFolder();
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
    migrate(db, OLD);
    const insert = db.prepare(
      `INSERT INTO events (receipt, source, destination, identity, received_at, verified_by, state, reason,
         settled_at, head, due_at, body_bytes) VALUES (?, 'acme', 'aep', ?, ${T0}, 'v', ?, ?, ?, ?, ${T0}, 2)`,
    );
    const identity = (text: string) => Buffer.from(sha256(text), 'hex');
    insert.run('delivered', identity('1'), 'delivered', null, T0 - 5, 0);
    insert.run('pending', identity('2'), 'pending', null, null, 1);
    insert.run('dead', identity('3'), 'dead', 'rejected', T0 - 5, 0);
    db.exec(`INSERT INTO bodies SELECT seq, x'007b7d' FROM events;
      INSERT INTO counts VALUES ('acme', ${accepted}, 1, ${accepted - 2}, 0, 1, 0, 0, 0);
      INSERT INTO backlog (destination, pending) VALUES ('aep', 1)`);
    db.close();
    return path;
  }

  it('counts what is delivered from then on; what was before is never confirmed', async () => {
    const [path, clock] = [await oldStore(), testClock()];
    let journal = await open(path, clock);
    expect(await sumsOf(journal)).toEqual([0, 0, 1]);
    expect(await journal.knownSince()).toBeUndefined();
    await settleAs(journal, acknowledged('pending'));
    clock.fill(T0 + SPAN);
    const range = { from: T0 - DAY + (T0 % SPAN), until: T0 + SPAN, since: T0 };
    expect(await journal.confirm('aep', range)).toEqual({ landed: 1 });
    await journal.close();
    journal = await open(path, clock);
    expect(await sumsOf(journal)).toEqual([1, 0, 1]);
    expect(await journal.landing('delivered')).toEqual({ state: 'unconfirmed' });
    expect(await journal.landing('pending')).toEqual({ state: 'landed', since: T0 });
    await journal.doubt('aep', [{ receipt: 'delivered', code: 'x', detail: '' }]);
    expect(await sumsOf(journal)).toEqual([1, 0, 1]);
    await journal.replay({ filter: {}, asNew: false, by: 'olga' });
    expect(await sumsOf(journal)).toEqual([0, 0, 0]);
    for (const receipt of ['delivered', 'pending', 'dead']) await settleAs(journal, acknowledged(receipt));
    clock.fill(T0 + 2 * SPAN);
    expect(await journal.confirm('aep', { ...range, until: T0 + 2 * SPAN })).toEqual({ landed: 3 });
    await journal.close();
    expect(verifyStore(path)).toEqual([]);
  });

  it('does not know which records it has removed until then', async () => {
    const journal = await open(await oldStore(4), testClock());
    expect(await journal.knownSince()).toBe(T0 + 1);
  });
});

function call<Name extends OperationName>(
  engine: Engine,
  name: Name,
  request: RequestOf<Name>,
): AnswerOf<Name> {
  const [outcome] = runBatch(engine, [{ name, request }]);
  if (outcome?.ok !== true) throw new Error(outcome?.message);
  return outcome.answer as AnswerOf<Name>;
}

describe('the engine', () => {
  async function engineWithClaim(): Promise<{ engine: Engine; clock: Float64Array; settle: () => void }> {
    const clock = testClock();
    const engine = openEngine({ path: await journalFolder(), keys: [], clock });
    onTestFinished(() => closeEngine(engine));
    const settle = (): void => {
      const [appended] = call(engine, 'append', packEvents([sampleEvent()]));
      call(engine, 'claim', { claimant: claimantOf(engine), limits: claimLimits() });
      const settlements = [acknowledged(appended!.receipt)];
      call(engine, 'settle', { token: claimantOf(engine).id, settlements });
    };
    return { engine, clock, settle };
  }

  const sumOf = (engine: Engine): [number, number] => {
    const spans = call(engine, 'deliverySpans', { destination: 'aep', range: ALL });
    return [
      call(engine, 'landings', undefined)['acme']?.landed ?? 0,
      spans.reduce((sum, { events }) => sum + events, 0),
    ];
  };

  it('forgets what SQLite has rolled back with a commit', async () => {
    const { engine, clock, settle } = await engineWithClaim();
    settle();
    engine.tables.commitDurably();
    clock.fill(T0 + SPAN);
    settle();
    call(engine, 'confirm', { destination: 'aep', range: { from: T0, until: T0 + SPAN, since: T0 } });
    expect(sumOf(engine)).toEqual([1, 1]);
    const { raw } = engine.db;
    const exec = raw.exec.bind(raw);
    raw.exec = (sql) => {
      if (sql !== 'COMMIT') return exec(sql);
      exec('ROLLBACK');
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
    };
    expect(() => engine.tables.commitDurably()).toThrow('full');
    raw.exec = exec;
    engine.needsRecovery = !engine.tables.isIntact();
    expect(sumOf(engine)).toEqual([0, 1]);
    expect(engine.landings.confirmed('aep')).toEqual([]);
  });

  it('undoes a batch that fails, in memory too', async () => {
    const { engine, clock, settle } = await engineWithClaim();
    settle();
    clock.fill(T0 + SPAN);
    const flush = engine.log.flush.bind(engine.log);
    engine.log.flush = () => {
      throw new Error('no space');
    };
    const range = { from: T0, until: T0 + SPAN, since: T0 };
    expect(() => call(engine, 'confirm', { destination: 'aep', range })).toThrow('no space');
    engine.log.flush = flush;
    expect(sumOf(engine)).toEqual([0, 1]);
    expect(engine.landings.confirmed('aep')).toEqual([]);
    expect(call(engine, 'confirm', { destination: 'aep', range })).toEqual({ landed: 1 });
    engine.tables.commitDurably();
    expect(engine.db.all('SELECT * FROM spans')).toEqual([]);
    expect(sumOf(engine)).toEqual([1, 0]);
  });

  it('writes what it could not write with the next commit, once', async () => {
    const { engine, settle } = await engineWithClaim();
    settle();
    engine.db.raw.exec(
      `CREATE TRIGGER broken BEFORE INSERT ON spans BEGIN SELECT RAISE(ABORT, 'broken'); END`,
    );
    expect(() => engine.tables.commitDurably()).toThrow('broken');
    engine.db.raw.exec('DROP TRIGGER broken');
    settle();
    engine.tables.commitDurably();
    engine.tables.checkpoint();
    settle();
    engine.tables.commitDurably();
    expect(engine.db.all('SELECT events, events_acknowledged AS acknowledged FROM spans')).toEqual([
      { events: 3, acknowledged: 3 },
    ]);
  });

  it('joins ranges that were confirmed months ago, and keeps the gaps between them', async () => {
    const { engine, clock, settle } = await engineWithClaim();
    settle();
    clock.fill(T0 + 100 * SPAN);
    for (const n of [0, 1, 2, 5, 6])
      call(engine, 'confirm', {
        destination: 'aep',
        range: { from: T0 + n * SPAN, until: T0 + (n + 1) * SPAN, since: T0 + n },
      });
    expect(engine.landings.confirmed('aep')).toHaveLength(5);
    clock.fill(T0 + 91 * DAY);
    settle();
    call(engine, 'retain', { delivered: DAY, ids: 400 * DAY, dead: DAY });
    expect(engine.landings.confirmed('aep')).toEqual([
      { from: T0, until: T0 + 3 * SPAN, since: T0 },
      { from: T0 + 5 * SPAN, until: T0 + 7 * SPAN, since: T0 + 5 },
    ]);
  });
});
