import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keepsBodySql } from '../../src/journal/postgres/engine/body-presence.ts';
import { createSettlements } from '../../src/journal/postgres/engine/settlements.ts';
import { dropBodies, dropRecords } from '../../src/journal/postgres/maintenance/partition-drops.ts';
import { walkRecords } from '../../src/journal/postgres/maintenance/partition-walk.ts';
import type { Session, Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { settled } from '../contract/samples.ts';
import {
  DAY,
  type Engine,
  type MaintenanceRig,
  maintenanceRig,
  T0,
  TODAY,
} from './postgres-maintenance-rig.ts';
import { ClaimsInTest } from './postgres-settle-rig.ts';

/** Stops transactions before they take the locks that everybody waits for. */
function pausing(sessions: Sessions, meanwhile: () => Promise<void>): Sessions {
  let isPaused = false;
  const wrapped = (session: Session): Session => ({
    ...session,
    query: async (statement, params) => {
      if (!isPaused && statement.name.endsWith('ACCESS EXCLUSIVE')) {
        isPaused = true;
        await meanwhile();
      }
      return session.query(statement, params);
    },
  });
  return {
    ...sessions,
    transaction: (purpose, work) => sessions.transaction(purpose, (session) => work(wrapped(session))),
  };
}

/** Delivers an event under the slots of another process. */
async function deliver({ sql }: MaintenanceRig, { engine }: Engine, seq: number) {
  await sql(`INSERT INTO slots (destination, slot, owner, epoch)
    SELECT 'aep', n, '${engine.replica}', 1 FROM generate_series(0, 63) n`);
  const [row] = await sql(`SELECT * FROM queue WHERE seq = ${seq}`);
  const claims = new ClaimsInTest();
  const receipt = row?.['receipt'] as string;
  claims.hold({
    token: 'one',
    receipt,
    destination: 'aep',
    source: 'acme',
    isReplay: false,
    stream: 0,
    pos: seq,
    seq,
    day: TODAY,
    lane: null,
    laneKey: Number(row?.['lane_key']),
    epoch: 1,
  });
  return createSettlements(engine, claims).settle('one', [settled.delivered(receipt)]);
}

describe('the drop of a partition', () => {
  it.each(['bodies', 'records'])(
    'of %s lets deliveries of other days go on until its last moment',
    async (what) => {
      const rig = await maintenanceRig();
      const { retain, seed, sql, value } = rig;
      await retain();
      const [{ engine }, other] = [await rig.another(), await rig.another()];
      const [old] = await seed({ day: TODAY - 1, body: null });
      const [pending] = await seed({ state: 'p' });
      const sessions = pausing(engine.sessions, async () => {
        expect(await deliver(rig, other, pending!)).toEqual({ stale: [] });
      });
      const dropped =
        what === 'bodies'
          ? await dropBodies({ sessions }, TODAY - 1, T0)
          : await dropRecords({ ...engine, sessions }, TODAY - 1, T0);
      expect(dropped).toEqual({ done: what === 'bodies' ? 0 : 1 });
      expect(await value(`SELECT state FROM events WHERE seq = ${pending}`)).toBe('d');
      const left = await sql(`SELECT FROM events WHERE seq = ${old}`);
      expect(left).toHaveLength(what === 'bodies' ? 1 : 0);
      expect(await value('SELECT sum(stored_events) FROM counts')).toBe(what === 'bodies' ? 2 : 1);
    },
  );

  it('does not take what is added to the day in its last moment', async () => {
    const { another, retain, seed, sql, value } = await maintenanceRig();
    await retain();
    const { engine } = await another();
    await seed({ body: null });
    await dropBodies(engine, TODAY, T0);
    const added: number[] = [];
    const sessions = pausing(engine.sessions, async () => void added.push(...(await seed({ state: 'p' }))));
    expect(await dropRecords({ ...engine, sessions }, TODAY, T0)).toBe('unsuitable');
    expect(await sql(`SELECT seq FROM queue JOIN events USING (seq) JOIN bodies USING (seq)`)).toEqual([
      { seq: added[0] },
    ]);
    expect(await value('SELECT count(*) FROM events')).toBe(2);
    expect(await dropRecords(engine, TODAY, T0)).toEqual({ done: 1 });
    expect(await sql('SELECT seq FROM events')).toEqual([{ seq: added[0] }]);
    expect(await value('SELECT sum(stored_events) FROM counts')).toBe(1);
  });

  it('counts each record once, even if another process removes records at the same time', async () => {
    const rig = await maintenanceRig();
    const { engine, retain, seed, value, clock } = rig;
    await retain();
    await seed({ body: null, count: 3 });
    clock.now = T0 + 8 * DAY;
    const { engine: other } = await rig.another();
    const removed: number[] = [];
    const walk = {
      engine: other,
      day: TODAY,
      blocks: 1,
      onStep: async (count: number) => void removed.push(count),
      signal: new AbortController().signal,
    };
    const sessions = pausing(engine.sessions, () => walkRecords(walk, T0));
    expect(await dropRecords({ ...engine, sessions }, TODAY, T0)).toEqual({ done: 3 });
    expect(removed).toEqual([0]);
    expect(await value('SELECT sum(stored_events) FROM counts')).toBe(0);
  });

  it('waits for who makes an event pending again, or that one finds that the body is gone', async () => {
    const { url, schema, engine, retain, seed, value } = await maintenanceRig();
    await retain();
    const [seq] = await seed({});
    const operator = new pg.Client({ connectionString: url });
    await operator.connect();
    onTestFinished(() => operator.end());

    await operator.query(`SET search_path = ${schema}; BEGIN;
      SELECT FROM events WHERE seq = ${seq} FOR UPDATE;
      SELECT ${keepsBodySql('events')} FROM events WHERE seq = ${seq}`);
    expect(await dropBodies(engine, TODAY, T0)).toBe('busy');
    await operator.query(`UPDATE events SET state = 'p', settled_at = NULL WHERE seq = ${seq}; COMMIT`);
    expect(await dropBodies(engine, TODAY, T0)).toEqual({ done: 0 });
    expect(await value('SELECT seq FROM bodies')).toBe(seq);
  });
});
