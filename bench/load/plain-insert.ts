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
  readonly callers: number;
  readonly count: number;
  readonly bodyBytes: number;
}

interface Waiting {
  readonly row: readonly unknown[];
  readonly resolve: () => void;
}

const TABLE = `CREATE TABLE IF NOT EXISTS plain_events (
  receipt uuid NOT NULL, source text NOT NULL, destination text NOT NULL, identity bytea NOT NULL,
  lane text NOT NULL, customer_id text NOT NULL, event_id text NOT NULL, event_name text NOT NULL,
  org_id bigint NOT NULL, created_at bigint NOT NULL, received_at bigint NOT NULL,
  verified_by text NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (identity, source))`;

const TYPES = ['uuid', 'text', 'text', 'bytea', 'text', 'text', 'text', 'text']
  .concat(['bigint', 'bigint', 'bigint', 'text', 'bytea'])
  .map((type, index) => `$${index + 1}::${type}[]`);

const INSERT = {
  name: 'insert',
  text: `INSERT INTO plain_events SELECT * FROM unnest(${TYPES.join(', ')}) ON CONFLICT DO NOTHING`,
};

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

async function insertAll({ url, callers, count, bodyBytes }: InsertJob): Promise<number> {
  const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  await clients[0]?.query(TABLE);
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
    const columns = TYPES.map((_, column) => taken.map(({ row }) => row[column]));
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
