import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Appended, type NewEvent, StoreError } from '../../src/journal/journal.ts';
import { APPEND } from '../../src/journal/postgres/engine/append-statement.ts';
import { readLedger } from '../../src/journal/postgres/engine/count-changes.ts';
import { createAppends } from '../../src/journal/postgres/engine/event-appends.ts';
import { writeSurely } from '../../src/journal/postgres/engine/event-insertion.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { CommitUnknownError } from '../../src/journal/postgres/sessions/store-errors.ts';
import { append, sampleEvent, sampleMalformed } from '../contract/samples.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';
import { type AppendingReplica, type AppendRig, appendRig } from './postgres-append-rig.ts';

/** A replica whose connections go through a proxy. */
async function behindProxy(rig: AppendRig): Promise<{ store: AppendingReplica; proxy: TcpProxy }> {
  const url = new URL(rig.schema.url);
  const proxy = await TcpProxy.to(Number(url.port));
  onTestFinished(() => proxy.close());
  url.port = `${proxy.port}`;
  url.hostname = '127.0.0.1';
  return { store: await rig.replica(url.href), proxy };
}

/** Sends the event until it is answered, as a sender does. */
async function send(store: AppendingReplica, event: NewEvent): Promise<Appended> {
  for (;;) {
    try {
      return await append(store, event);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await until(() => store.sessions.state().isConnected);
    }
  }
}

/** Appends where the nth statement has other outcomes at some of its attempts. */
function withOutcomes(
  { engine }: AppendingReplica,
  outcome: (
    nth: number,
    attempt: number,
    execute: () => Promise<readonly unknown[]>,
  ) => Promise<readonly unknown[]>,
) {
  const attempts = new Map<string, number>();
  const sessions: Sessions = {
    ...engine.sessions,
    queryAs: (async (purpose, statement, params = []) => {
      const execute = () => engine.sessions.queryAs(purpose, statement, params);
      if (!statement.name.startsWith(APPEND.name)) return execute();
      // The receipts are the same when a statement is repeated.
      const receipts = String(params[statement.name === APPEND.name ? 4 : 1]);
      const attempt = (attempts.get(receipts) ?? 0) + 1;
      attempts.set(receipts, attempt);
      return outcome([...attempts.keys()].indexOf(receipts) + 1, attempt, execute);
    }) as Sessions['queryAs'],
  };
  return createAppends({ ...engine, sessions });
}

describe('equal events in several replicas', () => {
  it('are stored once, in whatever order they come', async () => {
    const rig = await appendRig();
    const replicas = await Promise.all([rig.replica(), rig.replica()]);
    const events = Array.from({ length: 60 }, () => sampleEvent());
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const order = n % 2 === 0 ? events : events.toReversed();
        const shift = (n * 7) % events.length;
        const batch = [...order.slice(shift), ...order.slice(0, shift)];
        const all = await replicas[n % 4 < 2 ? 0 : 1].append(batch);
        return batch.map(({ identity }, at) => ({ identity, ...all[at]! }));
      }),
    );
    expect(answers.flat().filter(({ duplicate }) => !duplicate)).toHaveLength(60);
    const receipts = Map.groupBy(answers.flat(), ({ identity }) => identity);
    for (const each of receipts.values()) expect(new Set(each.map(({ receipt }) => receipt)).size).toBe(1);
    expect(await readLedger(replicas[0].sessions)).toMatchObject({ acme: { accepted: 60, pending: 60 } });
    expect(await replicas[0].sql('SELECT FROM queue')).toHaveLength(60);
  });

  it('are stored once in calls that need several statements', async () => {
    const rig = await appendRig();
    const replicas = await Promise.all([rig.replica(), rig.replica()]);
    const events = Array.from({ length: 1_500 }, () => sampleEvent({ body: Buffer.alloc(8) }));
    const calls = [events, events.toReversed(), events.slice(700), events.slice(0, 800).toReversed()];
    const answers = await Promise.all(calls.map((call, n) => replicas[n % 2 === 0 ? 0 : 1].append(call)));
    expect(answers.flat().filter(({ duplicate }) => !duplicate)).toHaveLength(1_500);
    expect(await readLedger(replicas[0].sessions)).toMatchObject({ acme: { accepted: 1_500 } });
  });
});

describe('a connection that is lost while events are appended', () => {
  it('loses no event and doubles none', async () => {
    const rig = await appendRig();
    const { store, proxy } = await behindProxy(rig);
    const events = Array.from({ length: 1_200 }, () => sampleEvent());
    const answers = new Map<string, string>();
    const left = [...events];
    let cuts = 0;
    await Promise.all(
      Array.from({ length: 24 }, async () => {
        for (let event = left.pop(); event !== undefined; event = left.pop()) {
          const answering = send(store, event);
          // Right after the statement was sent, while it is executed, or when its answer is due.
          if (Math.random() < 0.025) {
            setTimeout(() => proxy.cut(), Math.random() * 8);
            cuts += 1;
          }
          answers.set(event.identity, (await answering).receipt);
        }
      }),
    );
    expect(cuts).toBeGreaterThan(5);
    const rows = await (await rig.replica()).sql(`SELECT encode(identity, 'hex') AS identity, e.receipt
      FROM events AS e JOIN bodies USING (seq, day) JOIN queue USING (seq, day)`);
    expect(rows).toHaveLength(1_200);
    for (const { identity, receipt } of rows) expect(answers.get(identity as string)).toBe(receipt);
    const [counts] = await store.sql(
      'SELECT sum(accepted)::int AS n, sum(stored_events)::int AS m FROM counts',
    );
    expect(counts).toEqual({ n: 1_200, m: 1_200 });
  });

  it('does not make a duplicate of what it had committed', async () => {
    const store = await (await appendRig()).replica();
    const appends = withOutcomes(store, async (_nth, attempt, execute) => {
      if (attempt > 1) return execute();
      await execute();
      throw new CommitUnknownError('cut');
    });
    const events = [sampleEvent(), sampleEvent()];
    const answers = await appends.append(events);
    expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, false]);
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 2, pending: 2 } });
    expect((await append(store, events[0]!)).receipt).toBe(answers[0]!.receipt);
  });

  it('appends again what was not committed, and what is executed late changes nothing', async () => {
    const store = await (await appendRig()).replica();
    let late: (() => Promise<unknown>) | undefined;
    const appends = withOutcomes(store, async (_nth, attempt, execute) => {
      if (attempt > 1) return execute();
      late = execute;
      throw new CommitUnknownError('cut');
    });
    const [answer] = await appends.append([sampleEvent()]);
    expect(answer?.duplicate).toBe(false);
    await late?.();
    const { receipt } = await appends.appendMalformed(sampleMalformed());
    await late?.();
    expect(await store.sql('SELECT receipt FROM events ORDER BY seq')).toEqual([
      { receipt: answer?.receipt },
      { receipt },
    ]);
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 1, malformed: 1 } });
  });

  it('lets the other appends go on while one is in doubt', async () => {
    const store = await (await appendRig()).replica();
    const third = Promise.withResolvers<void>();
    const appends = withOutcomes(store, async (nth, attempt, execute) => {
      if (nth < 3 && attempt === 1) throw new CommitUnknownError('cut');
      if (nth < 3) await third.promise;
      return execute();
    });
    // As many as can be under way.
    const doubtful = [append(appends, sampleEvent())];
    await nextTurn();
    doubtful.push(append(appends, sampleEvent()));
    await nextTurn();
    expect(await append(appends, sampleEvent())).toMatchObject({ duplicate: false });
    third.resolve();
    expect(await Promise.all(doubtful)).toMatchObject([{ duplicate: false }, { duplicate: false }]);
  });

  it('is asked about for a while, whatever fails meanwhile', async () => {
    let calls = 0;
    const write = async (): Promise<never> => {
      calls += 1;
      throw calls === 1 ? new CommitUnknownError('cut') : new StoreError('no connection');
    };
    await expect(writeSurely(write, undefined, 350)).rejects.toThrow(CommitUnknownError);
    expect(calls).toBeGreaterThan(2);
    await expect(writeSurely(async () => Promise.reject(new StoreError('full')))).rejects.toThrow('full');
  });

  it('rejects new events at once while there is none, and accepts them again', async () => {
    const rig = await appendRig();
    const { store, proxy } = await behindProxy(rig);
    proxy.refuse();
    await until(() => !store.sessions.state().isConnected);
    const began = performance.now();
    const calls = Array.from({ length: 50 }, () => append(store, sampleEvent()));
    const results = await Promise.allSettled([...calls, store.appendMalformed(sampleMalformed())]);
    expect(performance.now() - began).toBeLessThan(2_500);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreError) as unknown });
    proxy.restore();
    await send(store, sampleEvent());
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 1 } });
  });
});
