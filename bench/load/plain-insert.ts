import { createHash, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';

/*
 * What a program that only inserts achieves: callers that wait for the commit of their row, and
 * statements with all rows that wait, one at a time on each of two connections. A process of its
 * own, as the relay is.
 */

const CONNECTIONS = 2;
const MAX_ROWS = 1_024;

interface InsertJob {
  readonly url: string;
  /** Of a relay, whose tables are copied. */
  readonly schema: string;
  readonly callers: number;
  readonly count: number;
  readonly bodyBytes: number;
}

interface Waiting {
  readonly row: readonly unknown[];
  readonly resolve: () => void;
}

/** The tables of a relay with their indexes, and without partitions. */
const TABLES = ['events', 'bodies', 'queue'];

const COLUMNS = ['receipt uuid', 'source text', 'destination text', 'identity bytea', 'lane text']
  .concat(['customer_id text', 'event_id text', 'event_name text', 'org_id bigint', 'created_at bigint'])
  .concat(['received_at bigint', 'verified_by text', 'body bytea'])
  .map((column) => column.split(' ') as [string, string]);
const NAMES = COLUMNS.map(([name]) => name).join(', ');
const ARRAYS = COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');

/** What the relay stores of an event, without its keys of lookups, its counts and its aliases. */
const INSERT = {
  name: 'insert',
  text: `WITH base AS MATERIALIZED (SELECT nextval('plain_positions') AS n),
    input AS MATERIALIZED (
      SELECT base.n + i.ord AS seq, (i.created_at / 86400000)::integer AS day, hashtext(i.lane) AS lane_key, i.*
      FROM base, unnest(${ARRAYS}) WITH ORDINALITY AS i (${NAMES}, ord)
    ),
    added AS (
      INSERT INTO plain_events (day, seq, receipt, source, destination, identity, lane, lane_key, customer_id,
        customer_key, event_id, event_key, org_id, event_name, created_at, received_at, verified_by,
        body_bytes, due_at)
      SELECT day, seq, receipt, source, destination, identity, lane, lane_key, customer_id,
        hashtext(customer_id), event_id, hashtext(event_id), org_id, event_name, created_at, received_at,
        verified_by, length(body), received_at
      FROM input ON CONFLICT DO NOTHING
    ),
    payloads AS (INSERT INTO plain_bodies (day, seq, body) SELECT day, seq, body FROM input)
    INSERT INTO plain_queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
      received_at, body_bytes, due_at)
    SELECT destination, false, 1, seq, seq, day, receipt, source, lane, lane_key, received_at, length(body),
      received_at FROM input`,
};

function tablesSql(schema: string): string {
  return [
    'CREATE SEQUENCE IF NOT EXISTS plain_positions INCREMENT BY 2048',
    ...TABLES.map(
      (table) => `CREATE TABLE IF NOT EXISTS plain_${table} (LIKE ${schema}.${table} INCLUDING ALL)`,
    ),
  ].join('; ');
}

function rowOf(bodyBytes: number): readonly unknown[] {
  const customer = Math.floor(Math.random() * 20_000);
  const lane = createHash('sha256').update(String(customer)).digest('hex');
  const at = Date.now();
  const body = Buffer.alloc(bodyBytes, 'x');
  const names = ['acme', 'acme-aep', 'pointsIssued', 'header:x-relay-key'] as const;
  const [source, destination, eventName, verifiedBy] = names;
  const keys = [randomUUID(), source, destination, randomBytes(32), lane, String(customer), randomUUID()];
  return [...keys, eventName, 100_458, at, at, verifiedBy, body];
}

async function insertAll({ url, schema, callers, count, bodyBytes }: InsertJob): Promise<number> {
  const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  await clients[0]?.query(tablesSql(schema));
  const free = [...clients];
  let waiting: Waiting[] = [];
  let isScheduled = false;

  const flush = async (): Promise<void> => {
    isScheduled = false;
    const client = free.pop();
    if (client === undefined || waiting.length === 0) {
      if (client !== undefined) free.push(client);
      return;
    }
    const taken = waiting.splice(0, MAX_ROWS);
    const columns = COLUMNS.map((_, column) => taken.map(({ row }) => row[column]));
    await client.query({ ...INSERT, values: columns });
    free.push(client);
    for (const { resolve } of taken) resolve();
    schedule();
  };
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => void flush());
  };
  const insert = (row: readonly unknown[]): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ row, resolve });
      schedule();
    });

  let left = count;
  const call = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await insert(rowOf(bodyBytes));
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: callers }, call));
  const tookMs = performance.now() - started;
  waiting = [];
  await Promise.all(clients.map((client) => client.end()));
  return tookMs;
}

process.on('message', (job: InsertJob) => {
  void insertAll(job).then((tookMs) => process.send?.({ tookMs }));
});
