import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EnrichmentParts, Settlement } from '../../src/journal/journal.ts';
import { partitionName } from '../../src/journal/postgres/maintenance/day-partitions.ts';
import { replay } from '../../src/journal/postgres/log/replay-jobs.ts';
import { refresh } from '../../src/journal/postgres/log/refresh-starts.ts';
import { enrichments, refreshes } from '../../src/journal/postgres/log/stored-enrichments.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { CommitUnknownError } from '../../src/journal/postgres/sessions/store-errors.ts';
import { settled, sha256, T0 } from '../contract/samples.ts';
import { type ReplicaInTest, type SettleRig, settleRig } from './postgres-settle-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const ROUTES = [{ source: 'acme', destination: 'aep' }];
const BOTH = { customer: true, bill: true };
const CUSTOMER = { customer: true, bill: false };
/** The day of the events of the rig. */
const DAY = 20_000;

function missing(receipt: string, parts: EnrichmentParts = BOTH): Settlement {
  return { ...settled.delivered(receipt), enrichment: { missing: { ...parts, dueIn: 0 } } };
}

function fetched(receipt: string, entities = '{"a":1}'): Settlement {
  return { ...settled.delivered(receipt), enrichment: { entities } };
}

/** The names of the statements that a replica sends for settlements, transactions included. */
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
      names.push('begin');
      return sessions.transaction(purpose, (session) =>
        work({
          ...session,
          query: (statement, params) => {
            names.push(statement.name);
            return session.query(statement, params);
          },
        }),
      );
    },
  });
}

/** An event that waits for a refresh, or is pending because of it. */
async function refreshing(rig: SettleRig, one: ReplicaInTest, lane?: string): Promise<string> {
  const [receipt] = await rig.put(lane === undefined ? {} : { lane });
  await one.settleOne(missing(receipt!));
  await refresh(one.engine, { routes: ROUTES, running: 100 });
  return receipt!;
}

/** What a replica of the first format does when an operator replays an event. */
function replayAsBefore(receipt: string): string {
  return `WITH e AS (
      UPDATE events SET state = 'p', is_replay = true, replays = replays + 1, delivered = 0
      WHERE receipt = '${receipt}' RETURNING *
    )
    INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
      received_at, body_bytes, due_at)
    SELECT destination, true, 0, nextval('positions'), seq, day, receipt, source, lane, lane_key, received_at,
      body_bytes, due_at FROM e`;
}

describe('the enrichment of settlements in PostgreSQL', () => {
  it('costs nothing where there is none, also at the end of a refresh', async () => {
    const rig = await settleRig();
    const names: string[] = [];
    const one = await rig.replica({ wrap: recording(names) });
    const receipt = await refreshing(rig, one, ANN);
    const [other] = await rig.put({ lane: BOB });
    await one.claim(receipt, other!);
    names.length = 0;
    await one.settle('one', [settled.delivered(receipt), settled.delivered(other!)]);
    expect(names).toEqual(['settle']);
    expect(await refreshes(one.engine)).toEqual([]);
    names.length = 0;
    expect(await refresh(one.engine, { routes: ROUTES, running: 1 })).toEqual({ started: 0, dropped: 0 });
    expect(names).toEqual(['refresh_first_due']);
    // What is over is forgotten when something is due again.
    const [next] = await rig.put({});
    await one.settleOne(missing(next!));
    await refresh(one.engine, { routes: ROUTES, running: 1 });
    expect(await rig.sql('SELECT receipt FROM refreshes')).toEqual([{ receipt: next }]);
  });

  it('is one statement more for what was fetched, and one for what is missing', async () => {
    const rig = await settleRig();
    const names: string[] = [];
    const one = await rig.replica({ wrap: recording(names) });
    const receipts = await rig.put(...Array.from({ length: 4 }, () => ({})));
    await one.claim(...receipts);
    await one.settle('one', [
      fetched(receipts[0]!),
      missing(receipts[1]!),
      fetched(receipts[2]!),
      missing(receipts[3]!),
    ]);
    expect(names).toEqual(['begin', 'transaction_id', 'settle', '', 'record_refreshes']);
  });

  it('is recorded once if the end of the transaction is unknown', async () => {
    const rig = await settleRig();
    let failures = 0;
    const one = await rig.replica({
      wrap: (sessions) => ({
        ...sessions,
        async transaction(purpose, work) {
          const result = await sessions.transaction(purpose, work);
          if (failures > 0) {
            failures -= 1;
            throw new CommitUnknownError('lost while committing');
          }
          return result;
        },
      }),
    });
    const receipt = await refreshing(rig, one, ANN);
    failures = 1;
    await one.claim(receipt);
    const again = { ...missing(receipt), enrichment: { ...missing(receipt).enrichment, entities: '{}' } };
    await expect(one.settle('one', [again])).rejects.toThrow(CommitUnknownError);
    expect(await one.settle('one', [again])).toEqual({ stale: [] });
    expect(await rig.sql('SELECT attempts, is_running FROM refreshes')).toEqual([
      { attempts: 1, is_running: false },
    ]);
    expect((await enrichments(one.engine, [receipt])).get(receipt)).toEqual({ entities: '{}' });
    const waiting = { ...settled.waiting(receipt, 5), enrichment: { entities: '{"b":1}' } };
    await refresh(one.engine, { routes: ROUTES, running: 1 });
    await one.claim(receipt);
    failures = 1;
    await expect(one.settle('one', [waiting])).rejects.toThrow(CommitUnknownError);
    one.clock.now += 1;
    expect(await one.settle('one', [waiting])).toEqual({ stale: [] });
    expect((await enrichments(one.engine, [receipt])).get(receipt)).toEqual({
      entities: '{"b":1}',
      refresh: { ...BOTH, attempts: 1 },
    });
    expect(await rig.sql('SELECT due_at FROM queue')).toEqual([{ due_at: String(T0 + 5) }]);
  });

  it('is not recorded under a lost epoch', async () => {
    const rig = await settleRig();
    const [one, two] = [await rig.replica(), await rig.replica()];
    const [receipt] = await rig.put({ lane: ANN });
    await one.claim(receipt!);
    await two.takeSlots();
    const settlement = {
      ...missing(receipt!),
      enrichment: { ...missing(receipt!).enrichment, entities: '{}' },
    };
    expect(await one.settle('one', [settlement])).toEqual({ stale: [receipt] });
    expect(await rig.sql('SELECT receipt FROM refreshes')).toEqual([]);
    expect(await enrichments(one.engine, [receipt!])).toEqual(new Map());
  });

  it('does not wait for the partition of another day, which is being dropped', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const name = partitionName('bodies', DAY - 1);
    await rig.sql(`CREATE TABLE ${name} PARTITION OF bodies FOR VALUES IN (${DAY - 1})`);
    const receipts = await rig.put(...Array.from({ length: 12 }, () => ({})));
    const client = new pg.Client({ connectionString: rig.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query(`SET search_path = ${rig.schema}; BEGIN; LOCK TABLE ${name} IN EXCLUSIVE MODE`);
    // More often than a statement is planned anew for each execution.
    for (const receipt of receipts) await one.settleOne(fetched(receipt));
    await client.query('ROLLBACK');
    expect((await enrichments(one.engine, receipts)).size).toBe(12);
  });

  it('is counted with the stored bytes, whatever becomes of it', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const receipts = await rig.put({ lane: ANN }, {}, {}, { lane: ANN });
    const [anns, replaced, refetched, last] = receipts;
    const isExact = async () => {
      const [sums] = await rig.sql(
        'SELECT sum(octet_length(body) + coalesce(octet_length(entities), 0))::int AS stored_bytes FROM bodies',
      );
      expect(await rig.counts()).toMatchObject(sums!);
    };
    await one.settleOne(fetched(anns!));
    await one.settleOne({ ...settled.waiting(replaced!, 0), enrichment: { entities: '{"long":12345}' } });
    await isExact();
    await one.settleOne(fetched(replaced!));
    await one.settleOne(fetched(refetched!));
    await isExact();
    const request = { filter: { receipts: [refetched!] }, by: 'olga', asNew: false, refetch: true };
    await replay(one.engine, request, new AbortController().signal);
    expect((await enrichments(one.engine, receipts)).size).toBe(3);
    await isExact();
    await one.settleOne({ ...settled.delivered(last!), enrichment: { entities: '{}' }, erase: [ANN] });
    expect(await rig.sql('SELECT FROM bodies')).toHaveLength(2);
    await isExact();
  });

  it('has no entities that are damaged, and reports them', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const [receipt] = await rig.put({});
    await one.settleOne(fetched(receipt!));
    await rig.sql(`UPDATE bodies SET entities = '\\x0600000001' || '{}'::bytea`);
    const reported: unknown[] = [];
    const reportUnreadable = (...all: unknown[]): void => void reported.push(all);
    expect(await enrichments({ ...one.engine, reportUnreadable }, [receipt!])).toEqual(new Map());
    expect(reported).toEqual([['what was fetched for an event', 'damaged', receipt]]);
  });
});

describe('refreshes of several replicas', () => {
  it('are started once, and no more than may be running', async () => {
    const rig = await settleRig();
    const [one, two] = [await rig.replica(), await rig.replica()];
    const receipts = await rig.put(...Array.from({ length: 30 }, (_, n) => ({ lane: sha256(`lane ${n}`) })));
    await one.claim(...receipts);
    await one.settle(
      'one',
      receipts.map((receipt) => missing(receipt)),
    );
    const request = { routes: ROUTES, running: 12 };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => refresh((n % 2 === 0 ? one : two).engine, request)),
    );
    expect(answers.reduce((sum, { started }) => sum + started, 0)).toBe(12);
    const queued = await rig.sql('SELECT receipt FROM queue ORDER BY seq DESC');
    expect(queued.map((row) => row['receipt'])).toEqual(receipts.toReversed().slice(0, 12));
    expect(await rig.counts()).toMatchObject({ pending: 12, replaying: 12, delivered: 18 });
    expect(await refreshes(two.engine)).toMatchObject([{ customers: 30, bills: 30, running: 12 }]);
  });

  it('are not taken for replays of a replica that knows no refreshes, nor those for them', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const receipt = await refreshing(rig, one, ANN);
    await one.settleOne(settled.delivered(receipt));
    await rig.sql(replayAsBefore(receipt));
    expect(await enrichments(one.engine, [receipt])).toEqual(new Map());
    expect(await refreshes(one.engine)).toEqual([]);
    // Another event of the customer is missing something: it has nothing to do with the replay.
    const [later] = await rig.put({ lane: ANN });
    await one.settleOne(missing(later!));
    await one.settleOne(missing(receipt));
    expect(await rig.sql('SELECT receipt, attempts, customer FROM refreshes ORDER BY seq')).toEqual([
      { receipt, attempts: 0, customer: true },
      { receipt: later, attempts: 0, customer: false },
    ]);
  });

  it('leave an event alone that such a replica has replayed while it was waiting', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const [receipt] = await rig.put({ lane: ANN });
    await one.settleOne(missing(receipt!));
    await rig.sql(replayAsBefore(receipt!));
    expect(await refresh(one.engine, { routes: ROUTES, running: 9 })).toEqual({ started: 0, dropped: 0 });
    expect(await rig.sql('SELECT receipt FROM queue')).toEqual([{ receipt }]);
    expect(await refreshes(one.engine)).toEqual([]);
  });

  it('are not in the way of an operator who replays the same events', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const [receipt] = await rig.put({ lane: ANN });
    await one.settleOne(missing(receipt!));
    const client = new pg.Client({ connectionString: rig.url });
    await client.connect();
    onTestFinished(() => client.end());
    // As the step of a replay: the event first.
    await client.query(
      `SET search_path = ${rig.schema}; BEGIN; SELECT FROM events WHERE receipt = '${receipt}' FOR UPDATE`,
    );
    const started = refresh(one.engine, { routes: ROUTES, running: 9 });
    const waiting =
      'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))';
    while ((await client.query(waiting)).rowCount === 0);
    await client.query(`DELETE FROM refreshes; ${replayAsBefore(receipt!)}; COMMIT`);
    expect(await started).toEqual({ started: 0, dropped: 0 });
    expect(await rig.sql('SELECT receipt FROM queue')).toEqual([{ receipt }]);
  });

  it('of merged customers do not count one that is over', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const [bobs, anns] = await rig.put({ lane: BOB }, { lane: ANN });
    await one.settleOne(missing(anns!, CUSTOMER));
    await refresh(one.engine, { routes: ROUTES, running: 1 });
    await one.settleOne(settled.delivered(anns!));
    await one.settleOne(missing(bobs!, CUSTOMER));
    const [merge] = await rig.put({ lane: ANN });
    await one.settleOne({ ...settled.delivered(merge!), alias: { from: BOB, to: ANN, profile: null } });
    expect(await refreshes(one.engine)).toMatchObject([{ customers: 1, running: 0 }]);
    await refresh(one.engine, { routes: ROUTES, running: 1 });
    expect(await enrichments(one.engine, [anns!, bobs!])).toEqual(
      new Map([[bobs, { refresh: { ...CUSTOMER, attempts: 0 } }]]),
    );
    expect(await rig.queued(ANN)).toEqual([bobs]);
  });
});
