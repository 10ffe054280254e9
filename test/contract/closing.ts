import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { until } from '../helpers/until.ts';
import { append, appendAllSettled, sampleEvent, settled } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

export function describeClosing(make: MakeStore) {
  return describe('close', () => {
    const test = journalInTest(make);

    it('completes calls in progress', async () => {
      const { journal } = test;
      const appending = Array.from({ length: 2_500 }, () => append(journal, sampleEvent()));
      await journal.close();
      const receipts = (await Promise.all(appending)).map(({ receipt }) => receipt);
      expect(await (await test.reopen()).count({ receipts })).toBe(2_500);
    });

    it('stops a call of many steps after the current step; a replay completes after the next start', async () => {
      const { journal } = test;
      await appendAllSettled(
        journal,
        Array.from({ length: 600 }, () => sampleEvent()),
        settled.dead,
      );
      const replaying = journal.replay({ filter: {}, asNew: false, by: 'olga' });
      await Promise.all([journal.close(), expect(replaying).rejects.toThrow(StoreError)]);
      const again = await test.reopen();
      await until(async () => (await again.replays())[0]?.done);
      expect(await again.replays()).toMatchObject([{ replayed: 600 }]);
      expect(await again.ledger()).toMatchObject({ acme: { pending: 600, dead: 0 } });
    });

    it('stops a replay in the background after the current step; the next start completes it', async () => {
      const { journal } = test;
      await appendAllSettled(
        journal,
        Array.from({ length: 1_100 }, () => sampleEvent()),
        settled.delivered,
      );
      const { id, stopped } = await journal.startReplay({ filter: {}, asNew: true, by: 'olga' });
      await Promise.all([journal.close(), stopped]);
      const again = await test.reopen();
      await until(async () => (await again.replays())[0]?.done);
      expect(await again.replays()).toMatchObject([{ id, matched: 1_100, replayed: 1_100 }]);
      expect(await again.ledger()).toMatchObject({ acme: { pending: 1_100, delivered: 0 } });
    });

    it('is idempotent, refuses later calls, and is not a failure', async () => {
      const { journal } = test;
      await Promise.all([journal.close(), journal.close()]);
      await journal.close();
      await expect(append(journal, sampleEvent())).rejects.toThrow(StoreError);
      await expect(journal.count({})).rejects.toThrow(StoreError);
      const open = await Promise.race([journal.failed, Promise.resolve('open')]);
      expect(open).toBe('open');
    });
  });
}
