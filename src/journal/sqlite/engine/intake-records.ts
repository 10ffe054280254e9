import { crc32 } from 'node:zlib';

/*
 * The files of the intake log. A file begins with a name of 8 bytes, the version (4) and the seed
 * (4) of the store's checksums: a random number, so that nobody can send a body that contains a
 * valid record. A record is
 *
 *   magic (4) | length of the whole record (4) | CRC-32 of the rest (4) | number (8) | place in its
 *   batch (4) | kind (1) | epoch ms (8) | length of the head (4) | head | payload
 *
 * with integers in little endian. Numbers are consecutive, over both files and for the whole life
 * of a store. A batch is what was written and synced together: the next one is written only after
 * that, so an unreadable record before one of a later batch is damage. An unreadable record at the
 * end, or before records of its own batch, was being written when the machine stopped, and nobody
 * has been told that it is stored.
 */
const FILE_NAME = Buffer.from('RELAYLOG', 'latin1');
const VERSION = 1;
/** Bytes before the first record. */
export const FILE_HEADER_BYTES = 16;
const MAGIC = 0x31_4e_49_52;
const LENGTH_AT = 4;
const CRC_AT = 8;
const CHECKED_FROM = 12;
const NUMBER_AT = 12;
const PLACE_AT = 20;
const KIND_AT = 24;
const TIME_AT = 25;
const HEAD_LENGTH_AT = 33;
const HEAD_AT = 37;

/** What a record holds; stored, so a value is never used again for something else. */
export const RECORD_KINDS = { event: 1, malformed: 2, quarantined: 3, differingCopy: 4 } as const;
export type RecordKind = keyof typeof RECORD_KINDS;

const KIND_NAMES = new Map<number, RecordKind>(
  Object.entries(RECORD_KINDS).map(([name, value]) => [value, name as RecordKind]),
);

/** A record without its position in the log. */
export interface NewRecord {
  readonly kind: RecordKind;
  /** Epoch ms by the engine's clock. */
  readonly at: number;
  /** JSON, UTF-8. */
  readonly head: Uint8Array;
  /** The payload in its stored form; empty if there is none. */
  readonly payload: Uint8Array;
}

export interface IntakeRecord extends NewRecord {
  readonly number: number;
  /** Number of the first record of its batch. */
  readonly batch: number;
}

/** The beginning of a file. */
export function fileHeader(seed: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  FILE_NAME.copy(header);
  header.writeUInt32LE(VERSION, FILE_NAME.length);
  header.writeUInt32LE(seed, FILE_NAME.length + 4);
  return header;
}

/** The seed that a file names; undefined if its beginning is not that of a log. */
export function seedOf(content: Buffer): number | undefined {
  const isLog = content.length >= FILE_HEADER_BYTES && content.subarray(0, 8).equals(FILE_NAME);
  return isLog && content.readUInt32LE(8) === VERSION ? content.readUInt32LE(12) : undefined;
}

/** Bytes of a record. */
export function recordSize({ head, payload }: Pick<NewRecord, 'head' | 'payload'>): number {
  return HEAD_AT + head.byteLength + payload.byteLength;
}

/** Writes a record into a buffer that has room for it. @returns the position behind it */
export function writeRecord(to: Buffer, at: number, record: IntakeRecord, seed: number): number {
  const { head, payload } = record;
  const end = at + recordSize(record);
  to.writeUInt32LE(MAGIC, at);
  to.writeUInt32LE(end - at, at + LENGTH_AT);
  to.writeDoubleLE(record.number, at + NUMBER_AT);
  to.writeUInt32LE(record.number - record.batch, at + PLACE_AT);
  to.writeUInt8(RECORD_KINDS[record.kind], at + KIND_AT);
  to.writeDoubleLE(record.at, at + TIME_AT);
  to.writeUInt32LE(head.byteLength, at + HEAD_LENGTH_AT);
  to.set(head, at + HEAD_AT);
  to.set(payload, at + HEAD_AT + head.byteLength);
  to.writeUInt32LE(crc32(to.subarray(at + CHECKED_FROM, end), seed), at + CRC_AT);
  return end;
}

/** The record at a position; undefined if none begins there or it is not as it was written. */
function readRecord(
  from: Buffer,
  at: number,
  seed: number,
): { record: IntakeRecord; end: number } | undefined {
  if (at + HEAD_AT > from.length || from.readUInt32LE(at) !== MAGIC) return undefined;
  const end = at + from.readUInt32LE(at + LENGTH_AT);
  const headEnd = at + HEAD_AT + from.readUInt32LE(at + HEAD_LENGTH_AT);
  const kind = KIND_NAMES.get(from.readUInt8(at + KIND_AT));
  if (end > from.length || headEnd > end || kind === undefined) return undefined;
  if (crc32(from.subarray(at + CHECKED_FROM, end), seed) !== from.readUInt32LE(at + CRC_AT)) return undefined;
  const number = from.readDoubleLE(at + NUMBER_AT);
  const record = {
    kind,
    number,
    batch: number - from.readUInt32LE(at + PLACE_AT),
    at: from.readDoubleLE(at + TIME_AT),
    head: from.subarray(at + HEAD_AT, headEnd),
    payload: from.subarray(headEnd, end),
  };
  return { record, end };
}

function magicBytes(): Buffer {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  return magic;
}

/** Whether a record with this number begins in a file and cannot be read. */
function hasUnreadable(content: Buffer, number: number, seed: number): boolean {
  const magic = magicBytes();
  for (let at = content.indexOf(magic, FILE_HEADER_BYTES); at >= 0; ) {
    const read = readRecord(content, at, seed);
    const isNumbered = at + HEAD_AT <= content.length && content.readDoubleLE(at + NUMBER_AT) === number;
    if (read === undefined && isNumbered) return true;
    at = content.indexOf(magic, read?.end ?? at + 1);
  }
  return false;
}

/** All records that can be read, in the order of the file, also behind what cannot be read. */
export function* readableRecords(content: Buffer, seed: number): Generator<IntakeRecord> {
  const magic = magicBytes();
  for (let at = content.indexOf(magic, FILE_HEADER_BYTES); at >= 0; ) {
    const read = readRecord(content, at, seed);
    if (read !== undefined) yield read.record;
    at = content.indexOf(magic, read?.end ?? at + 1);
  }
}

/** What a log holds behind a position of the tables. */
export interface LogContent {
  /** The records to apply, in order. */
  readonly records: readonly IntakeRecord[];
  /** Records of synced batches that are missing or unreadable: damage. */
  readonly missing: number;
  /**
   * Records of the last batch that are missing or unreadable. It was being written when the machine
   * stopped, or it is damaged.
   */
  readonly torn: number;
}

/**
 * The records after number `after` in the files of a log, in any order of the files. A file also
 * holds older records, from before it was used again.
 */
export function recordsAfter(contents: readonly Buffer[], after: number, seed: number): LogContent {
  const byNumber = new Map<number, IntakeRecord>();
  for (const content of contents)
    for (const record of readableRecords(content, seed)) {
      if (record.number <= after) continue;
      // A batch that could not be synced has left records whose numbers were used again.
      const known = byNumber.get(record.number);
      if (known === undefined || known.batch < record.batch) byNumber.set(record.number, record);
    }
  const records = [...byNumber.values()].toSorted((a, b) => a.number - b.number);
  const lastBatch = records.reduce((last, { batch }) => Math.max(last, batch), after + 1);
  const synced = records.filter(({ number }) => number < lastBatch).length;
  const last = records.at(-1)?.number ?? after;
  const missing = lastBatch - after - 1 - synced;
  // The last one may be there, and unreadable.
  const cutOff = contents.some((content) => hasUnreadable(content, last + 1, seed)) ? 1 : 0;
  return { records, missing, torn: last - after - records.length - missing + cutOff };
}
