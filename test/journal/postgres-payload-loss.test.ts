import { describe, expect, it } from 'vitest';
import { sha256 } from '../contract/samples.ts';
import { ownerRig } from './postgres-queue-owner-rig.ts';
import { T0 } from './postgres-queue-rig.ts';

const ANN = sha256('ann');
const KEY = Buffer.alloc(32, 1);
const COUNTS = `SELECT sum(pending)::int AS pending, sum(replaying)::int AS replaying, sum(dead)::int AS dead,
  sum(stored_bytes)::int AS bytes FROM counts`;

describe('an event that cannot be read when it would be claimed', () => {
  it.each([
    ['damaged', Buffer.from('?'), 'its stored payload is damaged', 1],
    ['missing', null, 'its stored payload is missing', 0],
  ])('is a dead letter if its body is %s, can be sent again, and the lane goes on', async (...of) => {
    const [, stored, detail, bytes] = of;
    const { put, claimed, sql, lost } = await ownerRig();
    const [bad, next] = await put([
      { lane: ANN, stored, isReplay: true },
      { lane: ANN, isReplay: true },
    ]);
    expect(await claimed()).toEqual([next]);
    expect(
      await sql('SELECT state, reason, detail, identity, settled_at, is_replay FROM events'),
    ).toContainEqual({
      state: 'x',
      reason: 'payload-lost',
      detail,
      identity: null,
      settled_at: T0,
      is_replay: false,
    });
    expect(await sql('SELECT receipt, source, destination, since, is_malformed FROM dead_letters')).toEqual([
      { receipt: bad, source: 'acme', destination: 'aep', since: T0, is_malformed: false },
    ]);
    expect(await sql(COUNTS)).toEqual([{ pending: -1, replaying: -1, dead: 1, bytes: 0 - bytes }]);
    expect(await sql('SELECT count(*)::int FROM bodies')).toEqual([{ count: 1 }]);
    expect(lost).toEqual([
      { receipt: bad, source: 'acme', destination: 'aep', reason: 'payload-lost', detail },
    ]);
  });

  it('is a dead letter with its body if the state of its customer is damaged, which is removed', async () => {
    const { put, claimed, sql, lost } = await ownerRig();
    await sql('INSERT INTO profiles VALUES ($1, $2, $3)', ['aep', ANN, Buffer.from('?')]);
    await put([{ lane: ANN }]);
    const [next] = await put([{ lane: ANN }]);
    expect(await claimed()).toEqual([next]);
    expect(lost).toMatchObject([{ detail: expect.stringContaining('its own payload is intact') }]);
    expect(await sql('SELECT count(*)::int FROM bodies')).toEqual([{ count: 2 }]);
    expect(await sql('SELECT count(*)::int FROM events WHERE identity IS NULL')).toEqual([{ count: 0 }]);
    expect(await sql('SELECT * FROM profiles')).toEqual([]);
    expect(await sql(COUNTS)).toEqual([{ pending: -1, replaying: 0, dead: 1, bytes: 0 }]);
  });

  it('stays pending if its key is not configured, with its lane behind it, and is reported once', async () => {
    const { put, claim, claimed, end, leases, unreadable } = await ownerRig();
    const sealed = (await ownerRig([KEY])).engine.cipher.encrypt(Buffer.from('{}'));
    const [lane, , loose, other] = await put([
      { lane: ANN, stored: sealed },
      { lane: ANN },
      { stored: sealed },
      {},
    ]);
    expect(await claimed()).toEqual([other]);
    expect(await claim()).toEqual({ token: 'one', events: [] });
    await end([other]);
    leases.changeServer('aep');
    await put([{ lane: ANN, seq: 3, isPinned: false, dueAt: T0 + 1 }]);
    expect(await claim()).toMatchObject({ events: [], dueIn: 1 });
    expect(unreadable).toEqual([
      [expect.any(String), 'key-unknown', lane],
      [expect.any(String), 'key-unknown', loose],
    ]);
  });

  it('is left alone if another process has its slot', async () => {
    const { put, claimed, sql, lost } = await ownerRig();
    await put([{ stored: null }]);
    await claimed({ events: 0 });
    await sql('UPDATE slots SET epoch = epoch + 1');
    expect(await claimed()).toEqual([]);
    expect(lost).toEqual([]);
    expect(await sql('SELECT count(*)::int FROM queue')).toEqual([{ count: 1 }]);
  });

  it('is not claimed if that cannot be written, and is dealt with later', async () => {
    const { put, claimed, failing, leases, lost } = await ownerRig();
    const [good] = await put([{}, { stored: null }]);
    failing.add('lose_payload');
    await expect(claimed()).rejects.toThrow('lose_payload fails');
    expect([...leases.held('aep')]).toEqual([]);
    failing.clear();
    expect(await claimed()).toEqual([good]);
    expect(lost).toHaveLength(1);
  });
});
