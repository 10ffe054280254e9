import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import type { NewEvent, Settlement } from '../../src/journal/journal.ts';
import { createPayloadCipher } from '../../src/journal/payload-cipher.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { createAppends } from '../../src/journal/postgres/engine/event-appends.ts';
import { createSettlements, type Settlements } from '../../src/journal/postgres/engine/settlements.ts';
import type { HeldClaim, HeldClaims } from '../../src/journal/postgres/queue/held-claim.ts';
import { openSessions } from '../../src/journal/postgres/sessions/open-sessions.ts';
import type { Statement } from '../../src/journal/postgres/sessions/session.ts';
import type { Figure } from '../part.ts';
import type { PostgresRig } from './rig.ts';

/** Events of one call of `append`, and of one request to the inlet. */
const BATCH = 100;
/** Requests that are settled at the same time. */
const CONCURRENT_REQUESTS = 4;
/** Events that wait in the queue at most: those in flight. */
const MAX_BACKLOG = 4_000;
const BODY_BYTES = 330;
const CUSTOMERS = 50_000;
const DESTINATION = 'aep';

/** What a table holds after all events were settled. */
interface TableState {
  readonly table: string;
  /** With its indexes and its TOAST table. */
  readonly bytes: number;
  readonly indexBytes: number;
  readonly dead: number;
  readonly updated: number;
  readonly hot: number;
}

interface Bloat {
  readonly events: number;
  readonly seconds: number;
  readonly tables: readonly TableState[];
  /** Bytes of write-ahead log. */
  readonly walBytes: number;
  /** Size of the queue with its indexes when a third of the events was settled, and at the end. */
  readonly queueBytes: readonly [number, number];
}

function eventOf(n: number): NewEvent {
  const text = `{"n":${n},"eventName":"transactionAdded","data":{`;
  const createdAt = Date.now();
  return {
    source: 'acme',
    destination: DESTINATION,
    identity: createHash('sha256').update(`event ${n}`).digest('hex'),
    lane: createHash('sha256')
      .update(`customer ${n % CUSTOMERS}`)
      .digest('hex'),
    customerId: String(n % CUSTOMERS),
    orgId: 100_737,
    eventName: 'transactionAdded',
    eventId: randomUUID(),
    createdAt,
    receivedAt: createdAt,
    verifiedBy: 'header:x-relay-key',
    body: Buffer.from(text.padEnd(BODY_BYTES, 'x')),
  };
}

const NEXT_ENTRIES: Statement = {
  name: 'bench_next_entries',
  text: `SELECT receipt, source, is_replay AS "isReplay", stream, pos, seq, day, lane, lane_key AS "laneKey"
    FROM queue WHERE destination = '${DESTINATION}' AND NOT is_replay AND stream = $1 AND pos > $2
    ORDER BY pos LIMIT ${BATCH}`,
};

/** Claims every entry once, in the order of each stream. */
class Claims implements HeldClaims {
  readonly #held = new Map<string, HeldClaim>();
  readonly #reached = new Map<number, number>();
  #last: Promise<unknown> = Promise.resolve();
  settled = 0;

  /** The next entries of a stream, after the earlier calls. */
  take(engine: PostgresEngine, stream: number): Promise<readonly HeldClaim[]> {
    const taken = this.#last.then(() => this.#take(engine, stream));
    this.#last = taken.catch(() => undefined);
    return taken;
  }

  async #take({ sessions }: PostgresEngine, stream: number): Promise<readonly HeldClaim[]> {
    const from = this.#reached.get(stream) ?? 0;
    const rows = await sessions.query<HeldClaim>('work', NEXT_ENTRIES, [stream, from]);
    const claims = rows.map((row) => ({ ...row, token: 'bench', destination: DESTINATION, epoch: 1 }));
    for (const claim of claims) this.#held.set(claim.receipt, claim);
    this.#reached.set(stream, claims.at(-1)?.pos ?? from);
    return claims;
  }

  find(_token: string, receipt: string): HeldClaim | undefined {
    return this.#held.get(receipt);
  }

  end(ends: readonly { readonly claim: HeldClaim }[]): Promise<void> {
    for (const { claim } of ends) this.#held.delete(claim.receipt);
    this.settled += ends.length;
    return Promise.resolve();
  }

  lanesMoved(): void {}

  claimedHead(): undefined {
    return undefined;
  }
}

async function settleRequest(settlements: Settlements, claims: readonly HeldClaim[]): Promise<void> {
  const request = {
    id: randomUUID(),
    at: Date.now(),
    kind: 'event' as const,
    status: 207,
    durationMs: 20,
    batchSize: claims.length,
  };
  const all = claims.map(({ receipt, lane, seq }, n): Settlement => {
    const attempts = [{ request, outcome: 'delivered', xactionId: `1700000000:4000:${n}` }];
    const state = `{"seq":${seq},"facts":"${'f'.repeat(600)}"}`;
    const profiles = lane === null ? [] : [{ lane, state }];
    return { receipt, attempts, delivered: ['event', 'profile'], profiles, state: 'delivered' };
  });
  const { stale } = await settlements.settle('bench', all);
  if (stale.length > 0) throw new Error(`${stale.length} settlements are stale`);
}

async function streamsOf({ sessions }: PostgresEngine): Promise<number[]> {
  const rows = await sessions.query<{ id: number }>('work', {
    name: 'bench_streams',
    text: 'SELECT id FROM streams ORDER BY id',
  });
  return rows.map(({ id }) => id);
}

async function appendAndSettle(
  engine: PostgresEngine,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const appends = createAppends(engine);
  const claims = new Claims();
  const settlements = createSettlements(engine, claims);
  let appended = from;
  const appending = async (): Promise<void> => {
    while (appended < to) {
      const first = appended;
      appended = Math.min(to, appended + BATCH);
      await appends.append(Array.from({ length: appended - first }, (_, n) => eventOf(first + n)));
      while (appended - from - claims.settled > MAX_BACKLOG)
        await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  let streams: readonly number[] = [];
  const settling = async (): Promise<void> => {
    while (claims.settled < to - from) {
      let taken = 0;
      for (const stream of streams) {
        const batch = await claims.take(engine, stream);
        taken += batch.length;
        if (batch.length > 0) await settleRequest(settlements, batch);
      }
      if (taken > 0) continue;
      // Connections are opened one after the other, and again when they were lost.
      streams = await streamsOf(engine);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  await Promise.all([
    ...Array.from({ length: CONCURRENT_REQUESTS }, appending),
    ...Array.from({ length: CONCURRENT_REQUESTS }, settling),
  ]);
}

const TABLES = `SELECT replace(c.relname, '_' || floor(extract(epoch FROM now()) / 86400)::text, '') AS table,
    pg_total_relation_size(c.oid)::bigint AS bytes, pg_indexes_size(c.oid)::bigint AS "indexBytes",
    s.n_dead_tup AS dead, s.n_tup_upd AS updated, s.n_tup_hot_upd AS hot
  FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
  WHERE s.schemaname = current_schema() AND pg_total_relation_size(c.oid) > 65536 OR c.relname = 'counts'
  ORDER BY bytes DESC`;

/**
 * Appends events and settles them as delivered with a profile each, a few thousand in flight, and
 * says what is left in the tables: size, dead rows, and which updates were HOT.
 * @param url of a database whose user may create a schema; it is dropped afterwards
 */
async function measureBloat(url: string, events: number): Promise<Bloat> {
  const schema = `relay_bloat_${randomUUID().slice(0, 8)}`;
  const replica = randomUUID();
  const inSchema = new URL(url);
  inSchema.searchParams.set('options', `-c search_path=${schema}`);
  const client = new pg.Client({ connectionString: inSchema.href });
  client.setTypeParser(pg.types.builtins.INT8, Number);
  const sessions = await openSessions({
    url: () => Promise.resolve(url),
    schema,
    replica,
    log: pino({ level: 'silent' }),
  });
  try {
    await client.connect();
    await client.query(`INSERT INTO slots (destination, slot, owner, epoch)
      SELECT '${DESTINATION}', n, '${replica}', 1 FROM generate_series(0, 63) n`);
    const { rows: before } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    const engine: PostgresEngine = {
      sessions,
      cipher: createPayloadCipher([]),
      replica,
      now: () => Date.now(),
      reportUnreadable: () => undefined,
      notifyClaimable: () => undefined,
    };
    const started = performance.now();
    const queueSize = async (): Promise<number> => {
      const { rows } = await client.query<{ bytes: number }>(
        `SELECT pg_total_relation_size('queue')::bigint AS bytes`,
      );
      return rows[0]?.bytes ?? 0;
    };
    const first = Math.floor(events / 3);
    await appendAndSettle(engine, { from: 0, to: first });
    const early = await queueSize();
    await appendAndSettle(engine, { from: first, to: events });
    const queueBytes: readonly [number, number] = [early, await queueSize()];
    const seconds = (performance.now() - started) / 1_000;
    const { rows: wal } = await client.query<{ bytes: number }>(
      'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1)::bigint AS bytes',
      [before[0]?.lsn],
    );
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { rows: tables } = await client.query<TableState>(TABLES);
    return { events, seconds, tables, walBytes: wal[0]?.bytes ?? 0, queueBytes };
  } finally {
    await sessions.close();
    await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await client.end();
  }
}

/** What a table keeps after many events: its size, its dead rows, and how many updates were HOT. */
export async function measureTables({ bench, server }: PostgresRig): Promise<readonly Figure[]> {
  const count = bench.short ? 20_000 : 1_000_000;
  bench.log(`tables after ${count} events`);
  const { events, tables, walBytes, queueBytes, seconds } = await measureBloat(server.url(), count);
  const rows = tables.flatMap(({ table: partition, bytes, dead, updated, hot }): readonly Figure[] => {
    // Nobody maintains these tables, so no day has a partition of its own.
    const table = partition.replace('_default', '');
    if (!['events', 'profiles', 'counts', 'queue'].includes(table)) return [];
    return [
      { what: `${table}: size`, value: bytes / 1_048_576, unit: 'MiB' },
      { what: `${table}: dead rows`, value: dead, unit: '' },
      ...(updated > 0 ? [{ what: `${table}: HOT updates`, value: (hot * 100) / updated, unit: '%' }] : []),
    ];
  });
  const [early, late] = queueBytes;
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    { what: `${events} events appended and settled`, value: events / seconds, unit: '/s' },
    { what: 'write-ahead log per event', value: walBytes / events / 1_024, unit: 'KiB' },
    { what: 'tables and indexes per event', value: total / events / 1_024, unit: 'KiB' },
    ...rows,
    {
      what: 'queue: size at the end / after a third',
      value: late / early,
      unit: '×',
      // It grows until the server has removed dead rows for the first time, which takes a minute.
      ...(!bench.short && { goal: { most: 1.5 } }),
    },
  ];
}
