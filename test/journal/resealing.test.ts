import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { keepSealed } from '../../src/journal/resealing.ts';
import { migrate } from '../../src/journal/sqlite/migrate.ts';
import { SEALED } from '../../src/journal/sqlite/sealing.ts';
import { readSeals } from '../../src/journal/sqlite/seals.ts';
import { claimEvents, DAY, sampleEvent, sampleMalformed, sampleQuarantined } from '../contract/samples.ts';
import { ANN, hideInDeadLetter } from './hidden-word.ts';
import { journalFolder, openJournal } from './journal-folder.ts';
import { startResealing } from './process-child.ts';

const FIRST = '11'.repeat(32);
const SECOND = '22'.repeat(32);
const BOUNDS = { maxCount: 9, maxBytes: 100_000, maxAge: DAY };
const WORD = 'hidden-word';

/** Puts something into every place that is kept sealed but the filter of a replay, then closes the journal. */
const filled = async (path: string, keys: readonly string[], events = 3): Promise<void> => {
  const journal = await openJournal(path, { encryptionKeys: keys });
  const body = Buffer.from(JSON.stringify(WORD.repeat(300)));
  await hideInDeadLetter(journal, WORD, body);
  await Promise.all(Array.from({ length: events }, () => journal.append(sampleEvent({ body }))));
  // Larger than a page, so that its old content would stay on pages that are free.
  await journal.appendMalformed(sampleMalformed({ body: Buffer.from(WORD.repeat(3_000)) }));
  await journal.quarantine(sampleQuarantined({ body, rawHeaders: ['X-Key', WORD] }), BOUNDS);
  await journal.close();
};

/** Takes all the steps. */
const resealAll = async (
  journal: Journal,
): Promise<{ sealed: number; unreadable: number; steps: number }> => {
  let step = await journal.reseal();
  let sealed = step.sealed;
  let steps = 1;
  const shares = [step.share];
  while (step.next !== undefined) {
    step = await journal.reseal(step.next);
    sealed += step.sealed;
    shares.push(step.share);
    steps += 1;
  }
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(step.share).toBe(1);
  return { sealed, unreadable: step.unreadable, steps };
};

const filesHold = async (path: string, word: string): Promise<boolean> => {
  const contents = await Promise.all((await readdir(path)).map((name) => readFile(join(path, name))));
  return contents.some((content) => content.includes(word));
};

/** All that was filled in can be read. */
const expectReadable = async (journal: Journal, events = 3): Promise<void> => {
  const bodies = (await claimEvents(journal, { limit: events })).map(({ body }) => body.toString());
  expect(bodies).toHaveLength(events);
  expect(new Set(bodies)).toEqual(new Set([JSON.stringify(WORD.repeat(300))]));
  const [quarantined] = (await journal.listQuarantined({}, { limit: 9 })).items;
  expect(quarantined?.rawHeaders).toEqual(['X-Key', WORD]);
  expect((await journal.profiles('aep', [ANN])).get(ANN)).toBe(`{"${WORD}":2}`);
  const { items } = await journal.list({ states: ['dead'] }, { limit: 9 });
  const record = await journal.find(items[0]!.receipt);
  expect(record?.sent).toEqual([{ kind: 'event', json: `{"${WORD}":1}` }]);
  expect(record?.notes).toEqual([{ path: `data.${WORD}`, code: 'too-long' }]);
};

describe('what is sealed', () => {
  it('is every column of bytes but those that hold no payload', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db);
    const columns = db
      .prepare(
        `SELECT m.name || '.' || c.name AS name FROM sqlite_schema m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.type = 'BLOB' ORDER BY 1`,
      )
      .all()
      .map(({ name }) => String(name));
    const known = SEALED.flatMap(({ table, columns: names }) => names.map((name) => `${table}.${name}`));
    expect(columns).toEqual([...known, 'events.identity'].toSorted());
  });
});

describe('sealing anew', () => {
  it.each([
    ['clear', []],
    ['an older key', [FIRST]],
  ])('closes what was %s with the first key, after which nothing else is needed', async (_what, before) => {
    const path = await journalFolder();
    await filled(path, before);
    const journal = await openJournal(path, { encryptionKeys: [SECOND, ...before] });
    // Bodies of a dead, three pending and a malformed one, sent, profile, notes, headers and body in quarantine.
    expect(await resealAll(journal)).toMatchObject({ sealed: 10, unreadable: 0 });
    await journal.close();
    expect(await filesHold(path, WORD)).toBe(false);
    expect(readSeals(path, [SECOND]).map(({ key, payloads }) => [key, payloads])).toEqual([['first', 10]]);
    const log: object[] = [];
    const after = await openJournal(path, {
      encryptionKeys: [SECOND],
      log: { error: (fields) => log.push(fields) },
    });
    await expectReadable(after);
    expect(log).toEqual([]);
  });

  it('is not begun again once it is through, and is when the first key is another one', async () => {
    const path = await journalFolder();
    await filled(path, [FIRST]);
    const sealedIn = async (keys: readonly string[]) => {
      const journal = await openJournal(path, { encryptionKeys: keys });
      const { sealed, steps } = await resealAll(journal);
      await journal.close();
      return [sealed, steps > 1];
    };
    expect(await sealedIn([FIRST])).toEqual([0, true]);
    expect(await sealedIn([FIRST])).toEqual([0, false]);
    expect(await sealedIn([SECOND, FIRST])).toEqual([10, true]);
    expect(await sealedIn([SECOND, FIRST])).toEqual([0, false]);
    expect(await sealedIn([FIRST, SECOND])).toEqual([10, true]);
    // Without keys in between something can have been written clear.
    await filled(path, [], 0);
    expect(await sealedIn([FIRST])).toEqual([7, true]);
  });

  it('goes on after a crash in the middle, however often', async () => {
    const path = await journalFolder();
    const events = 2_000;
    await filled(path, [FIRST], events);
    let killed = 0;
    for (const steps of [1, 2, 3]) {
      const child = startResealing(path, [SECOND, FIRST]);
      // One that was quick may be through already.
      await Promise.race([child.printed(steps), child.ended()]);
      child.process.kill('SIGKILL');
      if ((await child.ended()).code === 'SIGKILL') killed += 1;
    }
    expect(killed).toBeGreaterThan(0);
    const seals = readSeals(path, [SECOND, FIRST]).map(({ key }) => key);
    expect(seals).toEqual(expect.arrayContaining(['first']));
    const journal = await openJournal(path, { encryptionKeys: [SECOND, FIRST] });
    await resealAll(journal);
    await journal.close();
    await expectReadable(await openJournal(path, { encryptionKeys: [SECOND] }), events);
  });

  it('lets the intake through meanwhile, in small steps', async () => {
    const path = await journalFolder();
    await filled(path, [FIRST], 2_000);
    const journal = await openJournal(path, { encryptionKeys: [SECOND, FIRST] });
    const through = new AbortController();
    const resealing = resealAll(journal).finally(() => through.abort());
    let appended = 0;
    while (!through.signal.aborted) {
      await journal.append(sampleEvent());
      appended += 1;
    }
    const { sealed, steps } = await resealing;
    expect(sealed).toBe(2_007);
    expect(steps).toBeGreaterThan(6);
    // An append goes with the step that is next, so at most one step is between two of them.
    expect(appended).toBeGreaterThanOrEqual(steps - 1);
    await journal.close();
    expect(readSeals(path, [SECOND])).toMatchObject([{ key: 'first' }]);
  });

  it('leaves what no key opens, says how much, and looks again at the next start', async () => {
    const path = await journalFolder();
    await filled(path, [FIRST]);
    const without = await openJournal(path, { encryptionKeys: [SECOND] });
    expect(await resealAll(without)).toMatchObject({ sealed: 0, unreadable: 10 });
    await without.close();
    expect(readSeals(path, [SECOND]).map(({ key, payloads }) => [key, payloads])).toEqual([['unknown', 10]]);
    const again = await openJournal(path, { encryptionKeys: [SECOND, FIRST] });
    expect(await resealAll(again)).toMatchObject({ sealed: 10, unreadable: 0 });
    await expectReadable(again);
  });

  it('does nothing without keys', async () => {
    const path = await journalFolder();
    await filled(path, []);
    const journal = await openJournal(path);
    expect(await journal.reseal()).toEqual({ sealed: 0, unreadable: 0, share: 1 });
  });
});

describe('keepSealed', () => {
  it('takes all the steps, tells how far it is, and ends by itself', async () => {
    const path = await journalFolder();
    await filled(path, []);
    const journal = await openJournal(path, { encryptionKeys: [FIRST] });
    const shares: number[] = [];
    const ends: object[] = [];
    const errors: unknown[] = [];
    const keep = () =>
      keepSealed({
        journal,
        signal: new AbortController().signal,
        progress: (share) => void shares.push(share),
        ended: (counts) => void ends.push(counts),
        failed: (error) => void errors.push(error),
      });
    await keep();
    expect(ends).toEqual([{ sealed: 10, unreadable: 0 }]);
    expect(shares.length).toBeGreaterThan(2);
    expect(shares[0]).toBeLessThan(1);
    expect(shares.at(-1)).toBe(1);
    await keep();
    expect(ends).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});
