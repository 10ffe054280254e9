import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { mergeDueParts } from '../../src/journal/sqlite/engine/indexes.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { claimLimits, settled } from '../contract/samples.ts';
import { eventOf, GENERATION, IndexRig } from './index-rig.ts';
import { journalFolder } from './journal-folder.ts';

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), at: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const), at: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failing batch' as const), at: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), at: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failing call' as const), at: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), at: fc.constant(0) }) },
);

function apply(rig: IndexRig, { do: what, at }: { readonly do: string; readonly at: number }): void {
  if (what === 'append') rig.append(at);
  if (what === 'settle') rig.settle(at);
  if (what === 'failing batch') rig.failWholeBatch(at);
  if (what === 'replay') rig.replay(at);
  if (what === 'failing call') rig.appendWithFailure();
  if (what === 'reopen') rig.reopen();
}

function countOf(engine: Engine, table: string): unknown {
  return engine.db.one(`SELECT count(*) AS n FROM ${table}`);
}

describe('the buffered indexes', () => {
  it('agree with the events through merges, generations, failed batches and restarts', async () => {
    expect.hasAssertions();
    const sequence = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(sequence, async (steps) => {
      const rig = new IndexRig(await journalFolder());
      for (const each of steps) apply(rig, each);
      rig.check();
      rig.reopen();
      rig.check();
      rig.close();
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('never write an event to the table of queues if it is delivered before its generation is merged', async () => {
    const engine = openEngine({ path: await journalFolder(), keys: [], generationSize: GENERATION });
    for (let number = 1; number <= 50; number += 1) {
      const [appended] = runBatch(engine, [{ name: 'append', request: packEvents([eventOf(number)]) }]);
      const [{ receipt }] = (appended as { answer: [{ receipt: string }] }).answer;
      const claimant = { id: 'the only one', destination: 'aep' };
      runBatch(engine, [{ name: 'claim', request: { claimant, limits: claimLimits() } }]);
      const request = { token: claimant.id, settlements: [settled.delivered(receipt)] };
      runBatch(engine, [{ name: 'settle', request }]);
      mergeDueParts(engine.indexes, engine.tables);
    }
    expect(countOf(engine, 'queues')).toEqual({ n: 0 });
    expect(engine.db.one(`SELECT seq FROM merged WHERE name = 'queues'`)).toMatchObject({
      seq: expect.any(Number),
    });
    closeEngine(engine);
  });

  it('do not read the file after a commit, where an error would contradict what is on disk', async () => {
    const engine = openEngine({ path: await journalFolder(), keys: [], generationSize: GENERATION });
    engine.db.raw.exec('DROP TABLE queues');
    for (let number = 1; number <= GENERATION + 2; number += 1) {
      const [appended] = runBatch(engine, [{ name: 'append', request: packEvents([eventOf(number)]) }]);
      expect(appended).toMatchObject({ ok: true, answer: [{ duplicate: false }] });
      mergeDueParts(engine.indexes, engine.tables);
    }
    expect(countOf(engine, 'events')).toEqual({ n: GENERATION + 2 });
    closeEngine(engine);
  });

  it('are rebuilt from the events if their tables are empty', async () => {
    const path = await journalFolder();
    const rig = new IndexRig(path);
    rig.append(100);
    closeEngine(rig.engine);
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('DELETE FROM identities; DELETE FROM queues; DELETE FROM merged');
    db.close();
    rig.open();
    expect(rig.engine.db.one('SELECT count(*) > 80 AS most FROM identities')).toEqual({ most: 1 });
    rig.check();
    rig.close();
  });
});

describe('store verify', () => {
  it('reports events that the indexes have lost', async () => {
    const path = await journalFolder();
    const rig = new IndexRig(path);
    for (let batch = 0; batch < 20; batch += 1) rig.append(5);
    rig.engine.db.raw.exec('DELETE FROM identities WHERE seq = 5; DELETE FROM queues WHERE seq = 6');
    rig.engine.db.raw.exec('INSERT INTO queues (key, seq) VALUES (1, 1000)');
    closeEngine(rig.engine);
    expect(verifyStore(path).map(({ detail }) => detail)).toEqual([
      'events missing from the identity index, so that a resend would be accepted again: 1',
      'pending events missing from the queue index, so that later events could overtake them: 1',
      'queue index entries without a pending event: 1',
    ]);
  });
});
