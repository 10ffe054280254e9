import { describe, expect, it } from 'vitest';
import type { Claim, Claimant, ClaimLimits, Settlement } from '../../src/journal/journal.ts';
import { append, appendAll, claimLimits, sampleAttempt, sampleEvent, settled, sha256 } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');

/** Two claimants of one destination. */
const ONE: Claimant = { id: 'process one', destination: 'aep' };
const TWO: Claimant = { id: 'process two', destination: 'aep' };

/** Everything that a settlement can change. */
export function farReaching(receipt: string): Settlement {
  return {
    ...settled.dead(receipt),
    delivered: ['event', 'profile'],
    attempts: [sampleAttempt()],
    profiles: [{ lane: ANN, state: '{"changed":true}' }],
    erase: [BOB],
    eraseOwn: true,
    alias: { from: ANN, to: BOB, profile: null },
  };
}

export function describeLeases(make: MakeStore): void {
  describe('claims of several claimants', () => {
    const test = journalInTest(make);
    const claimAs = (claimant: Claimant, limits: Partial<ClaimLimits> = {}): Promise<Claim> =>
      test.journal.claim(claimant, claimLimits(limits));
    const receiptsOf = ({ events }: Claim) => events.map(({ receipt }) => receipt);

    it('have a token for each claimant, the same for all its claims, and never share an event', async () => {
      const receipts = await appendAll(
        test.journal,
        Array.from({ length: 40 }, () => sampleEvent()),
      );
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, n) => claimAs(n % 2 === 0 ? ONE : TWO, { events: 4 })),
      );
      expect(claims.flatMap(receiptsOf).toSorted()).toEqual(receipts.toSorted());
      const tokens = [0, 1].map((n) => new Set(claims.filter((_, at) => at % 2 === n).map((of) => of.token)));
      expect(tokens.map((own) => own.size)).toEqual([1, 1]);
      expect(tokens[0]).not.toEqual(tokens[1]);
    });

    it('keep a lane busy for every claimant', async () => {
      const [first, second] = await appendAll(
        test.journal,
        [1, 2].map(() => sampleEvent({ lane: ANN })),
      );
      const { token } = await claimAs(ONE);
      expect(receiptsOf(await claimAs(TWO))).toEqual([]);
      await test.journal.settle(token, [settled.delivered(first!)]);
      expect(receiptsOf(await claimAs(TWO))).toEqual([second]);
      expect(receiptsOf(await claimAs(ONE))).toEqual([]);
    });

    it('are not ended by the token of another claimant: neither settled nor released', async () => {
      const [receipt, next] = await appendAll(
        test.journal,
        [1, 2].map(() => sampleEvent({ lane: ANN })),
      );
      const own = await claimAs(ONE);
      const foreign = await claimAs(TWO);
      const before = await test.journal.find(receipt!);
      const ledger = await test.journal.ledger();

      const answer = await test.journal.settle(foreign.token, [farReaching(receipt!)]);
      await test.journal.release(foreign.token, [receipt!]);

      expect(answer).toEqual({ stale: [receipt] });
      // That the message was delivered is true whoever says it; the profile may have changed since.
      expect(await test.journal.find(receipt!)).toEqual({
        ...before,
        event: { ...before?.event, delivered: ['event'] },
      });
      expect(await test.journal.ledger()).toEqual(ledger);
      expect(await test.journal.profiles('aep', [ANN, BOB])).toEqual(new Map());
      expect(receiptsOf(await claimAs(TWO))).toEqual([]);

      expect(await test.journal.settle(own.token, [settled.delivered(receipt!)])).toEqual({ stale: [] });
      expect((await test.journal.find(receipt!))?.event).toMatchObject({ state: 'delivered', lane: ANN });
      expect(receiptsOf(await claimAs(TWO))).toEqual([next]);
    });

    it('are unknown to a token that nobody has', async () => {
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      const { token } = await claimAs(ONE);
      expect(await test.journal.settle('never given', [settled.dead(receipt)])).toEqual({ stale: [receipt] });
      await test.journal.release('never given', [receipt]);
      expect(receiptsOf(await claimAs(ONE))).toEqual([]);
      await test.journal.release(token, [receipt]);
      expect(receiptsOf(await claimAs(TWO))).toEqual([receipt]);
    });

    it('end with the process: the settlement of an earlier one is stale', async () => {
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      const { token } = await claimAs(ONE);
      const journal = await test.reopen();
      const now = await journal.claim({ ...TWO, id: 'process three' }, claimLimits());
      expect(receiptsOf(now)).toEqual([receipt]);
      expect(await journal.settle(token, [settled.dead(receipt)])).toEqual({ stale: [receipt] });
      expect(await journal.settle(now.token, [settled.delivered(receipt)])).toEqual({ stale: [] });
      expect((await journal.find(receipt))?.event.state).toBe('delivered');
    });

    it('of a released event are over: a late settlement is stale, and the event is claimed as before', async () => {
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      const { token } = await claimAs(ONE);
      await test.journal.release(token, [receipt]);
      expect(await test.journal.settle(token, [farReaching(receipt)])).toEqual({ stale: [receipt] });
      const again = await claimAs(TWO);
      expect(again.events).toMatchObject([{ receipt, delivered: ['event'], failedAttempts: 0, lane: ANN }]);
      expect((await test.journal.find(receipt))?.attempts).toEqual([]);
    });
  });

  describe('settle of several events', () => {
    const test = journalInTest(make);
    const claimAs = (claimant: Claimant, limits: Partial<ClaimLimits> = {}): Promise<Claim> =>
      test.journal.claim(claimant, claimLimits(limits));
    const stateOf = async (receipt: string | undefined) => (await test.journal.find(receipt!))?.event.state;

    it('applies the valid ones and names the stale ones, in order', async () => {
      const [valid, released, foreign, merged, last] = await appendAll(
        test.journal,
        [undefined, undefined, undefined, BOB, undefined].map((lane) => sampleEvent({ lane })),
      );
      const { token } = await claimAs(ONE, { events: 2 });
      await claimAs(TWO, { events: 1 });
      await claimAs(ONE);
      await test.journal.release(token, [released!]);
      const answer = await test.journal.settle(token, [
        settled.dead(valid!),
        settled.dead(released!),
        settled.dead('unknown'),
        settled.dead(foreign!),
        // Settled above, so it is pending no more: nothing is recorded, and that is not stale.
        settled.delivered(valid!),
        { ...settled.dead(merged!), alias: { from: ANN, to: BOB, profile: 'another' } },
        settled.ignored(last!),
      ]);
      expect(answer).toEqual({ stale: [released, foreign, merged] });
      expect(await Promise.all([valid, released, foreign, merged, last].map(stateOf))).toEqual([
        'dead',
        'pending',
        'pending',
        'pending',
        'ignored',
      ]);
      expect((await test.journal.find(valid!))?.event.delivered).toEqual([]);
      // The foreign one is still held; the other stale ones are claimable.
      const again = await claimAs(ONE);
      expect(again.events.map(({ receipt }) => receipt)).toEqual([released, merged]);
      expect(await test.journal.ledger()).toMatchObject({ acme: { pending: 3, dead: 1, ignored: 1 } });
    });

    it('is one step in the order of the array: a merge makes the rest of the array stale', async () => {
      const [bob, ann] = await appendAll(
        test.journal,
        [BOB, ANN].map((lane) => sampleEvent({ lane })),
      );
      const { token } = await claimAs(ONE);
      const answer = await test.journal.settle(token, [
        { ...settled.delivered(bob!), alias: { from: ANN, to: BOB, profile: null } },
        { ...settled.delivered(ann!), profiles: [{ lane: ANN, state: '{}' }] },
      ]);
      expect(answer).toEqual({ stale: [ann] });
      expect(await test.journal.profiles('aep', [ANN, BOB])).toEqual(new Map());
      expect((await claimAs(ONE)).events).toMatchObject([
        { receipt: ann, lane: BOB, ownLane: ANN, delivered: ['event'] },
      ]);
    });

    it('settles nothing and answers nothing for no settlements', async () => {
      const { token } = await claimAs(ONE);
      expect(await test.journal.settle(token, [])).toEqual({ stale: [] });
    });

    it('stores a request once, and each of its attempts at its event', async () => {
      const receipts = await appendAll(
        test.journal,
        Array.from({ length: 50 }, () => sampleEvent()),
      );
      const { token } = await claimAs(ONE);
      const { request } = sampleAttempt({}, { status: 207, batchSize: 50, durationMs: 31 });
      const settlements = receipts.map((receipt, n) => {
        const isRejected = n % 10 === 9;
        const attempt = isRejected
          ? { request, outcome: 'rejected', itemStatus: 400, detail: `item ${n}`, xactionId: `x:1:${n}` }
          : { request, outcome: 'delivered', xactionId: `x:1:${n}` };
        const settlement = isRejected ? settled.dead(receipt) : settled.delivered(receipt);
        return { ...settlement, attempts: [attempt] };
      });
      expect(await test.journal.settle(token, settlements)).toEqual({ stale: [] });
      const journal = await test.reopen();
      for (const [n, receipt] of receipts.entries()) {
        const record = await journal.find(receipt);
        const common = {
          at: request.at,
          kind: 'event',
          durationMs: 31,
          batchSize: 50,
          xactionId: `x:1:${n}`,
        };
        expect(record?.attempts).toEqual([
          n % 10 === 9
            ? { ...common, outcome: 'rejected', status: 400, detail: `item ${n}` }
            : { ...common, outcome: 'delivered', status: 207 },
        ]);
      }
    });

    it('makes the next event of each lane claimable, and says so', async () => {
      const lanes = Array.from({ length: 20 }, (_, n) => sha256(`lane ${n}`));
      const [first, second] = [0, 1].map(() => lanes.map((lane) => sampleEvent({ lane })));
      const heads = await appendAll(test.journal, first!);
      const next = await appendAll(test.journal, second!);
      const { token } = await claimAs(ONE);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      await test.journal.settle(token, heads.map(settled.delivered));
      expect(called).toEqual(['aep']);
      expect((await claimAs(TWO)).events.map(({ receipt }) => receipt)).toEqual(next);
    });
  });

  describe('a claimant that polls', () => {
    const test = journalInTest(make);
    const claimAs = (claimant: Claimant): Promise<Claim> => test.journal.claim(claimant, claimLimits());
    const one = async (claimant: Claimant) => (await claimAs(claimant)).events.map(({ receipt }) => receipt);

    it('gets without any wake-up all that it would be woken up for', async () => {
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      expect(await one(ONE)).toEqual([receipt]);
      const [behind] = await appendAll(test.journal, [sampleEvent({ lane: ANN })]);
      expect(await one(TWO)).toEqual([]);
      await test.journal.settle((await claimAs(ONE)).token, [settled.dead(receipt)]);
      expect(await one(TWO)).toEqual([behind]);
      await test.journal.replay({ filter: { receipts: [receipt] }, asNew: false, by: 'olga' });
      expect(await one(ONE)).toEqual([]);
      await test.journal.release((await claimAs(TWO)).token, [behind!]);
      expect(await one(ONE)).toEqual([behind]);
      await test.journal.settle((await claimAs(ONE)).token, [settled.delivered(behind!)]);
      expect(await one(TWO)).toEqual([receipt]);
      const [moved] = await appendAll(test.journal, [sampleEvent({ destination: 'old' })]);
      expect(await one(ONE)).toEqual([]);
      await test.journal.reroute('acme', 'aep', 'olga');
      expect(await one(ONE)).toEqual([moved]);
    });

    it('is told how long a wait is, which the time alone ends', async () => {
      const [receipt] = await appendAll(test.journal, [sampleEvent({ lane: ANN })]);
      const { token } = await claimAs(ONE);
      await test.journal.settle(token, [settled.waiting(receipt!, 5_000)]);
      expect(await claimAs(TWO)).toMatchObject({ events: [], dueIn: 5_000 });
      test.clock.set(test.clock.now() + 4_999);
      expect(await claimAs(TWO)).toMatchObject({ events: [], dueIn: 1 });
      test.clock.set(test.clock.now() + 1);
      expect(await one(TWO)).toEqual([receipt]);
    });
  });
}
