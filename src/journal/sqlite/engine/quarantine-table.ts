import type { SQLInputValue } from 'node:sqlite';
import type { NewQuarantined } from '../../journal.ts';
import { newReceipt } from './append.ts';
import type { AnswerOf, RequestOf, WireQuarantined } from './calls.ts';
import { addCounts, quarantineUsage } from './counts.ts';
import type { Engine } from './engine.ts';
import { isReadable } from './payload-cipher.ts';

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

type RowSize = Pick<QuarantineRow, 'seq' | 'source' | 'bytes'>;

/**
 * Total size of one page, because all of it is in memory at once. The first item is always
 * included.
 */
const MAX_PAGE_BYTES = 4 * 1_024 * 1_024;

function deleteRow(engine: Engine, row: RowSize): void {
  engine.db.run('DELETE FROM quarantine WHERE seq = ?', row.seq);
  addCounts(engine, row.source, { quarantined: -1, quarantined_bytes: -row.bytes });
}

function oldestOf({ db }: Engine, source: string): RowSize | undefined {
  return db.one('SELECT seq, source, bytes FROM quarantine WHERE source = ? ORDER BY seq LIMIT 1', source) as
    | RowSize
    | undefined;
}

/** Deletes expired requests, at most `limit`, and returns their number. */
export function deleteExpired(engine: Engine, now: number, limit: number): number {
  const rows = engine.db.all(
    'SELECT seq, source, bytes FROM quarantine WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
    now,
    limit,
  ) as RowSize[];
  for (const row of rows) deleteRow(engine, row);
  return rows.length;
}

function insert({ db, cipher }: Engine, request: NewQuarantined, bytes: number, expiresAt: number): string {
  const receipt = newReceipt();
  db.run(
    `INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    receipt,
    request.source,
    request.receivedAt,
    expiresAt,
    request.ip,
    JSON.stringify(request.reasons),
    cipher.encrypt(Buffer.from(JSON.stringify(request.rawHeaders), 'utf8')),
    cipher.encrypt(request.body),
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
  const usage = quarantineUsage(engine, request.source);
  let evicted = 0;
  while (usage.count + 1 > bounds.maxCount || usage.bytes + bytes > bounds.maxBytes) {
    const oldest = oldestOf(engine, request.source);
    if (oldest === undefined) break;
    deleteRow(engine, oldest);
    usage.count -= 1;
    usage.bytes -= oldest.bytes;
    evicted += 1;
  }
  const receipt = insert(engine, request, bytes, engine.now() + bounds.maxAge);
  addCounts(engine, request.source, { quarantined: 1, quarantined_bytes: bytes });
  return { receipt, evicted };
}

function toQuarantined(engine: Engine, row: QuarantineRow): WireQuarantined | undefined {
  const headers = engine.cipher.decrypt(row.headers);
  const body = engine.cipher.decrypt(row.body);
  if (!isReadable(headers) || !isReadable(body)) {
    const why = [headers, body].includes('damaged') ? 'damaged' : 'key-unknown';
    engine.reportUnreadable('a quarantined request', why, row.receipt);
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
  const present = terms.filter((term): term is [string, SQLInputValue] => term[1] !== undefined);
  const where = present.map(([term]) => term).join(' AND ') || 'true';
  const rows = engine.db.raw
    .prepare(`SELECT * FROM quarantine WHERE ${where} ORDER BY seq DESC LIMIT ${Math.trunc(limit) + 1}`)
    .iterate(...present.map(([, value]) => value)) as Iterable<unknown> as Iterable<QuarantineRow>;
  const items: WireQuarantined[] = [];
  let seen = 0;
  let bytes = 0;
  let last: number | undefined;
  for (const row of rows) {
    if (seen === limit || (seen > 0 && bytes + row.bytes > MAX_PAGE_BYTES)) return { items, more: last };
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
      | RowSize
      | undefined;
    if (row === undefined) continue;
    deleteRow(engine, row);
    removed += 1;
  }
  return { removed };
}
