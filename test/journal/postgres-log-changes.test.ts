import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RefusedError, StoreError } from '../../src/journal/journal.ts';
import { laneKeyOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { createQuarantine } from '../../src/journal/postgres/log/postgres-quarantine.ts';
import { sampleEvent, sampleQuarantined, sha256, T0 } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { type LogRig, logRig, requireCounts } from './postgres-log-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const OPEN = new AbortController().signal;
const ALL = { filter: {}, asNew: false, by: 'olga' };

async function queued({ sql }: LogRig): Promise<Record<string, unknown>[]> {
  return sql(`SELECT destination, is_replay, receipt, lane, lane_key, is_pinned FROM queue ORDER BY pos`);
}

describe('replays in PostgreSQL', () => {
  it('queue events again in the lane that an alias names now, each with a new position', async () => {
    const rig = await logRig();
    const [a, b] = await rig.store([
      { state: 'dead', lane: ANN },
      { state: 'delivered', lane: ANN, day: 20_003 },
    ]);
    await rig.sql(`INSERT INTO aliases VALUES ('aep', '${ANN}', '${BOB}')`);
    const [before] = await rig.sql('SELECT max(seq) AS seq FROM events');
    expect(await rig.log.replay(ALL)).toEqual({ replayed: 2 });
    const lane = { destination: 'aep', is_replay: true, lane: BOB, lane_key: laneKeyOf(BOB, '') };
    expect(await queued(rig)).toMatchObject([
      { receipt: a, ...lane },
      { receipt: b, ...lane },
    ]);
    expect(await rig.sql(`SELECT FROM queue WHERE pos <= ${String(before?.['seq'])}`)).toEqual([]);
    expect((await rig.log.find(a!))?.event).toMatchObject({ lane: BOB, ownLane: ANN, isReplay: true });
    expect(await rig.sql('SELECT FROM dead_letters UNION ALL SELECT FROM sent')).toEqual([]);
    expect(rig.notified).toEqual(['aep']);
    await requireCounts(rig);
  });

  it('pin the head of a lane that an older event joins', async () => {
    const rig = await logRig();
    const [first, second] = await rig.store([
      { state: 'dead', lane: ANN },
      { state: 'dead', lane: ANN },
    ]);
    await rig.log.replay({ ...ALL, filter: { receipts: [second!] } });
    await rig.log.replay({ ...ALL, filter: { receipts: [first!] } });
    expect(await queued(rig)).toMatchObject([
      { receipt: second, is_pinned: true },
      { receipt: first, is_pinned: false },
    ]);
  });

  it('process each event once, with two replicas at the same job and one at another', async () => {
    const rig = await logRig();
    const other = await rig.another();
    await rig.store(Array.from({ length: 700 }, (_, n) => ({ state: 'dead', lane: sha256(`${n % 9}`) })));
    const first = rig.log.replay(ALL);
    await until(async () => (await rig.log.replays()).length > 0);
    const [, second, ids] = await Promise.all([
      first,
      other.log.replay({ ...ALL, by: 'otto' }),
      other.log.continueJobs(OPEN),
    ]);
    const jobs = await rig.log.replays();
    expect(jobs.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(700);
    expect(second.replayed).toBe(jobs.find(({ by }) => by === 'otto')?.replayed);
    expect(ids.length).toBeLessThanOrEqual(2);
    expect(await rig.sql('SELECT FROM events WHERE replays <> 1')).toEqual([]);
    await requireCounts(rig);
  });

  it('are continued by maintenance if their replica is gone or does not get on, and by nobody else', async () => {
    const rig = await logRig();
    await rig.store(Array.from({ length: 300 }, () => ({ state: 'dead' })));
    // Two jobs that are created and not begun.
    const replaying = [rig.log.replay(ALL), rig.log.replay(ALL)];
    rig.closing.abort();
    for (const each of replaying) await expect(each).rejects.toThrow(StoreError);
    const other = await rig.another();
    const set = (runner: string, stepped: string) =>
      rig.sql(`UPDATE replay_jobs SET runner = ${runner}, stepped = ${stepped} WHERE finished_at IS NULL`);
    const alive = `'${other.engine.replica}'`;
    await rig.sql(`INSERT INTO replicas (id, name, version, since, seen)
      VALUES (${alive}, 'other', '1', 0, clock_timestamp()) ON CONFLICT DO NOTHING`);
    const [job] = await rig.log.replays();

    await set(alive, 'clock_timestamp()');
    expect(await other.log.continueJobs(OPEN)).toEqual([]);
    await set('gen_random_uuid()', 'clock_timestamp()');
    await rig.sql(`UPDATE replay_jobs SET runner = ${alive} WHERE id = ${String(job?.id)}`);
    expect(await other.log.continueJobs(OPEN)).toHaveLength(1);
    await set(alive, "clock_timestamp() - interval '1 minute'");
    expect(await other.log.continueJobs(OPEN)).toEqual([job?.id]);
    expect(await other.log.continueJobs(OPEN)).toEqual([]);
    expect(await other.log.replays()).toMatchObject([{ done: true }, { replayed: 300, done: true }]);
    await requireCounts(rig);
  });

  it('survive the loss of connections: nothing is replayed twice or left out', async () => {
    const rig = await logRig();
    const other = await rig.another();
    await rig.store(Array.from({ length: 1_500 }, (_, n) => ({ state: 'dead', lane: sha256(`${n % 99}`) })));
    const cut = () =>
      rig.sql(`SELECT pg_terminate_backend(backend) FROM streams WHERE replica = '${rig.engine.replica}'`);
    const replaying = rig.log.replay(ALL).then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(async () => ((await other.log.replays())[0]?.replayed ?? 0) > 0);
    await cut();
    const error = await replaying;
    expect(error === undefined || error instanceof StoreError).toBe(true);
    await rig.sql('UPDATE replay_jobs SET runner = NULL');
    await other.log.continueJobs(OPEN);
    expect(await other.log.replays()).toMatchObject([{ matched: 1_500, replayed: 1_500, done: true }]);
    expect(await rig.sql('SELECT FROM events WHERE replays <> 1')).toEqual([]);
    expect(await queued(rig)).toHaveLength(1_500);
    await requireCounts(rig);
  });

  it('keep their filter secret, wait for its key and end if it is damaged', async () => {
    const rig = await logRig([randomBytes(32)]);
    await rig.store([{ state: 'dead', customerId: '42' }]);
    rig.closing.abort();
    await expect(rig.log.replay(ALL)).rejects.toThrow(StoreError);
    expect(await rig.log.replays()).toEqual([]);

    const other = await rig.another();
    const insert = (filter: string) =>
      rig.sql(`INSERT INTO replay_jobs (at, by, as_new, shown, filter, until)
        VALUES (0, 'olga', false, '{"filter":{},"narrowedBy":[]}', ${filter}, '${'f'.repeat(8)}')`);
    await insert(`'\\x01000000000000000000000000000000000000000000000000000000000000000000000000'`);
    await insert(`'\\x99'`);
    expect(await other.log.continueJobs(OPEN)).toEqual([]);
    expect(await other.log.replays()).toMatchObject([{ done: true }, { done: false }]);
    expect(other.unreadable.map(([, why]) => why)).toEqual(['key-unknown', 'damaged']);
  });

  it('end at once in an empty store, and forget old jobs', async () => {
    const { log } = await logRig();
    for (let n = 0; n < 103; n += 1) expect(await log.replay(ALL)).toEqual({ replayed: 0 });
    expect(await log.replays()).toHaveLength(100);
  });
});

describe('reroutes in PostgreSQL', () => {
  it('move entries lane by lane, resolve the aliases of the destination, and name both in the history', async () => {
    const rig = await logRig();
    const receipts = await rig.store(
      Array.from({ length: 600 }, (_, n) => ({ lane: sha256(`${n % 7}`), day: 20_000 + (n % 3) })),
    );
    const [other] = await rig.store([{ source: 'other', lane: ANN }]);
    await rig.sql(`INSERT INTO aliases VALUES ('new', '${sha256('3')}', '${BOB}')`);
    expect(await rig.log.reroute('acme', 'new', 'olga')).toEqual({ rerouted: 600 });
    expect(await rig.log.find(receipts[3]!)).toMatchObject({
      event: { destination: 'new', lane: BOB, ownLane: sha256('3'), state: 'pending' },
      actions: [{ at: T0, by: 'olga', action: 'rerouted from aep to new' }],
    });
    const moved = (await queued(rig)).filter(({ destination }) => destination === 'new');
    for (const lane of [sha256('0'), BOB])
      expect(moved.filter((entry) => entry['lane'] === lane).map(({ receipt }) => receipt)).toEqual(
        receipts.filter((_, n) => n % 7 === (lane === BOB ? 3 : 0)),
      );
    expect((await queued(rig)).filter(({ destination }) => destination === 'aep')).toMatchObject([
      { receipt: other },
    ]);
    expect(new Set(rig.moved)).toEqual(new Set(['aep', 'new']));
    expect(rig.notified).toContain('new');
    expect(await rig.log.backlog()).toMatchObject([
      { destination: 'aep', pending: 1 },
      { destination: 'new', pending: 600 },
    ]);
    expect(await rig.log.reroute('acme', 'new', 'olga')).toEqual({ rerouted: 0 });
    await requireCounts(rig);
  });
});

describe('discards in PostgreSQL', () => {
  it('delete malformed bodies and the payloads of dead letters, in steps', async () => {
    const rig = await logRig();
    await rig.store(
      Array.from({ length: 620 }, (_, n) => ({
        state: (['dead', 'malformed', 'delivered'] as const)[n % 3]!,
        day: 20_000 + (n % 4),
        source: n % 2 ? 'acme' : 'shop',
      })),
    );
    await rig.sql("INSERT INTO actions (seq, at, by, action) SELECT seq, 1, 'x', 'released' FROM events");
    expect(await rig.log.discard({ source: 'acme' }, 'olga')).toEqual({ discarded: 207 });
    expect(await rig.log.discard({}, 'olga')).toEqual({ discarded: 207 });
    expect(await rig.log.ledger()).toMatchObject({
      acme: { accepted: 206, dead: 0, malformed: 0, ignored: 103, delivered: 103 },
    });
    expect(await rig.sql('SELECT FROM dead_letters UNION ALL SELECT FROM sent')).toEqual([]);
    expect(await rig.sql('SELECT FROM actions WHERE seq NOT IN (SELECT seq FROM events)')).toEqual([]);
    const { items } = await rig.log.list({ reason: 'discarded' }, { limit: 500 });
    expect(items).toHaveLength(207);
    expect((await rig.log.find(items[0]!.receipt))?.actions.at(-1)).toEqual({
      at: T0,
      by: 'olga',
      action: 'discarded',
    });
    await requireCounts(rig);
  });
});

describe('promotions in PostgreSQL', () => {
  const DAY = 20_100;
  const createdAt = DAY * 86_400_000 + 43_200_000;

  it('move the body to the day of its event, with its receipt and its place in the order', async () => {
    const rig = await logRig();
    const [malformed, later] = await rig.store([{ state: 'malformed' }, { lane: BOB, destination: 'new' }]);
    await rig.sql(`INSERT INTO aliases VALUES ('new', '${ANN}', '${BOB}')`);
    const event = sampleEvent({ destination: 'new', source: 'shop', lane: ANN, createdAt, customerId: '7' });
    expect(await rig.log.promote(malformed!, event, 'olga')).toEqual({
      receipt: malformed,
      duplicate: false,
    });
    expect(await rig.sql('SELECT receipt, day FROM events ORDER BY seq')).toEqual([
      { receipt: malformed, day: DAY },
      { receipt: later, day: 20_000 },
    ]);
    // What was there before stays the head.
    expect(await queued(rig)).toMatchObject([
      { receipt: later, is_pinned: true },
      { receipt: malformed, lane: BOB, is_pinned: false, is_replay: false },
    ]);
    const { items } = await rig.log.list({ customerId: '7' }, { limit: 9 });
    expect(items).toMatchObject([{ receipt: malformed, ownLane: ANN, state: 'pending', dueAt: T0 }]);
    expect((await rig.log.find(malformed!))?.body).toEqual(event.body);
    expect(rig.notified).toEqual(['new']);
    expect(await rig.sql('SELECT FROM dead_letters')).toEqual([]);
    await requireCounts(rig);
  });

  it('of equal events at the same time store one, and delete the other bodies', async () => {
    const rig = await logRig();
    const other = await rig.another();
    const receipts = await rig.store(Array.from({ length: 8 }, () => ({ state: 'malformed' })));
    const event = sampleEvent({ createdAt });
    const answers = await Promise.all(
      receipts.map((receipt, n) => (n % 2 ? rig : other).log.promote(receipt, event, 'olga')),
    );
    const [first] = answers.filter(({ duplicate }) => !duplicate);
    expect(answers.filter(({ receipt }) => receipt === first?.receipt)).toHaveLength(8);
    expect(answers.filter(({ sameBody }) => sameBody)).toHaveLength(7);
    expect(await rig.log.count({})).toBe(1);
    expect(await rig.sql('SELECT FROM bodies')).toHaveLength(1);
    expect(await rig.sql('SELECT action FROM actions')).toEqual([{ action: 'promoted' }]);
    await requireCounts(rig);
  });

  it('are refused the second time', async () => {
    const rig = await logRig();
    const [receipt] = await rig.store([{ state: 'malformed' }]);
    const event = sampleEvent({ createdAt });
    await rig.log.promote(receipt!, event, 'olga');
    for (const each of [receipt!, 'unknown', sha256('a')])
      await expect(rig.log.promote(each, event, 'olga')).rejects.toThrow(RefusedError);
  });
});

describe('the quarantine in PostgreSQL', () => {
  const request = (size: number) =>
    sampleQuarantined({ rawHeaders: [], body: Buffer.alloc(size), reasons: ['a', 'b,"c'] });

  it('keeps its bounds over replicas and over bounds that become narrower', async () => {
    const rig = await logRig([randomBytes(32)]);
    const other = await rig.another();
    const [a, b] = [createQuarantine(rig.engine), createQuarantine(other.engine)];
    const wide = { maxCount: 2_000, maxBytes: 1e9, maxAge: 1 };
    for (let round = 0; round < 60; round += 1)
      await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).quarantine(request(10), wide)));
    await requireCounts(rig);
    expect(await a.quarantine(request(10), { ...wide, maxCount: 3 })).toMatchObject({ evicted: 1_198 });
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 ? a : b).quarantine(request(10), { ...wide, maxBytes: 60 }),
      ),
    );
    await b.quarantine(request(10), { ...wide, maxBytes: 60 });
    expect((await rig.log.ledger())['acme']?.quarantined).toBe(6);
    const { items } = await a.listQuarantined({}, { limit: 10 });
    expect(items).toHaveLength(6);
    expect(items[0]).toMatchObject({ reasons: ['a', 'b,"c'], body: Buffer.alloc(10) });
    await requireCounts(rig);
    await a.removeQuarantined(items.map(({ receipt }) => receipt));
    await requireCounts(rig);
  });

  it('stores headers and bodies encrypted, and passes by what it cannot read', async () => {
    const rig = await logRig([randomBytes(32)]);
    const quarantine = createQuarantine(rig.engine);
    const bounds = { maxCount: 9, maxBytes: 1_000, maxAge: 1 };
    for (let n = 0; n < 3; n += 1)
      await quarantine.quarantine(sampleQuarantined({ body: Buffer.from('secret') }), bounds);
    const [row] = await rig.sql('SELECT headers, body FROM quarantine LIMIT 1');
    const { headers, body } = row as { readonly headers: Buffer; readonly body: Buffer };
    expect(headers.includes('X-Relay-Key')).toBe(false);
    expect(body.includes('secret')).toBe(false);
    await rig.sql(`UPDATE quarantine SET body = '\\x99' WHERE receipt =
      (SELECT receipt FROM quarantine ORDER BY receipt OFFSET 1 LIMIT 1)`);
    const first = await quarantine.listQuarantined({}, { limit: 2 });
    expect(first.items).toHaveLength(1);
    const second = await quarantine.listQuarantined({}, { limit: 2, cursor: first.cursor! });
    expect(second.items).toHaveLength(1);
    expect(second.cursor).toBeUndefined();
    expect(rig.unreadable).toEqual([['a quarantined request', 'damaged']]);
  });
});
