import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import type { NewEvent } from '../../src/journal/journal.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { AnswerOf, Call, OperationName, RequestOf } from '../../src/journal/sqlite/engine/calls.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import { INTAKE_LOG_FILES, openIntakeLog } from '../../src/journal/sqlite/engine/intake-log.ts';
import { fileHeader, FILE_HEADER_BYTES } from '../../src/journal/sqlite/engine/intake-records.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { ENCRYPTED_COLUMNS } from '../../src/journal/sqlite/engine/re-encryption.ts';
import { claimantOf, claimLimits, sampleEvent, settled } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openTestEngine } from './journal-folder.ts';

function call<Name extends OperationName>(
  engine: Engine,
  name: Name,
  request: RequestOf<Name>,
): AnswerOf<Name> {
  const [outcome] = runBatch(engine, [{ name, request }]);
  if (outcome?.ok !== true) throw new Error(outcome?.message);
  return outcome.answer as AnswerOf<Name>;
}

function append(engine: Engine, ...events: readonly Partial<NewEvent>[]): string[] {
  return call(engine, 'append', packEvents(events.map(sampleEvent))).map(({ receipt }) => receipt);
}

function claim(engine: Engine): string[] {
  const { events } = call(engine, 'claim', { claimant: claimantOf(engine), limits: claimLimits() });
  return events.map(({ receipt }) => receipt);
}

function settle(engine: Engine, receipt: string) {
  return call(engine, 'settle', {
    token: claimantOf(engine).id,
    settlements: [settled.delivered(receipt)],
  });
}

/** Commits as SQLite does on a full disk: it rolls the transaction back. */
function failToCommit(engine: Engine): void {
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
  expect(engine.needsRecovery).toBe(true);
}

const large = { body: Buffer.alloc(20_000, 1) };

describe('after a commit that failed', () => {
  it('everything accepted is there, and outcomes of that time are forgotten', async () => {
    const engine = await openTestEngine();
    const [first] = append(engine, {}, {});
    engine.tables.commitDurably();
    append(engine, {}, {}, {});
    claim(engine);
    settle(engine, first!);
    call(engine, 'appendMalformed', {
      source: 'acme',
      destination: 'aep',
      receivedAt: 1,
      verifiedBy: 'v',
      detail: 'no JSON',
      body: Buffer.from('{'),
    });
    failToCommit(engine);

    expect(call(engine, 'ledger', undefined)['acme']).toMatchObject({
      accepted: 5,
      pending: 5,
      delivered: 0,
      malformed: 1,
    });
    expect(call(engine, 'backlog', undefined)).toMatchObject([{ destination: 'aep', pending: 5 }]);
    engine.tables.checkpoint();
    expect(engine.db.one('SELECT accepted, pending, delivered FROM counts')).toEqual({
      accepted: 5,
      pending: 5,
      delivered: 0,
    });
  });

  it('a lane goes on with the event whose outcome was forgotten', async () => {
    const engine = await openTestEngine();
    const [first, second] = append(engine, { lane: 'anna' }, { lane: 'anna' });
    engine.tables.commitDurably();
    expect(claim(engine)).toEqual([first]);
    settle(engine, first!);
    expect(claim(engine)).toEqual([second]);
    failToCommit(engine);

    // The second one is still on its way.
    expect(claim(engine)).toEqual([]);
    expect(settle(engine, second!)).toEqual({ stale: [second] });
    for (const receipt of [first!, second!]) {
      expect(claim(engine)).toEqual([receipt]);
      expect(settle(engine, receipt)).toEqual({ stale: [] });
    }
  });

  it('the claims of other lanes are kept', async () => {
    const engine = await openTestEngine();
    const receipts = append(engine, { lane: 'anna' }, { lane: 'ben' }, {});
    engine.tables.commitDurably();
    expect(claim(engine)).toEqual(receipts);
    append(engine, {});
    failToCommit(engine);
    for (const receipt of receipts) expect(settle(engine, receipt)).toEqual({ stale: [] });
    expect(call(engine, 'ledger', undefined)['acme']).toMatchObject({ pending: 1, delivered: 3 });
  });

  it('recovery is repeated until there is space', async () => {
    const engine = await openTestEngine();
    append(engine, {});
    engine.tables.commitDurably();
    const receipts = append(engine, ...Array.from({ length: 20 }, () => large));
    failToCommit(engine);
    const { page_count: pages } = engine.db.one('PRAGMA page_count') as { page_count: number };
    engine.db.raw.exec(`PRAGMA max_page_count = ${pages}`);
    for (let n = 0; n < 2; n += 1) expect(() => append(engine, {})).toThrow('full');
    engine.db.raw.exec('PRAGMA max_page_count = 1000000');
    append(engine, {});
    expect(call(engine, 'ledger', undefined)['acme']).toMatchObject({ accepted: 22, pending: 22 });
    expect(claim(engine)).toEqual(expect.arrayContaining(receipts));
  });

  it('a checkpoint that was waiting for a sync does not take it for committed', async () => {
    const engine = await openTestEngine();
    let syncs = 0;
    const count = (): void => void (syncs += 1);
    subscribe('capillary-relay:journal-synced', count);
    onTestFinished(() => void unsubscribe('capillary-relay:journal-synced', count));
    append(engine, ...Array.from({ length: 700 }, () => large));
    const before = syncs;
    // Commits, and syncs the write-ahead log in the background.
    engine.tables.runIfDue();
    append(engine, {}, {});
    const fromAppend = syncs - before;
    failToCommit(engine);
    await until(() => syncs > before + fromAppend);
    expect(call(engine, 'ledger', undefined)['acme']).toMatchObject({ accepted: 702 });
  });

  it('payloads are brought into the current form from the beginning again', async () => {
    const engine = await openTestEngine();
    append(engine, {}, {});
    engine.db.run("UPDATE bodies SET body = x'007b7d'");
    engine.db.run('DELETE FROM sealed_with');
    engine.tables.commitDurably();
    const first = call(engine, 'reencrypt', { from: undefined });
    expect(first.reencrypted).toBe(2);
    failToCommit(engine);
    let reencrypted = 0;
    for (let from = first.next; from !== undefined; ) {
      const step = call(engine, 'reencrypt', { from });
      reencrypted += step.reencrypted;
      from = step.next;
    }
    expect(reencrypted).toBe(2);
    expect(engine.sealed.isComplete).toBe(true);
    failToCommit(engine);
    expect(claim(engine)).toHaveLength(2);
    expect(engine.sealed.isComplete).toBe(false);
  });
});

/** SQLite's answer when it meets a damaged page. */
function damage(): never {
  throw Object.assign(new Error('database disk image is malformed'), { errcode: 11 });
}

describe('a damaged page', () => {
  it('that interrupts a recovery loses nothing that is only in the intake log', async () => {
    const engine = await openTestEngine();
    append(engine, {});
    engine.tables.commitDurably();
    const receipts = append(engine, {}, {});
    failToCommit(engine);
    const begin = engine.tables.begin.bind(engine.tables);
    engine.tables.begin = () => {
      begin();
      damage();
    };
    expect(() => append(engine, {})).toThrow('malformed');
    expect(engine.needsRecovery).toBe(true);
    engine.tables.begin = begin;
    append(engine, {});
    engine.tables.checkpoint();
    expect(claim(engine)).toEqual(expect.arrayContaining(receipts));
    expect(engine.db.one('SELECT accepted, pending FROM counts')).toEqual({ accepted: 4, pending: 4 });
  });

  it('does not leave the store marked as encrypted throughout if that was undone', async () => {
    const engine = await openTestEngine();
    append(engine, {});
    engine.db.run("UPDATE bodies SET body = x'007b7d'");
    engine.db.run('DELETE FROM sealed_with');
    engine.sealed.isComplete = false;
    engine.tables.commitDurably();
    const flush = engine.log.flush.bind(engine.log);
    const calls: Call[] = [];
    for (let table = 0; table < ENCRYPTED_COLUMNS.length; table += 1) {
      const from = { table, after: 0, unreadable: 0, recoveries: engine.recoveries };
      calls.push({ name: 'reencrypt', request: { from } });
    }
    engine.log.flush = damage;
    expect(runBatch(engine, calls).some(({ ok }) => ok)).toBe(false);
    engine.log.flush = flush;
    expect(engine.sealed.isComplete).toBe(false);
    expect(claim(engine)).toHaveLength(1);
  });
});

it('the next event of a lane is not passed by when a postponed one in front of it is lost', async () => {
  const clock = new Float64Array([1_000]);
  const engine = openEngine({ path: await journalFolder(), keys: [], clock });
  onTestFinished(() => closeEngine(engine));
  const [first, second] = append(engine, { lane: 'anna' }, { lane: 'anna' });
  expect(claim(engine)).toEqual([first]);
  const { id: token } = claimantOf(engine);
  call(engine, 'settle', { token, settlements: [settled.waiting(first!, 500)] });
  clock[0] = 2_000;
  engine.db.run("UPDATE bodies SET body = x'03' WHERE seq = 1");
  expect(claim(engine)).toEqual([]);
  expect(call(engine, 'find', first!)?.event.state).toBe('dead');
  expect(claim(engine)).toEqual([second]);
});

it('counts that could not be written are written with the next commit', async () => {
  const engine = await openTestEngine();
  append(engine, {});
  engine.db.raw.exec(
    `CREATE TRIGGER broken BEFORE INSERT ON backlog BEGIN SELECT RAISE(ABORT, 'broken'); END`,
  );
  expect(() => engine.tables.commitDurably()).toThrow('broken');
  engine.db.raw.exec('DROP TRIGGER broken');
  engine.tables.commitDurably();
  expect(engine.db.one('SELECT pending FROM backlog')).toEqual({ pending: 1 });
});

describe('the intake log', () => {
  const SEED = 7;

  it.each([
    ['of another store', fileHeader(8)],
    ['that was not written before the machine stopped', Buffer.alloc(FILE_HEADER_BYTES)],
  ])('gives an empty file the right beginning, instead of one %s', async (_what, header) => {
    const folder = await journalFolder();
    writeFileSync(join(folder, 'intake-0.log'), header);
    const { log } = openIntakeLog(folder, { seed: SEED, position: 0 });
    log.close();
    expect(fileHeader(SEED).equals(readHeader(join(folder, 'intake-0.log')))).toBe(true);
  });

  it('is overwritten file by file where more is written all the time', async () => {
    const folder = await journalFolder();
    const { log } = openIntakeLog(folder, { seed: SEED, position: 0 });
    onTestFinished(() => log.close());
    const write = (text: string): void => {
      log.add({ kind: 'event', at: 1, head: Buffer.from('{}'), payload: Buffer.alloc(5_000_000, text) });
      log.flush();
    };
    const isIn = (text: string): boolean =>
      INTAKE_LOG_FILES.some((name) => readFileSync(join(folder, name)).includes(text));
    write('erased ');
    log.clearLater();
    write('newer ');
    log.release(1);
    expect(isIn('erased')).toBe(false);
    write('newest ');
    log.release(2);
    expect(isIn('newer ')).toBe(false);
    expect(log.read(2).records).toHaveLength(1);
  });
});

function readHeader(file: string): Buffer {
  return readFileSync(file).subarray(0, FILE_HEADER_BYTES);
}
