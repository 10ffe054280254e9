import { describe, expect, it } from 'vitest';
import type { Journal, SettledEnrichment, Settlement } from '../../src/journal/journal.ts';
import { retainAt } from './maintenance-round.ts';
import {
  append,
  appendSettled,
  claimReceipts,
  DAY,
  sampleEvent,
  settleAs,
  settled,
  settleHeld,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const ENTITIES = '{"customer":{"kind":"found","name":"Ann Ωmega"}}';
const POLICY = { delivered: 3 * DAY, ids: 8 * DAY, dead: 90 * DAY };

/** A settlement with what was fetched for its event. */
export function enriched(settlement: Settlement, enrichment: SettledEnrichment): Settlement {
  return { ...settlement, enrichment };
}

/** What was fetched for events, in the order of their receipts. */
async function entitiesOf(journal: Journal, ...receipts: string[]) {
  const found = await journal.enrichments(receipts);
  return receipts.map((receipt) => found.get(receipt)?.entities);
}

export function describeEntities(make: MakeStore): void {
  describe('what was fetched for an event', () => {
    const test = journalInTest(make);
    const withEntities =
      (settle: (receipt: string) => Settlement, entities = ENTITIES) =>
      (receipt: string): Settlement =>
        enriched(settle(receipt), { entities });

    it('is stored with any outcome, and read again after a restart', async () => {
      const delivered = await appendSettled(test.journal, sampleEvent(), withEntities(settled.delivered));
      const ignored = await appendSettled(test.journal, sampleEvent(), withEntities(settled.ignored, '{}'));
      const dead = await appendSettled(test.journal, sampleEvent(), withEntities(settled.dead));
      const without = await appendSettled(test.journal, sampleEvent(), settled.delivered);
      const receipts = [dead, without, ignored, 'unknown', delivered];
      const expected = new Map([
        [dead, { entities: ENTITIES }],
        [ignored, { entities: '{}' }],
        [delivered, { entities: ENTITIES }],
      ]);
      expect(await test.journal.enrichments(receipts)).toEqual(expected);
      expect(await (await test.reopen()).enrichments(receipts)).toEqual(expected);
      expect(await test.journal.enrichments([])).toEqual(new Map());
    });

    it('is there for the next attempt of an event that stays pending', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      await settleAs(test.journal, enriched(settled.waiting(receipt, 0), { entities: '{"first":1}' }));
      expect(await entitiesOf(test.journal, receipt)).toEqual(['{"first":1}']);
      await settleAs(test.journal, enriched(settled.waiting(receipt, 0), { entities: ENTITIES }));
      await settleAs(test.journal, settled.waiting(receipt, 0));
      expect(await entitiesOf(test.journal, receipt)).toEqual([ENTITIES]);
      await settleAs(test.journal, settled.delivered(receipt));
      expect(await entitiesOf(test.journal, receipt)).toEqual([ENTITIES]);
    });

    it('is as large as it is', async () => {
      const large = JSON.stringify({ lines: 'x'.repeat(1_000_000) });
      const receipt = await appendSettled(
        test.journal,
        sampleEvent(),
        withEntities(settled.delivered, large),
      );
      expect(await entitiesOf(test.journal, receipt)).toEqual([large]);
    });

    it('is not stored by a stale settlement', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      const settlement = enriched(settled.delivered(receipt), {
        entities: ENTITIES,
        missing: { customer: true, bill: true, dueIn: 0 },
      });
      expect(await settleHeld(test.journal, settlement)).toEqual({ stale: [receipt] });
      expect(await test.journal.enrichments([receipt])).toEqual(new Map());
      expect(await test.journal.refreshes()).toEqual([]);
    });

    it('is kept by a replay, and stale by one that fetches again until it is settled', async () => {
      const [kept, stale] = [
        await appendSettled(test.journal, sampleEvent(), withEntities(settled.delivered)),
        await appendSettled(test.journal, sampleEvent(), withEntities(settled.dead)),
      ];
      const replay = (receipt: string, refetch?: boolean) =>
        test.journal.replay({
          filter: { receipts: [receipt] },
          asNew: true,
          by: 'olga',
          ...(refetch === undefined ? {} : { refetch }),
        });
      const stored = async (receipt: string) =>
        (await (await test.reopen()).enrichments([receipt])).get(receipt);
      test.clock.set(T0 + 5_000);
      await replay(kept);
      expect(await replay(stale, true)).toEqual({ replayed: 1 });
      expect(await stored(kept)).toEqual({ entities: ENTITIES });
      expect(await stored(stale)).toEqual({ entities: ENTITIES, staleBefore: T0 + 5_000 });
      expect((await test.journal.find(stale))?.actions).toMatchObject([
        { action: 'replayed as new with refetch' },
      ]);

      expect(await claimReceipts(test.journal)).toEqual([kept, stale]);
      await settleHeld(test.journal, settled.delivered(kept));
      await settleHeld(test.journal, settled.delivered(stale));
      expect(await stored(stale)).toEqual({ entities: ENTITIES });
      await replay(stale, false);
      expect(await stored(stale)).toEqual({ entities: ENTITIES });
    });

    it('stays stale when the event is rerouted meanwhile, and is not when it is refreshed later', async () => {
      const missing = { customer: true, bill: false, dueIn: 0 };
      const receipt = await appendSettled(test.journal, sampleEvent({ lane: ANN }), (of) =>
        enriched(settled.delivered(of), { entities: ENTITIES }),
      );
      await test.journal.replay({ filter: {}, asNew: false, by: 'olga', refetch: true });
      await test.journal.reroute('acme', 'new', 'olga');
      const stored = async () => (await test.journal.enrichments([receipt])).get(receipt);
      expect(await stored()).toEqual({ entities: ENTITIES, staleBefore: T0 });
      await claimReceipts(test.journal, { destination: 'new' });
      await settleHeld(test.journal, enriched(settled.delivered(receipt), { missing }), 'new');
      await test.journal.refresh({ routes: [{ source: 'acme', destination: 'new' }], running: 1 });
      expect(await stored()).toMatchObject({ entities: ENTITIES, refresh: { customer: true } });
      expect(await stored()).not.toHaveProperty('staleBefore');
    });

    it('is removed with the body: by retention, by a discard, and with the customer', async () => {
      const aged = await appendSettled(test.journal, sampleEvent(), withEntities(settled.delivered));
      const dead = await appendSettled(test.journal, sampleEvent(), withEntities(settled.dead));
      await retainAt(test, POLICY, T0 + POLICY.delivered - 1);
      expect(await entitiesOf(test.journal, aged, dead)).toEqual([ENTITIES, ENTITIES]);
      await retainAt(test, POLICY, T0 + POLICY.delivered);
      expect((await test.journal.find(aged))?.body).toBeUndefined();
      expect(await entitiesOf(test.journal, aged, dead)).toEqual([undefined, ENTITIES]);
      await test.journal.discard({ receipts: [dead] }, 'olga');
      expect(await entitiesOf(test.journal, dead)).toEqual([undefined]);
    });

    it('is removed from a dead letter when its record is', async () => {
      const dead = await appendSettled(test.journal, sampleEvent(), withEntities(settled.dead));
      await retainAt(test, POLICY, T0 + POLICY.dead);
      expect(await test.journal.find(dead)).toBeUndefined();
      expect(await entitiesOf(test.journal, dead)).toEqual([undefined]);
    });

    it('is erased with a lane and its aliases, also what the erasing settlement has, and no other', async () => {
      const before = await appendSettled(
        test.journal,
        sampleEvent({ lane: ANN }),
        withEntities(settled.dead),
      );
      const bobs = await appendSettled(
        test.journal,
        sampleEvent({ lane: BOB }),
        withEntities(settled.delivered),
      );
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      const [pending, cat] = await test.journal.append([
        sampleEvent({ lane: ANN }),
        sampleEvent({ lane: sha256('cat') }),
      ]);
      await settleAs(test.journal, {
        ...withEntities(settled.delivered)(cat!.receipt),
        alias: { from: sha256('cat'), to: ANN, profile: null },
      });
      await settleAs(test.journal, { ...withEntities(settled.delivered)(receipt), erase: [ANN] });
      await settleAs(test.journal, withEntities((of) => settled.waiting(of, 0))(pending!.receipt));
      expect(await entitiesOf(test.journal, before, bobs, receipt, cat!.receipt, pending!.receipt)).toEqual([
        undefined,
        ENTITIES,
        undefined,
        undefined,
        ENTITIES,
      ]);
    });

    it('is erased with the event alone, unless that stays pending', async () => {
      const other = await appendSettled(
        test.journal,
        sampleEvent({ lane: ANN }),
        withEntities(settled.delivered),
      );
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      await settleAs(test.journal, {
        ...withEntities((of) => settled.waiting(of, 0))(receipt),
        eraseOwn: true,
      });
      expect(await entitiesOf(test.journal, receipt)).toEqual([ENTITIES]);
      await settleAs(test.journal, { ...withEntities(settled.delivered)(receipt), eraseOwn: true });
      expect(await entitiesOf(test.journal, receipt, other)).toEqual([undefined, ENTITIES]);
    });
  });
}
