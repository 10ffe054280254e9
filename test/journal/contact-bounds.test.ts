import { expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { sha256 } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** Counts customers 1 to `customers` for a contact. @returns the last answer */
async function countCustomers(journal: Journal, key: number, customers: number) {
  const answers = [];
  for (let customer = 1; customer <= customers; customer += 1)
    answers.push(
      await journal.countContacts({
        destination: 'aep',
        source: 'acme',
        customers: [
          {
            lane: sha256(`${customer}`),
            contacts: [{ key, kind: 'email', masked: 'a***@example.org' }],
          },
        ],
        limit: 2,
      }),
    );
  return answers.at(-1);
}

it('counts no contact beyond the bound, until shared ones have made room', async () => {
  const path = await journalFolder();
  const journal = await openJournal(path, { contactBounds: { counted: 4, shared: 9 } });
  await countCustomers(journal, 1, 2);
  await countCustomers(journal, 2, 1);
  expect(await countCustomers(journal, 3, 2)).toEqual({ shared: [], newlyShared: [], uncounted: 1 });
  expect(await countCustomers(journal, 1, 2)).toEqual({ shared: [], newlyShared: [], uncounted: 0 });
  expect(await countCustomers(journal, 1, 3)).toEqual({ shared: [1], newlyShared: [1], uncounted: 0 });
  expect(await countCustomers(journal, 3, 2)).toEqual({ shared: [], newlyShared: [], uncounted: 0 });
  await journal.close();
  expect(verifyStore(path)).toEqual([]);
});

it('answers a contact as shared that it cannot remember as shared', async () => {
  const journal = await openJournal(await journalFolder(), { contactBounds: { counted: 99, shared: 1 } });
  await countCustomers(journal, 1, 3);
  expect(await countCustomers(journal, 2, 3)).toEqual({ shared: [2], newlyShared: [], uncounted: 0 });
  expect((await journal.sharedContacts({ limit: 9 })).total).toBe(1);
});

it('survives a salvage', async () => {
  const path = await journalFolder();
  const journal = await openJournal(path);
  await countCustomers(journal, 1, 3);
  await countCustomers(journal, 2, 2);
  await journal.close();
  const folder = await journalFolder();
  expect(salvageStore(path, folder).findings).toEqual([]);
  const salvaged = await openJournal(folder);
  expect(await countCustomers(salvaged, 2, 3)).toMatchObject({ newlyShared: [2] });
  expect((await salvaged.sharedContacts({ limit: 9 })).contacts.map(({ key }) => key)).toEqual([2, 1]);
});
