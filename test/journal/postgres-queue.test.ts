import { describe, expect, it } from 'vitest';
import { laneKeyOf, slotOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { READ_HEADS } from '../../src/journal/postgres/queue/head-payloads.ts';
import { FORMER_HEADS } from '../../src/journal/postgres/queue/head-reads.ts';
import { sha256 } from '../contract/samples.ts';
import { ownerRig } from './postgres-queue-owner-rig.ts';
import { T0 } from './postgres-queue-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const NOTHING = { token: 'one', events: [] };

describe('the queue of an owner', () => {
  it('hands out the events of a lane one at a time, and says when nothing is left', async () => {
    const { put, claim, claimed, end } = await ownerRig();
    const [first, second, bob] = await put([{ lane: ANN }, { lane: ANN }, { lane: BOB }]);
    expect(await claimed()).toEqual([first, bob]);
    expect(await claim()).toEqual(NOTHING);
    await end([first, bob]);
    expect(await claimed()).toEqual([second]);
    await end([second]);
    expect(await claim()).toEqual(NOTHING);
  });

  it('returns the event as it is stored, with its body and the profile of its customer', async () => {
    const { put, claim, sql, engine } = await ownerRig([Buffer.alloc(32, 1)]);
    await sql('INSERT INTO profiles VALUES ($1, $2, $3)', [
      'aep',
      ANN,
      Buffer.from(engine.cipher.encrypt(Buffer.from('{"a":1}'))),
    ]);
    const [receipt] = await put([{ lane: ANN, body: Buffer.from('{"x":1}') }]);
    const { events } = await claim();
    expect(events).toMatchObject([
      { receipt, lane: ANN, state: 'pending', dueAt: T0, profile: '{"a":1}', isReplay: false },
    ]);
    expect(events[0]?.body.toString()).toBe('{"x":1}');
  });

  it('claims an entry of a slow connection before a later one of its lane is sent', async () => {
    const { put, connect, claimed, end } = await ownerRig();
    const slow = await connect();
    await slow.client.query('BEGIN');
    const [early] = await put([{ lane: ANN }], slow);
    const [late] = await put([{ lane: BOB }]);
    expect(await claimed()).toEqual([late]);
    await slow.client.query('COMMIT');
    expect(await claimed()).toEqual([early]);
    await end([early, late]);
  });

  it('keeps the order of a lane over several connections, however many entries a scan reads', async () => {
    const { put, connect, claimed, end } = await ownerRig();
    const others = [await connect(), await connect()];
    const lanes = Array.from({ length: 5 }, (_, n) => sha256(`lane ${n}`));
    const expected = new Map<string, string[]>(lanes.map((lane) => [lane, []]));
    for (let n = 0; n < 300; n += 1) {
      const lane = lanes[n % 5]!;
      // One of the connections has most of the entries, so its list is full first.
      const [receipt] = await put([{ lane }], n % 10 === 0 ? others[n % 20 === 0 ? 0 : 1] : undefined);
      expected.get(lane)!.push(receipt!);
    }
    const order: string[] = [];
    for (;;) {
      const some = await claimed({ events: 7 });
      if (some.length === 0) break;
      order.push(...some);
      await end(some);
    }
    for (const receipts of expected.values())
      expect(order.filter((receipt) => receipts.includes(receipt))).toEqual(receipts);
    expect(order).toHaveLength(300);
  });

  it('has at most one claimed event of a lane, whatever its kind', async () => {
    const { put, claim, claimed, end } = await ownerRig();
    const [live, replay] = await put([{ lane: ANN }, { lane: ANN, isReplay: true }]);
    const first = await claim();
    expect(first.events.map(({ receipt }) => receipt)).toEqual([live]);
    expect(first).not.toHaveProperty('replayDueIn');
    await end([live], { kind: 'waiting', dueAt: T0 + 5 });
    expect(await claim({ replays: 0 })).toEqual({ ...NOTHING, dueIn: 5, replayDueIn: 0 });
    expect(await claimed()).toEqual([replay]);
    expect(await claim()).toEqual(NOTHING);
  });

  it('says when a live event is due whose lane a replay of the same claim keeps busy', async () => {
    const { put, claim } = await ownerRig();
    const [, replay] = await put([
      { lane: ANN, dueAt: T0 + 7 },
      { lane: ANN, isReplay: true },
    ]);
    const first = await claim();
    expect([first.events[0]?.receipt, first.dueIn]).toEqual([replay, 7]);
    expect(await claim()).toEqual(NOTHING);
  });

  it('gives replays only what other events leave free', async () => {
    const { put, claim } = await ownerRig();
    const replays = await put(Array.from({ length: 4 }, () => ({ isReplay: true })));
    const live = await put([{}, {}]);
    const one = await claim({ events: 1 });
    expect(one.events.map(({ receipt }) => receipt)).toEqual([live[0]]);
    expect([one.dueIn, one.replayDueIn]).toEqual([0, 0]);
    const some = await claim({ events: 3 });
    expect(some.events.map(({ receipt }) => receipt)).toEqual([live[1], replays[0], replays[1]]);
    expect((await claim({ replays: 1 })).events.map(({ receipt }) => receipt)).toEqual([replays[2]]);
  });

  it('reads ahead no more than it needs', async () => {
    const { put, sql, owner, claim, executed } = await ownerRig();
    await put([{}]);
    // As many as an outage leaves, in one statement.
    await sql(`INSERT INTO queue SELECT destination, is_replay, stream, pos + n, seq + n, day,
      gen_random_uuid(), source, encode(sha256(n::text::bytea), 'hex'),
      ('x' || substr(encode(sha256(n::text::bytea), 'hex'), 1, 8))::bit(32)::integer,
      is_pinned, received_at, body_bytes, due_at FROM queue, generate_series(1, 20000) n`);
    await claim({ events: 1 });
    const scans = () => executed.filter((name) => name === 'scan_queue').length;
    expect(scans()).toBe(1);
    await claim({ events: 0 });
    expect(scans()).toBe(1);
    expect(await owner.overdue()).toEqual([{ source: 'acme', destination: 'aep', since: 0 }]);
  });

  it.each([4, 5])(
    'finds its entries by index, whatever the plan was made for: %i connections',
    async (connections) => {
      const { put, claimed, end, engine, sql } = await ownerRig([], connections);
      // Plans that are kept are made now, for a queue that is empty and known to be.
      await sql('ANALYZE');
      for (let n = 0; n < 6; n += 1) expect(await claimed()).toEqual([]);
      const receipts = await put([{}, {}]);
      expect(await claimed()).toEqual(receipts);
      await end(receipts);
      const text = `SELECT current_setting('enable_seqscan') AS scans, current_setting('enable_hashjoin') AS joins`;
      expect(await engine.sessions.query('claim', { name: 'plan_settings', text })).toEqual([
        { scans: 'off', joins: 'off' },
      ]);
    },
  );

  it.each([
    ['read_heads', READ_HEADS],
    ['former_heads', FORMER_HEADS],
  ])('looks entries up by their key, also by a plan for an empty queue: %s', async (name, { text }) => {
    const { engine, sql } = await ownerRig();
    for (const table of ['queue', 'profiles', 'aliases']) await sql(`VACUUM ANALYZE ${table}`);
    const plan = await engine.sessions.transaction('claim', async (session) => {
      await session.query({ name: `prepare_${name}`, text: `PREPARE plan_of_${name} AS ${text}` });
      const explain = `EXPLAIN EXECUTE plan_of_${name} ('aep', '{}', '{}', '{}')`;
      return session.query<{ 'QUERY PLAN': string }>({ name: `explain_${name}`, text: explain });
    });
    const lines = plan.map((row) => row['QUERY PLAN'].trim());
    expect(lines).toContainEqual(
      expect.stringMatching(/^Index Cond: .*stream = head.stream.*pos = head.pos/),
    );
    expect(lines.join(' ')).not.toContain('Join Filter');
  });

  it('goes behind a very long lane', async () => {
    const { put, sql, claimed, end } = await ownerRig();
    const [head] = await put([{ lane: ANN }]);
    await sql(`INSERT INTO queue SELECT destination, is_replay, stream, pos + n, seq + n, day,
      gen_random_uuid(), source, lane, lane_key, is_pinned, received_at, body_bytes, due_at
      FROM queue, generate_series(1, 900) n`);
    const [bob] = await put([{ lane: BOB }]);
    const [last] = await put([{ lane: ANN }]);
    expect(await claimed()).toEqual([head, bob]);
    await sql('DELETE FROM queue WHERE receipt NOT IN (SELECT receipt FROM events)');
    await end([head]);
    expect(await claimed()).toEqual([last]);
  });

  it('keeps events of other sources pending, with their lanes behind them', async () => {
    const { put, claimed, end } = await ownerRig();
    const [gone, , shop] = await put([
      { lane: ANN, source: 'gone' },
      { lane: ANN, source: 'acme' },
      { lane: BOB, source: 'shop' },
    ]);
    expect(await claimed({ sources: [] })).toEqual([]);
    expect(await claimed({ sources: ['acme', 'shop'] })).toEqual([shop]);
    expect(await claimed({ sources: ['gone'] })).toEqual([gone]);
    await end([shop, gone]);
    expect(await claimed()).toHaveLength(1);
  });

  it('does not claim an event twice that was queued again while it is claimed', async () => {
    const { put, sql, claimed, owner, end } = await ownerRig();
    const [receipt] = await put([{ lane: ANN }]);
    expect(await claimed()).toEqual([receipt]);
    await sql(`UPDATE queue SET pos = pos + 1000000, destination = 'new'`);
    expect(await claimed({ at: 'new' })).toEqual([]);
    const claim = owner.claims.find('one', receipt!)!;
    await owner.claims.end([{ claim, end: { kind: 'lost' } }]);
    expect(await claimed({ at: 'new' })).toEqual([receipt]);
    await end([receipt]);
  });

  it('moves entries whose lane became an alias while they were appended', async () => {
    const { put, claim, sql, end } = await ownerRig();
    const [ann, next, bob] = await put([{ lane: ANN }, { lane: ANN }, { lane: BOB }]);
    await sql('INSERT INTO aliases VALUES ($1, $2, $3)', ['aep', ANN, BOB]);
    expect((await claim()).events).toMatchObject([{ receipt: bob, lane: BOB }]);
    await end([bob]);
    for (const receipt of [ann, next]) {
      expect((await claim()).events).toMatchObject([{ receipt, lane: BOB, ownLane: ANN }]);
      await end([receipt]);
    }
  });

  it('keeps a claimed head that an older event has joined, also for the next owner', async () => {
    const { put, claimed, end, leases } = await ownerRig();
    const [head] = await put([{ lane: ANN, seq: 20 }]);
    expect(await claimed()).toEqual([head]);
    const [rerouted] = await put([{ lane: ANN, seq: 10 }]);
    expect(await claimed()).toEqual([]);
    await end([head], { kind: 'waiting', dueAt: T0 });
    leases.changeServer('aep');
    expect(await claimed()).toEqual([head]);
    await end([head]);
    expect(await claimed()).toEqual([rerouted]);
  });

  it('lets a rerouted event overtake an unclaimed head, and no other one', async () => {
    const { put, claimed, end } = await ownerRig();
    const [second, third] = await put([
      { lane: ANN, seq: 20 },
      { lane: ANN, seq: 30 },
    ]);
    await claimed({ events: 0 });
    const [first] = await put([{ lane: ANN, seq: 10 }]);
    const order: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const [receipt] = await claimed();
      order.push(receipt!);
      await end([receipt]);
    }
    expect(order).toEqual([first, second, third]);
  });

  it('finds out what others have taken out of the queue, at once if it is told', async () => {
    const { put, claimed, sql, owner, time } = await ownerRig();
    const [gone, ann, gone2, bob] = await put([
      { lane: ANN, dueAt: T0 + 9 },
      { lane: ANN },
      { lane: BOB, dueAt: T0 + 9 },
      { lane: BOB },
    ]);
    expect(await claimed()).toEqual([]);
    await sql('DELETE FROM queue WHERE receipt = $1', [gone]);
    owner.claims.lanesMoved('aep');
    expect(await claimed()).toEqual([ann]);
    await sql('DELETE FROM queue WHERE receipt = $1', [gone2]);
    expect(await claimed()).toEqual([]);
    time.monotonic += 5_000;
    expect(await claimed()).toEqual([bob]);
  });

  it('says what is overdue', async () => {
    const { put, claimed, owner, clock } = await ownerRig();
    await put([{ lane: ANN }, { source: 'shop' }, { isReplay: true }, { destination: 'other' }]);
    clock.now += 500;
    expect(await claimed()).toHaveLength(2);
    expect(await owner.overdue()).toEqual([{ source: 'shop', destination: 'aep', since: 500 }]);
  });

  it('calls the listeners when something else than a released event has become claimable', async () => {
    const { put, claimed, end, owner, notified, sql } = await ownerRig();
    const [first, , replay] = await put([{ lane: ANN }, { lane: ANN }, { lane: ANN, isReplay: true }]);
    const [alone] = await put([{ lane: BOB }]);
    await claimed();
    await owner.release('one', [alone!]);
    await claimed();
    await end([alone], { kind: 'waiting', dueAt: T0 });
    expect(notified.splice(0)).toEqual([]);
    await end([first]);
    expect(notified.splice(0)).toEqual(['aep']);
    const again = await claimed({ replays: 0 });
    const second = again.find((receipt) => receipt !== alone);
    await end([second], { kind: 'waiting', dueAt: T0 + 1 });
    expect(notified.splice(0)).toEqual(['aep']);
    await sql('DELETE FROM queue WHERE receipt = $1', [alone!]);
    await end([alone], { kind: 'lost' });
    expect(notified).toEqual(['aep']);
    expect(await claimed()).toEqual([replay]);
  });

  it('claims only in its slots, and what it has lost belongs to another one', async () => {
    const { put, claimed, leases, owner } = await ownerRig();
    const [slotOfAnn, slotOfBob] = [ANN, BOB].map((lane) => slotOf(laneKeyOf(lane, '')));
    expect(slotOfAnn).not.toBe(slotOfBob);
    const [ann, bob, next] = await put([{ lane: ANN }, { lane: BOB }, { lane: ANN }]);
    await leases.join('aep');
    leases.lose('aep', [slotOfBob!]);
    expect(await claimed()).toEqual([ann]);
    expect([...leases.held('aep')]).toEqual([slotOfAnn]);
    leases.lose('aep', [slotOfAnn!]);
    expect(owner.claims.find('one', ann!)).toBeUndefined();
    expect([...leases.held('aep')]).toEqual([]);
    await leases.gain('aep', slotOfBob!, 3);
    expect(await claimed()).toEqual([bob]);
    expect(owner.claims.find('one', bob!)).toMatchObject({ epoch: 3, lane: BOB });
    await leases.gain('aep', slotOfAnn!, 2);
    expect(await claimed()).toEqual([ann]);
    expect(next).toBeDefined();
  });

  it('settles what it holds in slots that are to be given back, and claims nothing there', async () => {
    const { put, claimed, leases, end } = await ownerRig();
    const [ann, next] = await put([{ lane: ANN }, { lane: ANN }]);
    expect(await claimed()).toEqual([ann]);
    const slot = slotOf(laneKeyOf(ANN, ''));
    leases.owned.get('aep')!.delete(slot);
    expect(await claimed()).toEqual([]);
    expect([...leases.held('aep')]).toEqual([slot]);
    await end([ann]);
    expect(await claimed()).toEqual([]);
    expect([...leases.held('aep')]).toEqual([]);
    leases.owned.get('aep')!.set(slot, 1);
    expect(await claimed()).toEqual([next]);
  });

  it('claims nothing while its lease is in doubt, and asks again soon', async () => {
    const { put, claim, leases } = await ownerRig();
    await put([{}]);
    await leases.join('aep');
    leases.owned.get('aep')!.clear();
    expect(await claim()).toEqual({ ...NOTHING, dueIn: 250 });
  });

  it.each(['when a heartbeat finds it', 'at once'])(
    'reads everything again after a change of the server, but what is claimed: %s',
    async (when) => {
      const { put, claimed, leases, end, sql, owner } = await ownerRig();
      const [first, waiting, second, other] = await put([{ lane: ANN }, { lane: BOB }, { lane: ANN }, {}]);
      expect(await claimed({ events: 2 })).toEqual([first, waiting]);
      await end([waiting], { kind: 'waiting', dueAt: T0 + 1_000 });
      await sql('UPDATE queue SET due_at = $1', [T0]);
      if (when === 'at once') owner.restart();
      else leases.changeServer('aep');
      expect(await claimed()).toEqual([waiting, other]);
      await end([first]);
      expect(await claimed()).toEqual([second]);
    },
  );

  it.each([
    ['scan_queue', 0],
    ['read_heads', 0],
    ['next_of_lanes', 0],
    ['former_heads', 0],
    // The lane has no head any more, so nothing has to be pinned.
    ['pin_entries', 1],
  ])('holds nothing after a failure of %s, and goes on', async (name, held) => {
    const { put, claimed, failing, leases, end, owner } = await ownerRig();
    const [first, second] = await put([{ lane: ANN }, { lane: ANN }, { dueAt: T0 + 1_000 }]);
    expect(await claimed()).toEqual([first]);
    await put([{ lane: ANN, seq: 5 }]);
    failing.add(name);
    owner.claims.lanesMoved('aep');
    await claimed().catch(() => undefined);
    await end([first]);
    await claimed().catch(() => undefined);
    expect([...leases.held('aep')]).toHaveLength(held);
    failing.clear();
    expect(second).toBeDefined();
    expect((await claimed()).length + leases.held('aep').size).toBeGreaterThan(0);
  });
});
