import { describe, expect, it } from 'vitest';
import { type Journal, StoreError } from '../../src/journal/journal.ts';
import {
  append,
  claim,
  claimReceipts,
  DAY,
  sampleEvent,
  sampleQuarantined,
  settleAll,
  settled,
} from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** Leaves a page or two after the last event, because settlements sometimes need one. */
const PAGES = 409;
const body = Buffer.alloc(20_000, 1);

/**
 * Appends until the store is full.
 * @returns the acknowledged receipts and the error
 */
async function fillUp(journal: Journal): Promise<{ receipts: string[]; error: unknown }> {
  const receipts: string[] = [];
  for (;;) {
    try {
      receipts.push((await append(journal, sampleEvent({ body }))).receipt);
    } catch (error) {
      return { receipts, error };
    }
  }
}

describe('a full disk', () => {
  it('refuses with a StoreError and keeps everything that was acknowledged', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path, { maxPages: PAGES });
    const { receipts, error } = await fillUp(journal);
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toMatch(/disk is full/u);
    expect(await journal.ledger()).toMatchObject({ acme: { accepted: receipts.length } });
    await journal.close();
    const again = await openJournal(path);
    expect(await again.count({ receipts })).toBe(receipts.length);
    expect(await again.count({})).toBe(receipts.length);
    await append(again, sampleEvent({ body }));
  });

  it('refuses calls that need space and executes the others', async () => {
    const journal = await openJournal(await journalFolder(), { maxPages: PAGES });
    const { receipts } = await fillUp(journal);
    const [first] = receipts;
    const { token } = await claim(journal, { events: 1 });
    const results = await Promise.allSettled([
      append(journal, sampleEvent({ body })),
      journal.settle(token, [settled.delivered(first!)]),
      journal.find(first!),
      journal.quarantine(sampleQuarantined({ body }), { maxCount: 1, maxBytes: 100_000, maxAge: DAY }),
      claimReceipts(journal, { events: 3 }),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect((await journal.find(first!))?.event.state).toBe('delivered');
    expect(results[4]).toEqual({ status: 'fulfilled', value: receipts.slice(1, 4) });
    // The claims were kept although their batch had to be repeated.
    expect(await claimReceipts(journal)).toEqual(receipts.slice(4));
  });

  it('can be delivered from until there is space again', async () => {
    const journal = await openJournal(await journalFolder(), { maxPages: PAGES });
    const { receipts } = await fillUp(journal);
    await settleAll(journal, receipts, settled.delivered);
    const retention = { delivered: 0, ids: DAY, dead: DAY };
    journal.maintain(() => ({ retention, maxBytes: 1e12, minFree: 0 }));
    await until(async () => (await journal.find(receipts.at(-1)!))?.body === undefined);
    const { receipt } = await append(journal, sampleEvent({ body }));
    expect(await claimReceipts(journal)).toEqual([receipt]);
    expect(await journal.ledger()).toMatchObject({
      acme: { accepted: receipts.length + 1, pending: 1, delivered: receipts.length },
    });
  });
});
