import { describe, expect, it } from 'vitest';
import type { EventFilter } from '../../src/journal/journal.ts';
import { until } from '../helpers/until.ts';
import {
  append,
  appendAllSettled,
  appendSettled,
  sampleEvent,
  sampleMalformed,
  settleAs,
  settled,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const STEP_MS = 1_000;

/** Filters by the time of the settlement: lists, counts, replays and discards have them alike. */
export function describeSettlementTimes(make: MakeStore): void {
  describe('filters by the time of the settlement', () => {
    const test = journalInTest(make);

    /** One event settled at T0, T0 + 1 s, …, in this order. */
    async function settledInTurn(count: number, outcome = settled.delivered): Promise<string[]> {
      const receipts: string[] = [];
      for (let n = 0; n < count; n += 1) {
        test.clock.set(T0 + n * STEP_MS);
        receipts.push(await appendSettled(test.journal, sampleEvent(), outcome));
      }
      return receipts;
    }
    async function found(filter: EventFilter): Promise<string[]> {
      const { items } = await test.journal.list(filter, { limit: 100 });
      expect(await test.journal.count(filter)).toBe(items.length);
      return items.map(({ receipt }) => receipt).toReversed();
    }

    it('include the beginning and exclude the end', async () => {
      const receipts = await settledInTurn(4);
      const at = (n: number): number => T0 + n * STEP_MS;
      expect(await found({ settledSince: at(1) })).toEqual(receipts.slice(1));
      expect(await found({ settledUntil: at(2) })).toEqual(receipts.slice(0, 2));
      expect(await found({ settledSince: at(1), settledUntil: at(3) })).toEqual(receipts.slice(1, 3));
      expect(await found({ settledSince: at(2), settledUntil: at(2) })).toEqual([]);
      expect(await found({ receipts: receipts.slice(0, 2), settledSince: at(1) })).toEqual([receipts[1]]);
    });

    it('match no pending event, and apply together with the time of receipt', async () => {
      await append(test.journal, sampleEvent());
      const early = await appendSettled(
        test.journal,
        sampleEvent({ receivedAt: T0 - STEP_MS }),
        settled.delivered,
      );
      const late = await appendSettled(test.journal, sampleEvent({ receivedAt: T0 }), settled.delivered);
      expect(await found({ settledUntil: T0 + STEP_MS })).toEqual([early, late]);
      expect(await found({ settledSince: 0 })).toEqual([early, late]);
      expect(await found({ settledSince: T0, until: T0 })).toEqual([early]);
      expect(await found({ settledSince: T0, since: T0 })).toEqual([late]);
    });

    it('select what is replayed, and follow an event that is settled again', async () => {
      const receipts = await settledInTurn(3);
      test.clock.set(T0 + 10 * STEP_MS);
      const filter = { settledSince: T0 + STEP_MS, settledUntil: T0 + 2 * STEP_MS };
      const replay = () => test.journal.replay({ filter, asNew: false, by: 'olga' });
      expect(await replay()).toEqual({ replayed: 1 });
      expect(await found({ states: ['pending'] })).toEqual([receipts[1]]);
      expect(await test.journal.replays()).toMatchObject([{ filter, narrowedBy: [], matched: 1 }]);
      await settleAs(test.journal, settled.delivered(receipts[1]!));
      expect(await replay()).toEqual({ replayed: 0 });
      expect(await found({ settledSince: T0 + 10 * STEP_MS })).toEqual([receipts[1]]);
    });

    it('apply in every step of a replay of many, and after a restart', async () => {
      const early = await settledInTurn(1);
      test.clock.set(T0 + STEP_MS);
      const events = Array.from({ length: 600 }, () => sampleEvent());
      await appendAllSettled(test.journal, events, settled.delivered);
      const filter = { settledSince: T0 + STEP_MS };
      await test.journal.startReplay({ filter, asNew: true, by: 'olga' });
      const journal = await test.reopen();
      await until(async () => (await journal.replays())[0]?.done);
      expect(await journal.count({ states: ['pending'] })).toBe(600);
      expect(await found({ states: ['delivered'] })).toEqual(early);
    });

    it('select what is discarded', async () => {
      const receipts = await settledInTurn(3, settled.dead);
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      test.clock.set(T0 + 10 * STEP_MS);
      expect(await test.journal.discard({ settledUntil: T0 + STEP_MS }, 'olga')).toEqual({ discarded: 1 });
      expect(await found({ states: ['dead', 'malformed'] })).toEqual([...receipts.slice(1), receipt]);
    });
  });
}
