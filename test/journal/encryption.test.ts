import { describe, expect, it } from 'vitest';
import { type Journal, StoreError } from '../../src/journal/journal.ts';
import {
  append,
  claim,
  claimEvents,
  claimReceipts,
  DAY,
  sampleEvent,
  sampleMalformed,
  sampleQuarantined,
} from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';
import { ANN, appendMarkedDeadLetter, filesContain } from './payload-marker.ts';

const FIRST = '11'.repeat(32);
const SECOND = Buffer.alloc(32, 2).toString('base64');
const BOUNDS = { maxCount: 9, maxBytes: 100_000, maxAge: DAY };

/** Puts a word into every place that is encrypted. */
async function fill(journal: Journal, word: string): Promise<void> {
  const body = Buffer.from(`{"word":"${word}"}`);
  await appendMarkedDeadLetter(journal, word, body);
  await append(journal, sampleEvent({ body }));
  await journal.appendMalformed(sampleMalformed({ body }));
  await journal.quarantine(sampleQuarantined({ body, rawHeaders: ['Authorization', word] }), BOUNDS);
}

describe('encryption at rest', () => {
  it('leaves no payload readable in the files', async () => {
    const encrypted = await journalFolder();
    await fill(await openJournal(encrypted, { encryptionKeys: [FIRST] }), 'hidden-word');
    expect(await filesContain(encrypted, 'hidden-word')).toBe(false);
    const plain = await journalFolder();
    await fill(await openJournal(plain), 'hidden-word');
    expect(await filesContain(plain, 'hidden-word')).toBe(true);
  });

  it('decrypts what was written without keys and with the previous key', async () => {
    const path = await journalFolder();
    for (const encryptionKeys of [[], [FIRST], [SECOND, FIRST]]) {
      const journal = await openJournal(path, { encryptionKeys });
      await fill(journal, `of ${encryptionKeys.length} keys`);
      await journal.close();
    }
    const log: object[] = [];
    const journal = await openJournal(path, {
      encryptionKeys: [SECOND, FIRST],
      log: { error: (fields) => log.push(fields) },
    });
    const words = (await claimEvents(journal)).map((event) => event.body.toString());
    expect(words).toEqual([0, 1, 2].map((n) => `{"word":"of ${n} keys"}`));
    expect((await journal.listQuarantined({}, { limit: 9 })).items).toHaveLength(3);
    expect(log).toEqual([]);
  });

  it('excludes events whose key is missing, logs this once, and returns the others', async () => {
    const path = await journalFolder();
    const before = await openJournal(path, { encryptionKeys: [FIRST] });
    await fill(before, 'lost');
    const { receipt: behind } = await append(before, sampleEvent({ lane: ANN }));
    await before.close();

    const log: unknown[] = [];
    const journal = await openJournal(path, {
      log: { error: (fields, message) => log.push([fields, message]) },
    });
    const { receipt } = await append(journal, sampleEvent());
    expect(await claimReceipts(journal)).toEqual([receipt]);
    expect(await claim(journal)).toMatchObject({ events: [] });
    expect(log).toHaveLength(2);
    expect(log[1]).toEqual([{ receipt: behind }, expect.stringContaining('cannot be decrypted')]);

    const record = await journal.find(behind);
    expect(record?.event.state).toBe('pending');
    expect(record?.body).toBeUndefined();
    expect((await journal.listQuarantined({}, { limit: 9 })).items).toEqual([]);
    await expect(journal.profiles('aep', [ANN])).rejects.toThrow(StoreError);
  });

  it('returns them when the key is configured again', async () => {
    const path = await journalFolder();
    const before = await openJournal(path, { encryptionKeys: [FIRST] });
    const { receipt } = await append(before, sampleEvent());
    await before.close();
    const without = await openJournal(path, { encryptionKeys: [SECOND] });
    expect(await claimReceipts(without)).toEqual([]);
    await without.close();
    const again = await openJournal(path, { encryptionKeys: [SECOND, FIRST] });
    expect(await claimReceipts(again)).toEqual([receipt]);
  });
});
