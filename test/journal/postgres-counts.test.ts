import { describe, expect, it } from 'vitest';
import {
  addCounts,
  addCountsSql,
  quarantineUsage,
  readLedger,
  readPending,
  readStored,
} from '../../src/journal/postgres/engine/count-changes.ts';
import { laneKeyOf, laneKeySql } from '../../src/journal/postgres/engine/lane-keys.ts';
import { sha256 } from '../contract/samples.ts';
import { appendRig } from './postgres-append-rig.ts';

const NONE = { accepted: 0, pending: 0, delivered: 0, ignored: 0, dead: 0, malformed: 0, quarantined: 0 };

describe('the counts of a PostgreSQL store', () => {
  it('are sums over all connections, and zero is a count', async () => {
    const { sessions, sql } = await (await appendRig()).replica();
    const add = (source: string, destination: string, changes: Parameters<typeof addCounts>[2]) =>
      sessions.transaction('settle', (session) => addCounts(session, { source, destination }, changes));
    await add('b', 'aep', { accepted: 3, pending: 3, stored_events: 3, stored_bytes: 300 });
    await add('b', 'aep', { pending: -1, delivered: 1, replaying: 1 });
    await add('b', 'other', { pending: -2, dead: 2 });
    await add('a', '', { malformed: 1 });
    await add('a', '', { malformed: -1 });
    await sql(
      `INSERT INTO counts (stream, source, destination, pending, ignored) VALUES (0, 'b', 'aep', -2, 2)`,
    );
    const ledger = await readLedger(sessions);
    expect(Object.entries(ledger)).toEqual([
      ['a', NONE],
      ['b', { ...NONE, accepted: 3, pending: -2, delivered: 1, ignored: 2, dead: 2 }],
    ]);
    expect(await readPending(sessions)).toEqual([
      { destination: 'aep', pending: 0, replaying: 1 },
      { destination: 'other', pending: -2, replaying: 0 },
    ]);
    expect(await readStored(sessions)).toEqual({ events: 3, bytes: 300 });
  });

  it('can be changed for many sources and destinations in one statement', async () => {
    const { sessions } = await (await appendRig()).replica();
    const text = `WITH changed (source, destination, state, n) AS (
        VALUES ('a', 'x', 'd', 2), ('a', 'x', 'i', 3), ('b', 'x', 'd', 4), ('a', 'y', 'i', 5))
      ${addCountsSql('changed', {
        pending: '-count(*)',
        delivered: `count(*) FILTER (WHERE state = 'd')`,
        stored_bytes: 'sum(n)',
      })}`;
    await sessions.queryAs('settle', { name: 'change', text });
    await sessions.queryAs('settle', { name: 'change', text });
    expect(await readLedger(sessions)).toMatchObject({
      a: { pending: -6, delivered: 2 },
      b: { pending: -2, delivered: 2 },
    });
    expect(await readStored(sessions)).toEqual({ events: 0, bytes: 28 });
  });

  it('say what a source has in quarantine', async () => {
    const { sessions } = await (await appendRig()).replica();
    await sessions.transaction('work', async (session) => {
      expect(await quarantineUsage(session, 'a')).toEqual({ count: 0, bytes: 0 });
      await addCounts(session, { source: 'a', destination: '' }, { quarantined: 2, quarantined_bytes: 70 });
      expect(await quarantineUsage(session, 'a')).toEqual({ count: 2, bytes: 70 });
    });
  });
});

describe('the key of a lane in SQL', () => {
  it('is the same as in the relay', async () => {
    const { sessions } = await (await appendRig()).replica();
    const lanes = [
      sha256('ann'),
      sha256('bob'),
      'f'.repeat(64),
      '0'.repeat(64),
      '',
      'Zoë 🎁',
      'A'.repeat(64),
    ];
    const text = `SELECT lane, ${laneKeySql('lane')} AS key FROM unnest($1::text[]) AS l (lane)`;
    const rows = await sessions.query('work', { name: '', text }, [lanes]);
    expect(rows).toEqual(lanes.map((lane) => ({ lane, key: laneKeyOf(lane, '') })));
  });
});
