import { describe, expect, it } from 'vitest';
import type { RefusedRecord, Settlement } from '../../src/journal/journal.ts';
import { laneKeyOf, slotOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { cleanStreams } from '../../src/journal/postgres/maintenance/stream-cleaning.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { CommitUnknownError } from '../../src/journal/postgres/sessions/store-errors.ts';
import { settled, sha256, T0 } from '../contract/samples.ts';
import { delivery, type LandingReplica, landingsRig, SPAN } from './postgres-landings-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const FIRST_SPAN = { from: T0, until: T0 + SPAN, since: 7 };

function refused(receipt: string): RefusedRecord {
  return { receipt, kind: 'event', idSuffix: '', refusedAt: T0 + 100 * SPAN, detail: 'no' };
}

function watched(receipt: string): Settlement {
  return { ...settled.delivered(receipt), attempts: delivery(receipt).attempts, watch: true } as Settlement;
}

/** The names of the statements that are executed for settlements. */
function recording(names: string[]): (sessions: Sessions) => Sessions {
  return (sessions) => ({
    ...sessions,
    query: (purpose, statement, params) => {
      names.push(statement.name);
      return sessions.query(purpose, statement, params);
    },
    queryAs: (purpose, statement, params) => {
      names.push(statement.name);
      return sessions.queryAs(purpose, statement, params);
    },
    transaction: (purpose, work) => {
      names.push('transaction');
      return sessions.transaction(purpose, work);
    },
  });
}

describe('deliveries of several replicas', () => {
  it('count in the same span without waiting for each other', async () => {
    const { replicaOf, put, sql, spans, block, differences } = await landingsRig();
    const [one, two] = [await replicaOf(), await replicaOf()];
    const receipts = await put({ lane: ANN }, { lane: ANN }, { lane: BOB }, { lane: BOB });
    await sql(`UPDATE slots SET owner = '${two.engine.replica}' WHERE slot = ${slotOf(laneKeyOf(BOB, ''))}`);
    await one.settleOne(delivery(receipts[0]!));
    const others = await block('SELECT FROM spans FOR UPDATE');
    await two.settleOne(delivery(receipts[2]!));
    await others.end();
    await Promise.all([
      one.settleOne(delivery(receipts[1]!, ['event', 'profile'])),
      two.settleOne(delivery(receipts[3]!)),
    ]);
    expect(await spans()).toEqual([{ at: 0, events: 4, acknowledged: 4 }]);
    expect(await sql('SELECT count(DISTINCT stream)::int AS streams FROM spans')).not.toEqual([
      { streams: 1 },
    ]);
    expect(await differences()).toEqual([]);
  });

  it('cost no statement more than before', async () => {
    const { replicaOf, put } = await landingsRig();
    const names: string[] = [];
    const one = await replicaOf(recording(names));
    const receipts = await put({}, {}, {});
    await one.claim(...receipts);
    await one.settle('one', [delivery(receipts[0]!), watched(receipts[1]!)]);
    await one.settle('one', [settled.dead(receipts[2]!)]);
    expect(names).toEqual(['next_request_rows', 'settle', 'settle']);
  });

  it('count what a replica sent that has lost its slot, and its event where it is settled', async () => {
    const { replicaOf, put, spans, differences } = await landingsRig();
    const [one, two] = [await replicaOf(), await replicaOf()];
    const [early, late] = await put({ lane: ANN }, { lane: BOB });
    await one.claim(early!, late!);
    await two.takeSlots();
    expect(await one.settle('one', [delivery(early!)])).toEqual({ stale: [early] });
    expect(await spans()).toEqual([{ at: 0, events: 0, acknowledged: 1 }]);
    two.clock.now += SPAN;
    await two.settleOne(delivery(early!));
    await two.settleOne(delivery(late!));
    // The event is not pending any more: what was sent of it may be counted already.
    expect(await one.settle('one', [delivery(late!)])).toEqual({ stale: [] });
    expect(await spans()).toEqual([
      { at: 0, events: 0, acknowledged: 1 },
      { at: SPAN, events: 2, acknowledged: 2 },
    ]);
    expect(await differences()).toEqual([]);
  });

  it('count once if the connection is lost while committing', async () => {
    const { replicaOf, put, spans } = await landingsRig();
    let failures = 1;
    const one = await replicaOf((sessions) => ({
      ...sessions,
      queryAs: async (purpose, statement, params) => {
        const rows = await sessions.queryAs(purpose, statement, params);
        if (statement.name !== 'settle' || failures === 0) return rows as never;
        failures -= 1;
        throw new CommitUnknownError('lost while committing');
      },
    }));
    const [receipt] = await put({ lane: ANN });
    await one.claim(receipt!);
    await expect(one.settle('one', [delivery(receipt!)])).rejects.toThrow(CommitUnknownError);
    expect(await one.settle('one', [delivery(receipt!)])).toEqual({ stale: [] });
    expect(await spans()).toEqual([{ at: 0, events: 1, acknowledged: 1 }]);
  });

  it('are counted when their connections are closed', async () => {
    const { replicaOf, put, sql, landed, differences } = await landingsRig();
    const [one, two] = [await replicaOf(), await replicaOf()];
    const receipts = await put({}, {});
    await one.claim(...receipts);
    await one.settle(
      'one',
      receipts.map((receipt) => delivery(receipt)),
    );
    two.clock.now += SPAN;
    await one.landings.refuse('aep', [refused(receipts[1]!)]);
    await two.landings.confirm('aep', FIRST_SPAN);
    await sql(`UPDATE streams SET backend_started = 'epoch'`);
    await cleanStreams(two.engine.sessions);
    expect(await sql('SELECT stream, landed::int, refused_later::int FROM landings')).toEqual([
      { stream: 0, landed: 1, refused_later: 1 },
    ]);
    expect([await landed(), await differences()]).toEqual([1, []]);
  });
});

describe('a confirmation', () => {
  it('waits for a settlement of its range that is under way, and counts it', async () => {
    const { replicaOf, put, block, landed, spans, differences } = await landingsRig();
    const [one, two] = [await replicaOf(), await replicaOf()];
    const [receipt] = await put({ lane: ANN });
    await one.claim(receipt!);
    const others = await block(`SELECT FROM queue WHERE receipt = '${receipt}' FOR UPDATE`);
    const settling = one.settle('one', [delivery(receipt!)]);
    await others.waitedForBy(1);
    two.clock.now = T0 + 2 * SPAN;
    const confirming = two.landings.confirm('aep', FIRST_SPAN);
    await others.waitedForBy(2);
    await others.end();
    expect(await settling).toEqual({ stale: [] });
    expect(await confirming).toEqual({ landed: 1 });
    expect([await landed(), await spans(), await differences()]).toEqual([1, [], []]);
  });

  it.each(['simple', 'far-reaching'])(
    'comes before a settlement that waits for it, which then counts in a later span: a %s one',
    async (kind) => {
      const { replicaOf, put, event, block, landed, spans, differences } = await landingsRig();
      const [one, two] = [await replicaOf(), await replicaOf()];
      const [first, second] = await put({ lane: ANN }, { lane: ANN });
      await one.settleOne(delivery(first!));
      await one.claim(second!);
      const others = await block('SELECT FROM spans FOR UPDATE');
      two.clock.now = T0 + 2 * SPAN;
      const confirming = two.landings.confirm('aep', { ...FIRST_SPAN, until: T0 + 2 * SPAN });
      await others.waitedForBy(1);
      const settlement = watched(second!);
      const settling = one.settle('one', [
        kind === 'simple' ? settlement : { ...settlement, eraseOwn: true },
      ]);
      await others.waitedForBy(2);
      await others.end();
      expect([await confirming, await settling]).toEqual([{ landed: 1 }, { stale: [] }]);
      expect(await event(second!)).toMatchObject({ state: 'd', settled_at: String(T0 + 2 * SPAN) });
      expect(await one.landings.landing(second!)).toEqual({ state: 'unconfirmed' });
      expect(await one.landings.watched('aep', { until: T0 + 2 * SPAN + 1, limit: 9 })).toEqual([second]);
      expect(await spans()).toEqual([{ at: 2 * SPAN, events: 1, acknowledged: 1 }]);
      expect([await landed(), await differences()]).toEqual([1, []]);
      two.clock.now = T0 + 3 * SPAN;
      expect(await two.landings.confirm('aep', { ...FIRST_SPAN, until: T0 + 3 * SPAN })).toEqual({
        landed: 1,
      });
    },
  );

  it('and what a late stale settlement has sent: that counts in a later span too', async () => {
    const { replicaOf, put, spans } = await landingsRig();
    const [one, two] = [await replicaOf(), await replicaOf()];
    const [receipt] = await put({ lane: ANN });
    await one.claim(receipt!);
    await two.takeSlots();
    two.clock.now = T0 + 2 * SPAN;
    await two.landings.confirm('aep', FIRST_SPAN);
    expect(await one.settle('one', [delivery(receipt!)])).toEqual({ stale: [receipt] });
    expect(await spans()).toEqual([{ at: SPAN, events: 0, acknowledged: 1 }]);
  });

  it.each([
    ['a replay', (two: LandingReplica, receipt: string) => replayOf(two, receipt)],
    ['a refusal', (two: LandingReplica, receipt: string) => two.landings.refuse('aep', [refused(receipt)])],
    ['a doubt', (two: LandingReplica, receipt: string) => doubtOf(two, receipt)],
  ])('counts an event once, whether %s comes before it or after it', async (_name, change) => {
    for (const isBefore of [true, false]) {
      const { replicaOf, put, block, landed, differences } = await landingsRig();
      const [one, two] = [await replicaOf(), await replicaOf()];
      const [receipt] = await put({ lane: ANN });
      await one.settleOne(delivery(receipt!));
      one.clock.now = T0 + 2 * SPAN;
      // What comes first waits for this lock; what comes second waits for that.
      const text = isBefore
        ? `SELECT FROM events WHERE receipt = '${receipt}' FOR UPDATE`
        : 'SELECT FROM spans FOR UPDATE';
      const others = await block(text);
      const calls: Promise<unknown>[] = [];
      for (const call of isBefore ? [change, confirmIt] : [confirmIt, change]) {
        calls.push(call(calls.length === 0 ? two : one, receipt!));
        if (calls.length === 1) await others.waitedForBy(1);
      }
      await others.end();
      await Promise.all(calls);
      expect([await landed(), await differences()]).toEqual([0, []]);
    }
  });

  it('is tried again if a lock is not available in time, and changes nothing until then', async () => {
    const { replicaOf, put, block, landed } = await landingsRig();
    const one = await replicaOf();
    const [receipt] = await put({});
    await one.settleOne(delivery(receipt!));
    one.clock.now += SPAN;
    const others = await block('LOCK TABLE spans IN ROW EXCLUSIVE MODE');
    const confirming = one.landings.confirm('aep', FIRST_SPAN);
    await others.waitedForBy(1);
    while ((await one.engine.sessions.query<{ waits: boolean }>('work', LOCK_WAITS))[0]?.waits === true);
    expect(await landed()).toBe(0);
    await others.end();
    expect(await confirming).toEqual({ landed: 1 });
  });

  it('confirms a long range hour by hour, which is one range then', async () => {
    const { replicaOf, put, sql, differences } = await landingsRig();
    const one = await replicaOf();
    for (const receipt of await put({}, {}, {})) {
      await one.settleOne(delivery(receipt));
      one.clock.now += HOUR_MS;
    }
    const range = { from: FIRST_SPAN.from, until: FIRST_SPAN.from + 2 * HOUR_MS + SPAN };
    expect(await one.landings.confirm('aep', { ...range, since: 7 })).toEqual({ landed: 3 });
    expect(await one.landings.confirm('aep', { ...range, since: 8 })).toEqual({ landed: 0 });
    expect(await sql('SELECT from_at::bigint AS from, until_at AS until, since FROM confirmed')).toEqual([
      { from: String(range.from), until: String(range.until), since: '7' },
    ]);
    expect(await differences()).toEqual([]);
  });
});

const HOUR_MS = 3_600_000;

/** Whether anyone waits for the lock on the spans. */
const LOCK_WAITS = {
  name: 'test_lock_waits',
  text: `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'spans'::regclass) AS waits`,
};

function replayOf({ log }: LandingReplica, receipt: string): Promise<unknown> {
  return log.replay({ filter: { receipts: [receipt] }, asNew: false, by: 'olga' });
}

function doubtOf({ landings }: LandingReplica, receipt: string): Promise<unknown> {
  return landings.doubt('aep', [{ receipt, code: 'not-in-aep', detail: '' }]);
}

function confirmIt({ landings, clock }: LandingReplica): Promise<unknown> {
  clock.now = T0 + 2 * SPAN;
  return landings.confirm('aep', FIRST_SPAN);
}
