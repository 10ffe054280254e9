import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/journal/journal.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import type { Call } from '../../src/journal/sqlite/engine/calls.ts';
import { claimantOf, claimLimits, sampleEvent, settled } from '../contract/samples.ts';
import { openTestEngine } from './journal-folder.ts';

function append(given = {}): Call {
  return { name: 'append', request: packEvents([sampleEvent(given)]) };
}
function successes(engine: Engine, calls: readonly Call[]) {
  return runBatch(engine, calls).map(({ ok }) => ok);
}
function eventCount(engine: Engine) {
  return engine.db.one('SELECT count(*) AS n FROM events');
}

function countsOf(engine: Engine) {
  const [outcome] = runBatch(engine, [{ name: 'ledger', request: undefined }]);
  return (outcome as { answer: Ledger }).answer['acme'];
}

describe('a batch', () => {
  it('excludes a call that fails, even half executed, and keeps the others', async () => {
    const engine = await openTestEngine();
    // The release is written after the event, so this call fails half way.
    const broken = append({ released: { receipt: 'r', by: {} } });
    expect(successes(engine, [append(), broken, append({ receivedAt: Number.NaN }), append()])).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(eventCount(engine)).toMatchObject({ n: 2 });
    expect(countsOf(engine)).toMatchObject({ accepted: 2, pending: 2 });
  });

  it('counts earlier calls of the same batch exactly once', async () => {
    const engine = await openTestEngine();
    const ledger = (): Call => ({ name: 'ledger', request: undefined });
    const backlog: Call = { name: 'backlog', request: undefined };
    const outcomes = runBatch(engine, [append(), ledger(), append(), append(), ledger(), backlog]);
    const answers = outcomes.map((outcome) => (outcome.ok ? outcome.answer : outcome.message));
    expect(answers[1]).toMatchObject({ acme: { accepted: 1, pending: 1 } });
    expect(answers[4]).toMatchObject({ acme: { accepted: 3, pending: 3 } });
    expect(answers[5]).toMatchObject([{ destination: 'aep', pending: 3, replaying: 0 }]);
    expect(runBatch(engine, [ledger()])).toEqual([{ ok: true, answer: answers[4] }]);
  });

  it('does not count a transaction that was rolled back', async () => {
    const engine = await openTestEngine();
    runBatch(engine, [append(), append({ receivedAt: Number.NaN }), append()]);
    expect(countsOf(engine)).toMatchObject({ accepted: 2, pending: 2 });
    engine.tables.checkpoint();
    expect(engine.db.one('SELECT accepted, pending FROM counts')).toMatchObject({ accepted: 2, pending: 2 });
    expect(engine.db.one('SELECT pending FROM backlog')).toMatchObject({ pending: 2 });
  });

  it('fails as a whole when too many calls fail', async () => {
    const engine = await openTestEngine();
    const broken = Array.from({ length: 20 }, () => append({ receivedAt: Number.NaN }));
    expect(successes(engine, [append(), ...broken])).not.toContain(true);
    expect(successes(engine, [append()])).toEqual([true]);
  });

  it('forgets the claims of a transaction that was rolled back', async () => {
    const engine = await openTestEngine();
    runBatch(engine, [append()]);
    engine.db.raw.exec(
      `CREATE TRIGGER broken AFTER INSERT ON pauses BEGIN SELECT RAISE(ABORT, 'broken'); END`,
    );
    const claim: Call = {
      name: 'claim',
      request: { claimant: claimantOf(engine), limits: claimLimits() },
    };
    const calls: Call[] = [claim, { name: 'pause', request: { destination: 'aep', by: 'olga' } }];

    // The pause undoes the batch; the claim is then repeated without it.
    const [claimed, paused] = runBatch(engine, calls);

    expect(paused).toMatchObject({ ok: false, refused: false });
    expect(claimed).toMatchObject({ ok: true, answer: { events: [{ state: 'pending' }] } });
    expect(runBatch(engine, [claim])).toMatchObject([{ ok: true, answer: { events: [] } }]);
  });

  it('reports the destinations with claimable events, for committed calls only', async () => {
    const engine = await openTestEngine();
    const broken = append({ destination: 'broken', receivedAt: Number.NaN });
    const [first] = runBatch(engine, [append(), broken]);
    expect([...engine.claimable]).toEqual(['aep']);
    const [{ receipt }] = (first as { answer: [{ receipt: string }] }).answer;
    const claimant = claimantOf(engine);
    runBatch(engine, [{ name: 'claim', request: { claimant, limits: claimLimits() } }]);
    const request = { token: claimant.id, settlements: [settled.delivered(receipt)] };
    runBatch(engine, [{ name: 'settle', request }]);
    expect([...engine.claimable]).toEqual([]);
  });
});
