import { describe, expect, it, onTestFinished } from 'vitest';
import { runBatch } from '../../src/journal/sqlite/batch.ts';
import { type Engine, openEngine } from '../../src/journal/sqlite/engine.ts';
import type { Call } from '../../src/journal/sqlite/protocol.ts';
import { claimRequest, sampleEvent, settled, T0 } from '../contract/samples.ts';
import { journalFolder } from './journal-folder.ts';

const openTestEngine = async (): Promise<Engine> => {
  const engine = openEngine({ path: await journalFolder(), keys: [] });
  onTestFinished(() => engine.db.close());
  return engine;
};

const append = (given = {}): Call => ({ name: 'append', request: sampleEvent(given) });
const succeeded = (engine: Engine, calls: readonly Call[]) => runBatch(engine, calls).map(({ ok }) => ok);
const rows = (engine: Engine) => engine.db.one('SELECT count(*) AS n FROM events');

describe('a batch', () => {
  it('leaves out a call that fails by its own fault, even half done, and keeps the others', async () => {
    const engine = await openTestEngine();
    // The body is written after the event, so this fails when half of it is done.
    const broken = append({ body: { byteLength: 1, length: Number.NaN } });
    expect(succeeded(engine, [append(), broken, append({ receivedAt: Number.NaN }), append()])).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(rows(engine)).toMatchObject({ n: 2 });
    expect(engine.db.one('SELECT accepted, pending FROM counts')).toMatchObject({ accepted: 2, pending: 2 });
  });

  it('counts what comes before in the same batch, once', async () => {
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

  it('counts nothing of a try that was not committed', async () => {
    const engine = await openTestEngine();
    runBatch(engine, [append(), append({ receivedAt: Number.NaN }), append()]);
    expect(engine.db.one('SELECT accepted, pending FROM counts')).toMatchObject({ accepted: 2, pending: 2 });
    expect(engine.db.one('SELECT pending FROM backlog')).toMatchObject({ pending: 2 });
  });

  it('fails as a whole when too many calls fail', async () => {
    const engine = await openTestEngine();
    const broken = Array.from({ length: 20 }, () => append({ receivedAt: Number.NaN }));
    expect(succeeded(engine, [append(), ...broken])).not.toContain(true);
    expect(succeeded(engine, [append()])).toEqual([true]);
  });

  it('forgets the claims of a try that was not committed', async () => {
    const engine = await openTestEngine();
    runBatch(engine, [append()]);
    engine.db.raw.exec(`
      CREATE TABLE parent (x PRIMARY KEY);
      CREATE TABLE child (x REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER broken AFTER INSERT ON pauses BEGIN INSERT INTO child VALUES (1); END`);
    const claim: Call = { name: 'claim', request: claimRequest() };
    const pause = { destination: 'aep', by: 'olga', at: T0 };
    const calls: Call[] = [claim, { name: 'setPause', request: { destination: 'aep', pause } }];

    // The pause makes the commit fail; the claim is then done again without it.
    const [claimed, paused] = runBatch(engine, calls);

    expect(paused).toMatchObject({ ok: false, refused: false });
    expect(claimed).toMatchObject({ ok: true, answer: { events: [{ state: 'pending' }] } });
    expect(runBatch(engine, [claim])).toEqual([{ ok: true, answer: { events: [] } }]);
  });

  it('tells which destinations have something to claim, of what was committed only', async () => {
    const engine = await openTestEngine();
    const broken = append({ destination: 'broken', receivedAt: Number.NaN });
    const [first] = runBatch(engine, [append(), broken]);
    expect([...engine.claimable]).toEqual(['aep']);
    const { receipt } = (first as { answer: { receipt: string } }).answer;
    runBatch(engine, [{ name: 'settle', request: settled.delivered(receipt) }]);
    expect([...engine.claimable]).toEqual([]);
  });
});
