import type { SQLInputValue } from 'node:sqlite';
import type { NewQuarantined } from '../journal.ts';
import { addCounts, quarantineHeld } from './counts.ts';
import type { Engine } from './engine.ts';
import { newReceipt } from './receipts.ts';
import type { AnswerOf, RequestOf, WireQuarantined } from './protocol.ts';

interface QuarantineRow {
  readonly seq: number;
  readonly receipt: string;
  readonly source: string;
  readonly received_at: number;
  readonly ip: string;
  readonly reasons: string;
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
  readonly bytes: number;
}

type Held = Pick<QuarantineRow, 'seq' | 'source' | 'bytes'>;

/** Bytes of bodies in one page: they all pass through memory at once. The first is always given. */
const PAGE_BYTES = 8 * 1_024 * 1_024;

function drop(engine: Engine, row: Held): void {
  engine.db.run('DELETE FROM quarantine WHERE seq = ?', row.seq);
  addCounts(engine, row.source, { quarantined: -1, quarantined_bytes: -row.bytes });
}

function oldestOf({ db }: Engine, source: string): Held | undefined {
  return db.one('SELECT seq, source, bytes FROM quarantine WHERE source = ? ORDER BY seq LIMIT 1', source) as
    | Held
    | undefined;
}

/** Removes what is over its age, at most `limit`; answers how many. */
export function dropExpired(engine: Engine, now: number, limit: number): number {
  const rows = engine.db.all(
    'SELECT seq, source, bytes FROM quarantine WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
    now,
    limit,
  ) as Held[];
  for (const row of rows) drop(engine, row);
  return rows.length;
}

function insert({ db, seal }: Engine, kept: NewQuarantined, bytes: number, expiresAt: number): string {
  const receipt = newReceipt();
  db.run(
    `INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    receipt,
    kept.source,
    kept.receivedAt,
    expiresAt,
    kept.ip,
    JSON.stringify(kept.reasons),
    seal.close(Buffer.from(JSON.stringify(kept.rawHeaders), 'utf8')),
    seal.close(kept.body),
    bytes,
  );
  return receipt;
}

export function quarantine(
  engine: Engine,
  { request, bounds }: RequestOf<'quarantine'>,
): AnswerOf<'quarantine'> {
  const headerBytes = request.rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const bytes = request.body.byteLength + headerBytes;
  if (bytes > bounds.maxBytes || bounds.maxCount < 1) return { receipt: newReceipt(), evicted: 0 };
  const held = quarantineHeld(engine, request.source);
  let evicted = 0;
  while (held.count + 1 > bounds.maxCount || held.bytes + bytes > bounds.maxBytes) {
    const oldest = oldestOf(engine, request.source);
    if (oldest === undefined) break;
    drop(engine, oldest);
    held.count -= 1;
    held.bytes -= oldest.bytes;
    evicted += 1;
  }
  const receipt = insert(engine, request, bytes, request.receivedAt + bounds.maxAge);
  addCounts(engine, request.source, { quarantined: 1, quarantined_bytes: bytes });
  return { receipt, evicted };
}

function toQuarantined(engine: Engine, row: QuarantineRow): WireQuarantined | undefined {
  const headers = engine.seal.open(row.headers);
  const body = engine.seal.open(row.body);
  if (headers === undefined || body === undefined) {
    engine.reportUnreadable('a quarantined request', row.receipt);
    return undefined;
  }
  return {
    receipt: row.receipt,
    source: row.source,
    receivedAt: row.received_at,
    ip: row.ip,
    reasons: JSON.parse(row.reasons) as string[],
    rawHeaders: JSON.parse(headers.toString('utf8')) as string[],
    body,
  };
}

export function listQuarantined(
  engine: Engine,
  { filter, limit, before }: RequestOf<'listQuarantined'>,
): AnswerOf<'listQuarantined'> {
  const terms: [string, SQLInputValue | undefined][] = [
    ['seq < ?', before],
    ['source = ?', filter.source],
    ['received_at >= ?', filter.since],
    ['received_at < ?', filter.until],
    ['receipt IN (SELECT value FROM json_each(?))', filter.receipts && JSON.stringify(filter.receipts)],
  ];
  const given = terms.filter((term): term is [string, SQLInputValue] => term[1] !== undefined);
  const where = given.map(([term]) => term).join(' AND ') || 'true';
  const rows = engine.db.raw
    .prepare(`SELECT * FROM quarantine WHERE ${where} ORDER BY seq DESC LIMIT ${Math.trunc(limit) + 1}`)
    .iterate(...given.map(([, value]) => value)) as Iterable<unknown> as Iterable<QuarantineRow>;
  const items: WireQuarantined[] = [];
  let seen = 0;
  let bytes = 0;
  let last: number | undefined;
  for (const row of rows) {
    if (seen === limit || (seen > 0 && bytes + row.bytes > PAGE_BYTES)) return { items, more: last };
    const item = toQuarantined(engine, row);
    if (item !== undefined) items.push(item);
    seen += 1;
    bytes += row.bytes;
    last = row.seq;
  }
  return { items };
}

export function removeQuarantined(
  engine: Engine,
  receipts: readonly string[],
): AnswerOf<'removeQuarantined'> {
  let removed = 0;
  for (const receipt of receipts) {
    const row = engine.db.one('SELECT seq, source, bytes FROM quarantine WHERE receipt = ?', receipt) as
      | Held
      | undefined;
    if (row === undefined) continue;
    drop(engine, row);
    removed += 1;
  }
  return { removed };
}
