import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import { acknowledged, deliver } from './landing-samples.ts';
import { retainAt } from './maintenance-round.ts';
import { append, DAY, sampleEvent, settleAs, settled, sha256, T0 } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

/** What reconciliation looks up and remembers. */
export function describeKnownEvents(make: MakeStore): void {
  describe('known events', () => {
    const test = journalInTest(make);

    it('are found by source and identity, whatever became of them', async () => {
      const [pending, dead] = [sampleEvent({ verifiedBy: 'reconcile' }), sampleEvent({ receivedAt: T0 + 7 })];
      const other = sampleEvent({ source: 'other' });
      const { receipt } = await append(test.journal, pending);
      const settledAs = await deliver(test.journal, dead, settled.dead);
      await append(test.journal, other);
      const identities = [pending.identity, dead.identity, other.identity, sha256('unknown')];
      const expected = new Map([
        [pending.identity, { receipt, verifiedBy: 'reconcile', receivedAt: T0 }],
        [dead.identity, { receipt: settledAs, verifiedBy: 'header:x-relay-key', receivedAt: T0 + 7 }],
      ]);
      expect(await test.journal.known('acme', identities)).toEqual(expected);
      await test.reopen();
      expect(await test.journal.known('acme', identities)).toEqual(expected);
      expect(await test.journal.known('acme', [])).toEqual(new Map());
    });

    it('are looked up at most 1,000 at a time, by valid identities', async () => {
      const many = Array.from({ length: 1_001 }, (_, n) => sha256(`${n}`));
      expect((await test.journal.known('acme', many.slice(1))).size).toBe(0);
      await expect(test.journal.known('acme', many)).rejects.toThrow(RefusedError);
      await expect(test.journal.known('acme', ['xyz'])).rejects.toThrow(RefusedError);
    });

    it('are all of them since the newest that retention has forgotten', async () => {
      expect(await test.journal.knownSince()).toBeUndefined();
      const old = sampleEvent({ receivedAt: T0 - 1_000 });
      await deliver(test.journal, old, settled.ignored);
      await append(test.journal, sampleEvent({ receivedAt: T0 }));
      await retainAt(test, { delivered: DAY, ids: 2 * DAY, dead: DAY }, T0 + 3 * DAY);
      expect(await test.journal.known('acme', [old.identity])).toEqual(new Map());
      expect(await test.journal.knownSince()).toBe(T0 - 999);
      await test.reopen();
      expect(await test.journal.knownSince()).toBe(T0 - 999);
    });
  });

  describe('sent events', () => {
    const test = journalInTest(make);
    const prefixOf = ({ identity }: { readonly identity: string }) => identity.slice(0, 40);

    it('are found by the beginning of their identity at their destination', async () => {
      const [delivered, pending] = [sampleEvent(), sampleEvent()];
      const elsewhere = sampleEvent({ destination: 'elsewhere' });
      const receipt = await deliver(test.journal, delivered);
      const { receipt: waiting } = await append(test.journal, pending);
      await append(test.journal, elsewhere);
      const prefixes = [delivered, pending, elsewhere].map(prefixOf);
      expect(await test.journal.sentEvents('aep', prefixes)).toEqual(
        new Map([
          [prefixOf(delivered), { receipt, state: 'delivered', idSuffix: '', settledAt: T0 }],
          [prefixOf(pending), { receipt: waiting, state: 'pending', idSuffix: '' }],
        ]),
      );
      await test.journal.replay({ filter: { receipts: [receipt] }, asNew: true, by: 'olga' });
      await settleAs(test.journal, acknowledged(receipt));
      expect(await test.journal.sentEvents('aep', prefixes.slice(0, 1))).toEqual(
        new Map([[prefixOf(delivered), { receipt, state: 'delivered', idSuffix: '-r1', settledAt: T0 }]]),
      );
    });

    it('are the delivered ones if several sources have the identity', async () => {
      const identity = sha256('twice');
      const receipt = await deliver(test.journal, sampleEvent({ identity }));
      await append(test.journal, sampleEvent({ identity, source: 'other' }));
      expect(await test.journal.sentEvents('aep', [prefixOf({ identity })])).toEqual(
        new Map([[prefixOf({ identity }), { receipt, state: 'delivered', idSuffix: '', settledAt: T0 }]]),
      );
    });

    it('are looked up at most 1,000 at a time, by 40 hex digits', async () => {
      const many = Array.from({ length: 1_001 }, (_, n) => sha256(`${n}`).slice(0, 40));
      await expect(test.journal.sentEvents('aep', many)).rejects.toThrow(RefusedError);
      await expect(test.journal.sentEvents('aep', [sha256('x')])).rejects.toThrow(RefusedError);
    });
  });

  describe('a filter by the time of the settlement', () => {
    const test = journalInTest(make);

    it('selects for lists, counts, replays and discards', async () => {
      const first = await deliver(test.journal);
      test.clock.set(T0 + 10);
      const second = await deliver(test.journal);
      const dead = await deliver(test.journal, sampleEvent(), settled.dead);
      test.clock.set(T0 + 20);
      await deliver(test.journal, sampleEvent(), settled.dead);
      await append(test.journal, sampleEvent());
      const filter = { settledSince: T0 + 10, settledUntil: T0 + 20 };
      const { items } = await test.journal.list(filter, { limit: 10 });
      expect(items.map(({ receipt }) => receipt)).toEqual([dead, second]);
      expect(await test.journal.count({ settledUntil: T0 + 10 })).toBe(1);
      expect(await test.journal.count({ settledSince: T0 + 10 })).toBe(3);
      expect(await test.journal.discard(filter, 'olga')).toEqual({ discarded: 1 });
      const states = ['delivered'] as const;
      await test.journal.replay({ filter: { ...filter, states }, asNew: false, by: 'olga' });
      expect((await test.journal.find(second))?.event.state).toBe('pending');
      expect((await test.journal.find(first))?.event.state).toBe('delivered');
      expect(await test.journal.replays()).toMatchObject([
        { filter: { ...filter, states }, narrowedBy: [], matched: 1, replayed: 1 },
      ]);
    });
  });

  describe('a refresh that is asked for', () => {
    const test = journalInTest(make);
    const routes = [{ source: 'acme', destination: 'aep' }];
    const ask = (...customers: string[]) => test.journal.askRefresh('acme', customers);

    it('concerns the newest delivered event of a customer, and is due at once', async () => {
      const of = (customerId: string) => sampleEvent({ customerId, lane: `lane of ${customerId}` });
      const older = await deliver(test.journal, of('anna'));
      const newest = await deliver(test.journal, of('anna'));
      await deliver(test.journal, of('anna'), settled.dead);
      await deliver(test.journal, of('dead'), settled.dead);
      await deliver(test.journal, { ...of('ben'), source: 'other' });
      await deliver(test.journal, of('carl'));
      expect(await ask('anna', 'dead', 'ben', 'anna', 'unknown')).toEqual({ asked: 1 });
      expect((await test.journal.find(newest))?.refresh).toEqual({
        customer: true,
        bill: false,
        dueAt: T0,
        attempts: 0,
        isRunning: false,
      });
      expect((await test.journal.find(older))?.refresh).toBeUndefined();
      expect(await test.journal.refresh({ routes, running: 10 })).toEqual({ started: 1, dropped: 0 });
      expect((await test.journal.find(newest))?.event).toMatchObject({ state: 'pending', isReplay: true });
    });

    it('takes over what the customer waits for already, and keeps a bill', async () => {
      const event = (): ReturnType<typeof sampleEvent> => sampleEvent({ customerId: 'anna', lane: 'anna' });
      const missing = (customer: boolean) => (receipt: string) =>
        ({
          ...acknowledged(receipt),
          enrichment: { missing: { customer, bill: !customer, dueIn: 60_000 } },
        }) as ReturnType<typeof acknowledged>;
      const first = await deliver(test.journal, event(), missing(true));
      test.clock.set(T0 + 5);
      const second = await deliver(test.journal, event(), missing(false));
      test.clock.set(T0 + 9);
      expect(await ask('anna')).toEqual({ asked: 1 });
      expect((await test.journal.find(first))?.refresh).toBeUndefined();
      expect((await test.journal.find(second))?.refresh).toMatchObject({
        customer: true,
        bill: true,
        dueAt: T0 + 9,
      });
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, bills: 1, oldestAt: T0 }]);
    });

    it('is not possible without a body', async () => {
      await deliver(test.journal, sampleEvent({ customerId: 'anna' }));
      await retainAt(test, { delivered: DAY, ids: 9 * DAY, dead: DAY }, T0 + 2 * DAY);
      expect(await ask('anna')).toEqual({ asked: 0 });
      expect(await test.journal.refreshes()).toEqual([]);
    });
  });

  describe('notes of reconciliation', () => {
    const test = journalInTest(make);
    const notes = (scope = 'a') => test.journal.reconciliationNotes(scope);
    const save = (changes: Readonly<Record<string, string | null>>, scope = 'a') =>
      test.journal.saveReconciliationNotes(scope, changes);

    it('are kept by scope and key, and survive a restart', async () => {
      expect(await notes()).toEqual(new Map());
      await save({ one: '{"n":1}', two: '2' });
      await save({ one: '1' }, 'b');
      await save({ one: '{"n":3}', two: null, three: '"3"', four: null });
      const expected = new Map([
        ['one', '{"n":3}'],
        ['three', '"3"'],
      ]);
      expect(await notes()).toEqual(expected);
      await test.reopen();
      expect(await notes()).toEqual(expected);
      expect(await notes('b')).toEqual(new Map([['one', '1']]));
    });
  });
}
