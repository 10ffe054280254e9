import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import {
  FILE_HEADER_BYTES,
  fileHeader,
  type LogContent,
  type NewRecord,
  recordsAfter,
  recordSize,
  writeRecord,
} from './intake-records.ts';

/*
 * The promise behind the 200: what intake stores is written here and synced before it is answered.
 * The tables follow within seconds (table-commits.ts). Two files take turns. A file is written from
 * its start again once everything in it is in the synced tables, so the log neither grows without
 * bounds nor needs new blocks of the file system for each batch.
 */

export const INTAKE_LOG_FILES = ['intake-0.log', 'intake-1.log'] as const;

/** Size at which the other file is used next, if it is free. */
const FILE_BYTES = 4 * 1_024 * 1_024;
/** Nothing stays in the log for longer after retention has removed it from the tables. */
const CLEAR_INTERVAL_MS = 86_400_000;
const FIRST_BUFFER_BYTES = 64 * 1_024;
/** A larger buffer is given back after the batch that needed it. */
const MAX_KEPT_BUFFER_BYTES = 4 * 1_024 * 1_024;

interface LogFile {
  readonly handle: number;
  /** Bytes. */
  size: number;
  /** It holds no record with a higher number. */
  last: number;
}

export interface IntakeLog {
  /** Adds a record to the batch. Nothing is written before `flush`. */
  add(record: NewRecord): void;
  /** Whether the batch has records. */
  readonly hasUnwritten: boolean;
  /** Number of the last record, written or not. */
  readonly last: number;
  /** Writes and syncs the batch. @throws the error of the system; then the batch is still there */
  flush(): void;
  /** Empties the batch. */
  discard(): void;
  /** Everything up to this number is in the synced tables. */
  release(upTo: number): void;
  /** Overwrites what a file holds as soon as all of it is in the synced tables. */
  clearLater(): void;
  /** Bytes of both files. */
  readonly bytes: number;
  /** The records after this number, read again from the files. */
  read(after: number): LogContent;
  close(): void;
}

/** Waits until what was written to a file is on the disk. @throws the error of the system */
export function syncData(handle: number): void {
  fdatasyncSync(handle);
  hitFailpoint('journal-synced', handle);
}

/** Overwrites everything behind the header, and gives the space back. */
function overwrite(file: LogFile): void {
  if (file.size <= FILE_HEADER_BYTES) return;
  const zeros = Buffer.alloc(Math.min(file.size, FILE_BYTES));
  for (let at = FILE_HEADER_BYTES; at < file.size; at += zeros.length)
    writeSync(file.handle, zeros, 0, Math.min(zeros.length, file.size - at), at);
  syncData(file.handle);
  ftruncateSync(file.handle, FILE_HEADER_BYTES);
  file.size = FILE_HEADER_BYTES;
}

function readFrom({ handle, size }: LogFile): Buffer {
  const content = Buffer.alloc(size);
  let at = 0;
  while (at < content.length) {
    const read = readSync(handle, content, at, content.length - at, at);
    if (read === 0) break;
    at += read;
  }
  return content.subarray(0, at);
}

/** Waits until a file or a folder is on the disk. @throws the error of the system */
export function fsyncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A new random number for the checksums of a store. */
export function newSeed(): number {
  return randomBytes(4).readUInt32LE();
}

function openFile(path: string, seed: number): LogFile {
  const handle = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  // Without records it can have any header: another store's, or none after a power failure.
  if (fstatSync(handle).size <= FILE_HEADER_BYTES) {
    writeSync(handle, fileHeader(seed), 0, FILE_HEADER_BYTES, 0);
    syncData(handle);
  }
  return { handle, size: fstatSync(handle).size, last: 0 };
}

/**
 * Opens the log of a store, and creates its files if they are missing.
 * @param position number of the last record that the tables contain
 */
export function openIntakeLog(
  folder: string,
  { seed, position: after }: { readonly seed: number; readonly position: number },
): { readonly log: IntakeLog; readonly content: LogContent } {
  const [first, second] = INTAKE_LOG_FILES.map((name) => openFile(join(folder, name), seed)) as [
    LogFile,
    LogFile,
  ];
  fsyncPath(folder);
  const files = [first, second];
  const read = (from: number): LogContent => recordsAfter(files.map(readFrom), from, seed);
  const content = read(after);
  let written = content.records.at(-1)?.number ?? after;
  // Which file holds which records does not matter: both are free once the tables have them all.
  for (const file of files) file.last = written;
  let active = first;
  let position = first.size;
  let released = 0;
  /** Whether the last batch could not be written and synced. */
  let isTorn = false;
  /** Files whose content must be overwritten. */
  const toClear = new Set<LogFile>();
  let clearedAt = performance.now();
  let buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  let used = 0;
  let count = 0;

  const reserve = (bytes: number): void => {
    if (used + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, used + bytes));
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
  };

  const empty = (): void => {
    used = 0;
    count = 0;
    if (buffer.length > MAX_KEPT_BUFFER_BYTES) buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  };

  /** Where the next batch is written. After a failed one the place stays the same. */
  const turn = (): void => {
    if (isTorn) return;
    const other = active === first ? second : first;
    if (active.last <= released) position = FILE_HEADER_BYTES;
    else if (position >= FILE_BYTES && other.last <= released) {
      active = other;
      position = FILE_HEADER_BYTES;
    }
  };

  /** Removes what a failed batch has left: it was refused, and its numbers are used again. */
  const cutOff = (): void => {
    if (!isTorn) return;
    ftruncateSync(active.handle, position);
    syncData(active.handle);
    active.size = position;
    isTorn = false;
  };

  const clearLater = (): void => {
    for (const file of files) toClear.add(file);
    clearedAt = performance.now();
  };

  /** One file is in use under a steady load, but then the other one is free. */
  const clearFree = (): void => {
    if (isTorn) return;
    for (const file of toClear) {
      if (file.last > released) continue;
      overwrite(file);
      if (file === active) position = FILE_HEADER_BYTES;
      toClear.delete(file);
    }
  };

  const log: IntakeLog = {
    add(record) {
      reserve(recordSize(record));
      count += 1;
      const { kind, at, head, payload } = record;
      const numbered = { kind, at, head, payload, number: written + count, batch: written + 1 };
      used = writeRecord(buffer, used, numbered, seed);
    },
    get hasUnwritten() {
      return count > 0;
    },
    get last() {
      return written + count;
    },
    flush() {
      if (count === 0) return;
      turn();
      cutOff();
      isTorn = true;
      for (let done = 0; done < used; )
        done += writeSync(active.handle, buffer, done, used - done, position + done);
      hitFailpoint('journal-writing-log', active.handle);
      syncData(active.handle);
      isTorn = false;
      position += used;
      active.size = Math.max(active.size, position);
      written += count;
      active.last = written;
      empty();
    },
    discard() {
      empty();
      try {
        cutOff();
      } catch {
        // Tried again before the next batch is written.
      }
    },
    release(upTo) {
      released = Math.max(released, upTo);
      if (performance.now() - clearedAt >= CLEAR_INTERVAL_MS) clearLater();
      clearFree();
    },
    clearLater,
    get bytes() {
      return first.size + second.size;
    },
    read,
    close() {
      for (const { handle } of files) closeSync(handle);
    },
  };
  return { log, content };
}
