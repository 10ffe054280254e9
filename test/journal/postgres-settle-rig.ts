import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { createPayloadCipher } from '../../src/journal/payload-cipher.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { laneKeyOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { createSettlements, type Settlements } from '../../src/journal/postgres/engine/settlements.ts';
import type { ClaimEnd, HeldClaim, HeldClaims } from '../../src/journal/postgres/queue/held-claim.ts';
import { openSessions } from '../../src/journal/postgres/sessions/open-sessions.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { executeSql, freshSchema } from '../helpers/postgres-server.ts';
import { T0 } from '../contract/samples.ts';

/** Claims by hand: an entry of the queue, under the epoch that its slot has then. */
export class ClaimsInTest implements HeldClaims {
  readonly ended: { readonly receipt: string; readonly end: ClaimEnd }[] = [];
  readonly moved: string[] = [];
  readonly #held = new Map<string, HeldClaim>();

  hold(claim: HeldClaim): void {
    this.#held.set(claim.receipt, claim);
  }

  find(token: string, receipt: string): HeldClaim | undefined {
    const claim = this.#held.get(receipt);
    return claim?.token === token ? claim : undefined;
  }

  end(ends: readonly { readonly claim: HeldClaim; readonly end: ClaimEnd }[]): Promise<void> {
    for (const { claim, end } of ends) {
      this.#held.delete(claim.receipt);
      this.ended.push({ receipt: claim.receipt, end });
    }
    return Promise.resolve();
  }

  lanesMoved(destination: string): void {
    this.moved.push(destination);
  }

  claimedHead(): undefined {
    return undefined;
  }
}

/** One replica over the schema of the test. */
export interface ReplicaInTest extends Settlements {
  readonly engine: PostgresEngine;
  readonly claims: ClaimsInTest;
  readonly clock: { now: number };
  readonly notified: string[];
  /** Claims the entries of events under the token `one`. */
  readonly claim: (...receipts: readonly string[]) => Promise<void>;
  /** Claims and settles. @returns the stale receipts */
  readonly settleOne: (settlement: Settlement) => Promise<readonly string[]>;
  /** Becomes the owner of all slots of the destination. */
  readonly takeSlots: (destination?: string) => Promise<void>;
}

export interface NewPending {
  readonly destination?: string;
  readonly source?: string;
  readonly lane?: string;
  readonly isReplay?: boolean;
  readonly seq?: number;
}

export type Row = Readonly<Record<string, unknown>>;

export interface SettleRig {
  readonly url: string;
  readonly schema: string;
  /** Another replica; the first one owns all slots of `aep` until another takes them. */
  readonly replica: (options?: {
    readonly keys?: readonly Uint8Array[];
    readonly wrap?: (sessions: Sessions) => Sessions;
    readonly bounds?: { readonly counted: number; readonly shared: number };
  }) => Promise<ReplicaInTest>;
  /** Appends pending events in the order of the array. @returns their receipts */
  readonly put: (...events: readonly NewPending[]) => Promise<string[]>;
  readonly sql: (text: string) => Promise<Row[]>;
  /** The row of `events` with this receipt. */
  readonly event: (receipt: string) => Promise<Row>;
  /** Sums of the counts of all streams. */
  readonly counts: () => Promise<Row>;
  /** Receipts in the queue of a lane, in the order in which they follow. */
  readonly queued: (lane: string, destination?: string) => Promise<string[]>;
}

const DAY = 20_000;

/** An empty store, and what is needed to look into it. */
export async function settleRig(): Promise<SettleRig> {
  const { url, schema, ...created } = await freshSchema();
  const open: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    for (const close of open) await close();
    await created.drop();
  });
  const inSchema = new URL(url);
  inSchema.searchParams.set('options', `-c search_path=${schema}`);
  const sql = (text: string): Promise<Row[]> => executeSql(inSchema.href, text);
  let isOwned = false;

  const replica: SettleRig['replica'] = async ({
    keys = [],
    wrap = (same: Sessions): Sessions => same,
    bounds,
  } = {}) => {
    const id = randomUUID();
    const handle = await openSessions({
      url: () => Promise.resolve(url),
      schema,
      connections: 4,
      replica: id,
      log: pino({ level: 'silent' }),
    });
    open.push(() => handle.close());
    const clock = { now: T0 };
    const notified: string[] = [];
    const engine: PostgresEngine = {
      sessions: wrap(handle),
      cipher: createPayloadCipher(keys),
      replica: id,
      now: () => clock.now,
      reportUnreadable: () => undefined,
      notifyClaimable: (destination) => void notified.push(destination),
    };
    const claims = new ClaimsInTest();
    const settlements = createSettlements(engine, claims, bounds);
    const takeSlots = async (destination = 'aep') => {
      await sql(`INSERT INTO slots (destination, slot, owner, epoch)
        SELECT '${destination}', n, '${id}', 1 FROM generate_series(0, 63) n
        ON CONFLICT (destination, slot) DO UPDATE SET owner = excluded.owner, epoch = slots.epoch + 1`);
    };
    if (!isOwned) await takeSlots();
    isOwned = true;
    const claim = async (...receipts: readonly string[]) => {
      const rows = await sql(`SELECT q.*, s.epoch FROM queue q JOIN slots s
        ON s.destination = q.destination AND s.slot = (q.lane_key & 63)
        WHERE q.receipt IN ('${receipts.join("', '")}')`);
      if (rows.length !== receipts.length) throw new Error('not all of them are in the queue');
      for (const row of rows)
        claims.hold({
          token: 'one',
          receipt: row['receipt'] as string,
          destination: row['destination'] as string,
          source: row['source'] as string,
          isReplay: row['is_replay'] as boolean,
          stream: Number(row['stream']),
          pos: Number(row['pos']),
          seq: Number(row['seq']),
          day: Number(row['day']),
          lane: row['lane'] as string | null,
          laneKey: Number(row['lane_key']),
          epoch: Number(row['epoch']),
        });
    };
    const settleOne = async (settlement: Settlement) => {
      await claim(settlement.receipt);
      return (await settlements.settle('one', [settlement])).stale;
    };
    return { ...settlements, engine, claims, clock, notified, claim, settleOne, takeSlots };
  };

  const put: SettleRig['put'] = async (...events) => {
    const receipts = events.map(() => randomUUID());
    const values = events.map(({ destination = 'aep', source = 'acme', lane, isReplay = false, seq }, n) => {
      const identity = randomUUID().replaceAll('-', '').repeat(2);
      const key = laneKeyOf(lane ?? null, identity);
      const lanes = lane === undefined ? 'NULL' : `'${lane}'`;
      return `(${n}, '${receipts[n]}'::uuid, '${destination}', '${source}', ${lanes}, ${key}, ${isReplay},
        '\\x${identity}'::bytea, ${seq ?? 'NULL'}::bigint)`;
    });
    await sql(`WITH base AS MATERIALIZED (SELECT nextval('positions') AS at),
      input AS MATERIALIZED (SELECT *, base.at + n AS pos FROM base, (VALUES ${values.join(', ')})
        AS v(n, receipt, destination, source, lane, lane_key, is_replay, identity, seq)),
      e AS (INSERT INTO events (day, seq, receipt, source, destination, identity, lane, lane_key,
        received_at, verified_by, body_bytes, is_replay, due_at)
        SELECT ${DAY}, coalesce(seq, pos), receipt, source, destination, identity, lane, lane_key,
          ${T0}, 'test', 4, is_replay, ${T0} FROM input),
      b AS (INSERT INTO bodies SELECT ${DAY}, coalesce(seq, pos), '\\x00112233'::bytea FROM input),
      c AS (INSERT INTO counts (stream, source, destination, accepted, pending, replaying, stored_bytes)
        SELECT 0, source, destination, count(*), count(*), count(*) FILTER (WHERE is_replay), 4 * count(*)
        FROM input GROUP BY source, destination
        ON CONFLICT (stream, source, destination) DO UPDATE SET
          accepted = counts.accepted + excluded.accepted, pending = counts.pending + excluded.pending,
          replaying = counts.replaying + excluded.replaying,
          stored_bytes = counts.stored_bytes + excluded.stored_bytes)
      INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
        received_at, body_bytes, due_at)
      SELECT destination, is_replay, 0, pos, coalesce(seq, pos), ${DAY}, receipt, source, lane, lane_key,
        ${T0}, 4, ${T0} FROM input`);
    return receipts;
  };

  return {
    url,
    schema,
    replica,
    put,
    sql,
    event: async (receipt) => (await sql(`SELECT * FROM events WHERE receipt = '${receipt}'`))[0] ?? {},
    counts: async () => {
      const names = ['accepted', 'pending', 'replaying', 'delivered', 'ignored', 'dead', 'stored_bytes'];
      const sums = names.map((name) => `sum(${name})::int AS ${name}`).join(', ');
      return (await sql(`SELECT ${sums} FROM counts`))[0] ?? {};
    },
    queued: async (lane, destination = 'aep') =>
      (
        await sql(`SELECT receipt FROM queue WHERE lane = '${lane}' AND destination = '${destination}'
          ORDER BY is_replay, NOT is_pinned, seq`)
      ).map(({ receipt }) => receipt as string),
  };
}
