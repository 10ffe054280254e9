import type { SQLInputValue } from 'node:sqlite';
import type { NewQuarantined, QuarantineBounds } from '../../journal.ts';
import type { AnswerOf, RequestOf, WireQuarantined } from './calls.ts';
import { addCounts, quarantineUsage } from './counts.ts';
import type { Engine } from './engine.ts';
import { isReadable } from '../../payload-cipher.ts';

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
    'SELECT seq, source, bytes FROM quarantine WHERE expires_at <= ? ORDER BY expires_at LIMIT +?',
    now,
    limit,
  ) as RowSize[];
  for (const row of rows) deleteRow(engine, row);
  return rows.length;
}

/** What the intake log holds of a quarantined request besides headers and body. */
export interface QuarantineHead extends Omit<NewQuarantined, 'rawHeaders' | 'body'> {
  readonly receipt: string;
  readonly bounds: QuarantineBounds;
  /** Bytes of body and headers. */
  readonly bytes: number;
  /** Bytes of the headers at the beginning of the stored form. */
  readonly headerBytes: number;
}

interface QuarantineEntry<Head> {
  readonly head: Head;
  /** Headers and body in their stored form, one after the other. */
  readonly sealed: Uint8Array;
  readonly at: number;
}

/** Undefined if the request alone exceeds the bounds. */
export function toQuarantineEntry(
  { cipher, now }: Pick<Engine, 'cipher' | 'now'>,
  request: NewQuarantined,
  bounds: QuarantineBounds,
): QuarantineEntry<Omit<QuarantineHead, 'receipt'>> | undefined {
  const { rawHeaders, body, ...rest } = request;
  const bytes = rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text), body.byteLength);
  if (bytes > bounds.maxBytes || bounds.maxCount < 1) return undefined;
  const headers = cipher.encrypt(Buffer.from(JSON.stringify(rawHeaders), 'utf8'));
  const head = { ...rest, bounds, bytes, headerBytes: headers.byteLength };
  return { head, sealed: Buffer.concat([headers, cipher.encrypt(body)]), at: now() };
}

/** Stores a request, and deletes the oldest of its source to make room. @returns how many */
export function insertQuarantined(
  engine: Engine,
  { head, sealed, at }: QuarantineEntry<QuarantineHead>,
): number {
  const { source, bounds, bytes } = head;
  const usage = quarantineUsage(engine, source);
  let evicted = 0;
  while (usage.count + 1 > bounds.maxCount || usage.bytes + bytes > bounds.maxBytes) {
    const oldest = oldestOf(engine, source);
    if (oldest === undefined) break;
    deleteRow(engine, oldest);
    usage.count -= 1;
    usage.bytes -= oldest.bytes;
    evicted += 1;
  }
  engine.db.run(
    `INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    head.receipt,
    source,
    head.receivedAt,
    at + bounds.maxAge,
    head.ip,
    JSON.stringify(head.reasons),
    sealed.subarray(0, head.headerBytes),
    sealed.subarray(head.headerBytes),
    bytes,
  );
  addCounts(engine, source, { quarantined: 1, quarantined_bytes: bytes });
  engine.tables.noteChange(sealed.byteLength);
  return evicted;
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
