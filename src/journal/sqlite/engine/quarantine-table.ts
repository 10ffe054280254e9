import type { SQLInputValue } from 'node:sqlite';
import type { NewQuarantined, QuarantineBounds } from '../../journal.ts';
import { MAX_PAGE_BYTES } from '../../pages.ts';
import {
  headersToStore,
  quarantinedBytes,
  type QuarantineColumns,
  readQuarantined,
} from '../../quarantined-requests.ts';
import type { AnswerOf, RequestOf, WireQuarantined } from './calls.ts';
import { addCounts, quarantineUsage } from './counts.ts';
import type { Engine } from './sqlite-engine.ts';

interface QuarantineRow extends QuarantineColumns {
  readonly seq: number;
  readonly reasons: string;
  readonly bytes: number;
}

type RowSize = Pick<QuarantineRow, 'seq' | 'source' | 'bytes'>;

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
  const { rawHeaders: _headers, body, ...rest } = request;
  const bytes = quarantinedBytes(request);
  if (bytes > bounds.maxBytes || bounds.maxCount < 1) return undefined;
  const headers = cipher.encrypt(headersToStore(request));
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
  const request = readQuarantined(engine.cipher, row, JSON.parse(row.reasons) as string[]);
  if (typeof request !== 'string') return request;
  engine.reportUnreadable('a quarantined request', request, row.receipt);
  return undefined;
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
