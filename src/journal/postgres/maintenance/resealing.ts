import type { PostgresEngine } from '../engine/engine.ts';
import { addCounts } from '../engine/count-changes.ts';
import { isReadable } from '../../payload-cipher.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import { SOME_COUNTS } from './partition-drops.ts';

/*
 * Brings everything that is encrypted into the form that is written now, in the order of the keys
 * of its tables. Only the beginning of a payload is read to see its form. Without a lock: whoever
 * replaces a payload in the meantime has written the current form.
 */

/** Rows that one step looks at, and the payloads and bytes that it rewrites at most. */
const MAX_ROWS = 1_000;
const MAX_REWRITTEN = 200;
const MAX_BYTES = 1_048_576;
/** Bytes that tell the form of a payload; see payload-cipher.ts. */
const FORM_BYTES = 5;

interface Key {
  readonly column: string;
  readonly type: 'bigint' | 'integer' | 'smallint' | 'text' | 'uuid';
  /** Less than or equal to every value. */
  readonly min: string;
}

interface SealedColumn {
  readonly table: string;
  readonly column: string;
  readonly keys: readonly Key[];
  /** Whether its size counts as stored bytes. */
  readonly isCounted: boolean;
  /** Most rows have none: a step that looked for the next one could read all of the table. */
  readonly isRare?: true;
}

const SEQ: Key = { column: 'seq', type: 'bigint', min: '0' };
const DAY: Key = { column: 'day', type: 'integer', min: '-1' };
const RECEIPT: Key = { column: 'receipt', type: 'uuid', min: '00000000-0000-0000-0000-000000000000' };

function text(column: string): Key {
  return { column, type: 'text', min: '' };
}

/**
 * Everything that is encrypted. A leader of another version goes on from a position in it, so new
 * columns are added at the end.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'bodies', column: 'body', keys: [SEQ, DAY], isCounted: true },
  {
    table: 'sent',
    column: 'json',
    keys: [SEQ, { column: 'n', type: 'smallint', min: '-1' }],
    isCounted: false,
  },
  { table: 'profiles', column: 'state', keys: [text('destination'), text('lane')], isCounted: false },
  { table: 'events', column: 'notes', keys: [RECEIPT, DAY], isCounted: false },
  { table: 'quarantine', column: 'headers', keys: [RECEIPT], isCounted: true },
  { table: 'quarantine', column: 'body', keys: [RECEIPT], isCounted: true },
  {
    table: 'replay_jobs',
    column: 'filter',
    keys: [{ column: 'id', type: 'bigint', min: '0' }],
    isCounted: false,
  },
  { table: 'bodies', column: 'entities', keys: [SEQ, DAY], isCounted: true, isRare: true },
];

/** Where re-encryption goes on, as JSON. */
export interface SealingPosition {
  /** Index in SEALED_COLUMNS. */
  readonly column: number;
  readonly after?: readonly string[];
  readonly looked: number;
  readonly resealed: number;
  /** Payloads so far whose key is not configured. */
  readonly unreadable: number;
}

export const FIRST_POSITION: SealingPosition = { column: 0, looked: 0, resealed: 0, unreadable: 0 };

interface Head {
  readonly key: readonly string[];
  /** Null without a payload. */
  readonly form: Buffer | null;
  readonly bytes: number | null;
}

interface Payload {
  readonly key: readonly string[];
  readonly stored: Buffer;
}

interface ColumnStatements {
  readonly look: Statement;
  readonly read: Statement;
  readonly write: Statement;
}

function keyArrays(keys: readonly Key[]): string {
  return keys.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
}

function statementsOf({ table, column, keys, isRare }: SealedColumn): ColumnStatements {
  const name = `maintenance_seal_${table}_${column}`;
  const columns = keys.map((key) => `t.${key.column}`).join(', ');
  const asTexts = `ARRAY[${keys.map((key) => `t.${key.column}::text`).join(', ')}] AS key`;
  const after = keys.map(({ type }, index) => `$${index + 1}::${type}`).join(', ');
  const names = keys.map((key) => key.column).join(', ');
  const isSame = keys.map((key) => `t.${key.column} = k.${key.column}`).join(' AND ');
  const [old, sealed] = [keys.length + 1, keys.length + 2];
  return {
    look: {
      name: `${name}_look`,
      text: `SELECT ${asTexts}, substring(t.${column} FROM 1 FOR ${FORM_BYTES}) AS form,
  octet_length(t.${column}) AS bytes
FROM ${table} t WHERE (${columns}) > (${after})${isRare ? '' : ` AND t.${column} IS NOT NULL`}
ORDER BY ${columns} LIMIT ${MAX_ROWS}`,
    },
    read: {
      name: `${name}_read`,
      text: `SELECT ${asTexts}, t.${column} AS stored
FROM unnest(${keyArrays(keys)}) k (${names}) JOIN ${table} t ON ${isSame} WHERE t.${column} IS NOT NULL`,
    },
    write: {
      name: `${name}_write`,
      text: `WITH changed AS (
  UPDATE ${table} t SET ${column} = k.sealed
  FROM unnest(${keyArrays(keys)}, $${old}::bytea[], $${sealed}::bytea[]) k (${names}, old, sealed)
  WHERE ${isSame} AND t.${column} = k.old
  RETURNING octet_length(k.sealed) - octet_length(k.old) AS grown
)
SELECT count(*)::integer AS count, coalesce(sum(grown), 0)::bigint AS grown FROM changed`,
    },
  };
}

const STATEMENTS: readonly ColumnStatements[] = SEALED_COLUMNS.map(statementsOf);

/** The heads of one step, and whether more follow. */
function withinBounds(heads: readonly Head[], isCurrent: (head: Head) => boolean) {
  let [bytes, count, end] = [0, 0, 0];
  const old: Head[] = [];
  for (const head of heads) {
    end += 1;
    if (isCurrent(head)) continue;
    old.push(head);
    bytes += head.bytes ?? 0;
    count += 1;
    if (count >= MAX_REWRITTEN || bytes >= MAX_BYTES) break;
  }
  return { old, last: heads[end - 1], looked: end, isLast: end === heads.length && heads.length < MAX_ROWS };
}

function keyParams(keys: readonly Key[], rows: readonly { readonly key: readonly string[] }[]): Param[] {
  return keys.map((_, index) => rows.map(({ key }) => key[index] ?? ''));
}

/** What became of the payloads of one step. */
interface Resealed {
  readonly count: number;
  readonly unreadable: number;
}

/** Writes payloads in their current form unless they were replaced. @returns how many it has */
async function rewrite(
  session: Session,
  index: number,
  payloads: readonly Payload[],
  sealed: readonly Buffer[],
): Promise<number> {
  const column = SEALED_COLUMNS[index] as SealedColumn;
  const { write: statement } = STATEMENTS[index] as ColumnStatements;
  const params = [...keyParams(column.keys, payloads), payloads.map(({ stored }) => stored), sealed];
  const [row] = await session.query<{ count: number; grown: number }>(statement, params);
  if (column.isCounted && row !== undefined && row.grown !== 0) {
    const [counted] = await session.query<{ source: string; destination: string }>(SOME_COUNTS);
    if (counted !== undefined) await addCounts(session, counted, { stored_bytes: row.grown });
  }
  return row?.count ?? 0;
}

/** Carries out re-encryption step by step. */
export function createResealing(engine: Pick<PostgresEngine, 'sessions' | 'cipher' | 'reportUnreadable'>) {
  const { sessions, cipher } = engine;

  const reseal = async (index: number, heads: readonly Head[]): Promise<Resealed> => {
    const column = SEALED_COLUMNS[index] as SealedColumn;
    const { read } = STATEMENTS[index] as ColumnStatements;
    if (heads.length === 0) return { count: 0, unreadable: 0 };
    const payloads = await sessions.query<Payload>('work', read, keyParams(column.keys, heads));
    let unreadable = 0;
    const readable: Payload[] = [];
    const sealed: Buffer[] = [];
    for (const payload of payloads) {
      const plain = cipher.decrypt(payload.stored);
      if (isReadable(plain)) {
        readable.push(payload);
        sealed.push(Buffer.from(cipher.encrypt(plain)));
        // No key will ever read a damaged one, so the store can be complete without it.
      } else if (plain === 'key-unknown') unreadable += 1;
      else engine.reportUnreadable(`${column.column} ${payload.key.join('/')} of ${column.table}`, plain);
    }
    if (readable.length === 0) return { count: 0, unreadable };
    const count = await sessions.transaction('work', (session) => rewrite(session, index, readable, sealed));
    return { count, unreadable };
  };

  return {
    /** One step. @returns where the next one begins; `column` is behind the last one at the end */
    step: async (from: SealingPosition): Promise<SealingPosition> => {
      const column = SEALED_COLUMNS[from.column] as SealedColumn;
      const { look } = STATEMENTS[from.column] as ColumnStatements;
      const after = from.after ?? column.keys.map(({ min }) => min);
      const heads = await sessions.query<Head>('work', look, [...after]);
      const { old, last, looked, isLast } = withinBounds(
        heads,
        ({ form }) => form === null || cipher.isCurrent(form),
      );
      const { count, unreadable } = await reseal(from.column, old);
      const sums = {
        looked: from.looked + looked,
        resealed: from.resealed + count,
        unreadable: from.unreadable + unreadable,
      };
      if (isLast) return { ...sums, column: from.column + 1 };
      return { ...sums, column: from.column, ...(last === undefined ? {} : { after: last.key }) };
    },
  };
}
