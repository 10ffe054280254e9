import { storedText } from '../postgres/engine/stored-text.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import type { Param } from '../postgres/sessions/session.ts';
import type { CopiedValue } from './copied-rows.ts';

/** Types of the columns of the copy in PostgreSQL. */
const TYPES: Readonly<Record<string, string>> = {
  id: 'bigint',
  seq: 'bigint',
  pos: 'bigint',
  n: 'smallint',
  day: 'integer',
  stream: 'integer',
  receipt: 'uuid',
  identity: 'bytea',
  body: 'bytea',
  entities: 'bytea',
  json: 'bytea',
  notes: 'bytea',
  headers: 'bytea',
  filter: 'bytea',
  at: 'bigint',
  last_at: 'bigint',
  since: 'bigint',
  received_at: 'bigint',
  expires_at: 'bigint',
  settled_at: 'bigint',
  created_at: 'bigint',
  finished_at: 'bigint',
  due_at: 'bigint',
  org_id: 'bigint',
  lane_key: 'integer',
  customer_key: 'integer',
  event_key: 'integer',
  body_bytes: 'integer',
  bytes: 'integer',
  batch_size: 'integer',
  status: 'integer',
  failures: 'integer',
  charged: 'integer',
  replays: 'integer',
  delivered: 'smallint',
  duration_ms: 'double precision',
  is_replay: 'boolean',
  is_pinned: 'boolean',
  is_malformed: 'boolean',
  is_running: 'boolean',
  bill: 'boolean',
  as_new: 'boolean',
  key: 'bigint',
  customer: 'bigint',
  counted: 'bigint',
  shared: 'bigint',
  copies: 'bigint',
  attempts: 'integer',
  matched: 'bigint',
  replayed: 'bigint',
  events: 'bigint',
  doubted: 'bigint',
  events_acknowledged: 'bigint',
  profiles_acknowledged: 'bigint',
  events_unanswered: 'bigint',
  profiles_unanswered: 'bigint',
  landed: 'bigint',
  refused_later: 'bigint',
  from_at: 'bigint',
  until_at: 'bigint',
};

/** Columns that have another type in one table, or another form as a parameter. */
const SPECIAL: Readonly<Record<string, { readonly type: string; readonly sql?: string }>> = {
  'profiles.state': { type: 'bytea' },
  'programs.json': { type: 'text' },
  'reconciliation_notes.json': { type: 'text' },
  'reconciliation_notes.key': { type: 'text' },
  'refreshes.customer': { type: 'boolean' },
  'events.state': { type: 'text', sql: 'i.state::"char"' },
  'quarantine.reasons': { type: 'text', sql: 'ARRAY(SELECT json_array_elements_text(i.reasons::json))' },
};

function paramOf(value: CopiedValue | undefined): CopiedValue {
  if (typeof value === 'string') return storedText(value);
  if (value === undefined || value === null) return null;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return typeof value === 'object' ? JSON.stringify(value.map(storedText)) : value;
}

/** Inserts rows in their order. */
export async function insertRows(
  connection: Connection,
  table: string,
  rows: readonly Readonly<Record<string, CopiedValue | undefined>>[],
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  const specials = columns.map((column) => SPECIAL[`${table}.${column}`]);
  const types = columns.map((column, index) => specials[index]?.type ?? TYPES[column] ?? 'text');
  const names = columns.map((column) => `"${column}"`);
  await connection.query(
    {
      name: '',
      text: `INSERT INTO ${table} (${names.join(', ')}) OVERRIDING SYSTEM VALUE
        SELECT ${columns.map((column, index) => specials[index]?.sql ?? `i."${column}"`).join(', ')}
        FROM unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')})
          WITH ORDINALITY AS i (${names.join(', ')}, ordinal) ORDER BY ordinal`,
    },
    columns.map((column) => rows.map((row) => paramOf(row[column])) as Param),
  );
}
