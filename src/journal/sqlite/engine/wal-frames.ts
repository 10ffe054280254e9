import { closeSync, openSync, readSync, statSync } from 'node:fs';

/*
 * SQLite's write-ahead log: a header of 32 bytes, then frames of 24 bytes and a page each. The
 * checksum of a frame continues that of the frame before it, and SQLite reads no further than the
 * first frame that does not match: one flipped bit hides every later commit. But each frame can be
 * checked against the checksum that the one before it holds, so the later ones are still known.
 * https://www.sqlite.org/fileformat2.html#walformat
 */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_BYTES = 4_096;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
/** The last bit says in which byte order the checksums were computed. */
const MAGIC = 0x37_7f_06_82;
/** Frames that are read at once. */
const CHUNK_FRAMES = 512;

const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** A frame of the generation that the header begins. */
export interface WalFrame {
  /** Number of the page, from 1. */
  readonly page: number;
  /** Whether a transaction ends with it. */
  readonly isCommit: boolean;
  /** False for what an earlier generation has left behind the end. */
  readonly isOfGeneration: boolean;
  readonly isValid: boolean;
}

/** Called for each frame in order of the file; the content is valid during the call only. */
type OnFrame = (frame: WalFrame, content: Buffer) => void;

/** The checksum of SQLite, a pair of words. */
class Checksum {
  s0 = 0;
  s1 = 0;

  /** Adds a part of a buffer; the number of bytes is a multiple of 8. */
  add(words: Int32Array, fromByte: number, bytes: number): void {
    let { s0, s1 } = this;
    const end = (fromByte + bytes) >> 2;
    for (let at = fromByte >> 2; at < end; at += 2) {
      s0 = (s0 + (words[at] as number) + s1) | 0;
      s1 = (s1 + (words[at + 1] as number) + s0) | 0;
    }
    this.s0 = s0;
    this.s1 = s1;
  }

  /** Continues from a stored checksum. */
  continueFrom(bytes: Buffer, at: number): void {
    this.s0 = bytes.readInt32BE(at);
    this.s1 = bytes.readInt32BE(at + 4);
  }

  equals(bytes: Buffer, at: number): boolean {
    return this.s0 === bytes.readInt32BE(at) && this.s1 === bytes.readInt32BE(at + 4);
  }
}

/** The words of a buffer, as the writer of the log saw them. */
function wordsOf(bytes: Buffer, isBigEndian: boolean): Int32Array {
  const own = isBigEndian === IS_LITTLE_ENDIAN ? Buffer.from(bytes).swap32() : bytes;
  return new Int32Array(own.buffer, own.byteOffset, own.byteLength / 4);
}

function readAt(handle: number, buffer: Buffer, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const n = readSync(handle, buffer, filled, buffer.length - filled, position + filled);
    if (n === 0) break;
    filled += n;
  }
  return filled;
}

interface WalHeader {
  readonly bytes: Buffer;
  readonly isBigEndian: boolean;
  readonly isValid: boolean;
  readonly isZero: boolean;
}

function readHeader(handle: number): WalHeader | undefined {
  const bytes = Buffer.from(new ArrayBuffer(HEADER_BYTES));
  if (readAt(handle, bytes, 0) < HEADER_BYTES) return undefined;
  const magic = bytes.readUInt32BE(0);
  const isBigEndian = magic === MAGIC + 1;
  const sum = new Checksum();
  sum.add(wordsOf(bytes, isBigEndian), 0, 24);
  const isValid = (magic === MAGIC || isBigEndian) && sum.equals(bytes, 24);
  return { bytes, isBigEndian, isValid, isZero: bytes.equals(Buffer.alloc(HEADER_BYTES)) };
}

/**
 * The salts, 8 bytes, that all frames of one generation have. If the header is damaged, they are
 * those of the first two frames that agree.
 */
function saltsOf(handle: number, header: WalHeader): Buffer | undefined {
  if (header.isValid) return header.bytes.subarray(16, 24);
  let before: Buffer | undefined;
  for (let index = 0; index < 8; index += 1) {
    const salts = Buffer.alloc(8);
    if (readAt(handle, salts, HEADER_BYTES + index * FRAME_BYTES + 8) < 8) break;
    if (before?.equals(salts) === true) return salts;
    before = salts;
  }
  return before;
}

/** Reads the frames of the current generation; older ones follow it and are not read. */
function readFrames(handle: number, header: WalHeader, onFrame: OnFrame): void {
  const salts = saltsOf(handle, header);
  if (salts === undefined) return;
  const sum = new Checksum();
  sum.continueFrom(header.bytes, 24);
  const chunk = Buffer.from(new ArrayBuffer(CHUNK_FRAMES * FRAME_BYTES));
  for (let position = HEADER_BYTES; ; position += chunk.length) {
    const bytes = readAt(handle, chunk, position);
    const words = wordsOf(chunk, header.isBigEndian);
    for (let at = 0; at + FRAME_BYTES <= bytes; at += FRAME_BYTES) {
      const content = chunk.subarray(at + FRAME_HEADER_BYTES, at + FRAME_BYTES);
      sum.add(words, at, 8);
      sum.add(words, at + FRAME_HEADER_BYTES, PAGE_BYTES);
      const isOfGeneration = salts.compare(chunk, at + 8, at + 16) === 0;
      const isValid = isOfGeneration && sum.equals(chunk, at + 16);
      onFrame(
        {
          page: chunk.readUInt32BE(at),
          isCommit: isOfGeneration && chunk.readUInt32BE(at + 4) > 0,
          isOfGeneration,
          isValid,
        },
        content,
      );
      sum.continueFrom(chunk, at + 16);
    }
    if (bytes < chunk.length) return;
  }
}

/** What is wrong with a write-ahead log. */
export interface WalDamage {
  readonly isHeaderDamaged: boolean;
  /** Frames before the damage, up to the last commit: SQLite reads these. */
  readonly framesBefore: number;
  readonly commitsBefore: number;
  /** Sound frames after the damage, which SQLite does not read. */
  readonly framesAfter: number;
  /** Commits at or after the damage. With each but the last, everything before it was synced. */
  readonly commitsAfter: number;
}

/**
 * Reads the frames of the write-ahead log of a database file.
 * @returns undefined if there is no log or it has no frames
 */
export function scanWal(databaseFile: string, onFrame: OnFrame): WalHeader | undefined {
  const file = `${databaseFile}-wal`;
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= HEADER_BYTES) return undefined;
  const handle = openSync(file, 'r');
  try {
    const header = readHeader(handle);
    if (header !== undefined) readFrames(handle, header, onFrame);
    return header;
  } finally {
    closeSync(handle);
  }
}

/**
 * Looks for damage in the write-ahead log of a database file. What a crash of the machine left of
 * the last commit is no damage, nor is a log of which only zeros reached the disk.
 */
export function damagedWal(databaseFile: string): WalDamage | undefined {
  const before = { frames: 0, commits: 0, open: 0 };
  const after = { frames: 0, commits: 0 };
  let isDamaged = false;
  const header = scanWal(databaseFile, ({ isCommit, isValid }) => {
    isDamaged ||= !isValid;
    if (isDamaged) {
      if (isValid) after.frames += 1;
      if (isCommit) after.commits += 1;
      return;
    }
    before.open += 1;
    if (!isCommit) return;
    before.frames += before.open;
    before.open = 0;
    before.commits += 1;
  });
  if (header === undefined || header.isZero) return undefined;
  const isHeaderDamaged = !header.isValid;
  if (!isHeaderDamaged && (after.frames === 0 || after.commits < 2)) return undefined;
  const lost = isHeaderDamaged ? before : { frames: 0, commits: 0 };
  return {
    isHeaderDamaged,
    framesBefore: before.frames - lost.frames,
    commitsBefore: before.commits - lost.commits,
    framesAfter: after.frames + lost.frames,
    commitsAfter: after.commits + lost.commits,
  };
}

/**
 * Whether the write-ahead log ends in a transaction that is incomplete or damaged. SQLite does not
 * read it. Behind earlier transactions this is no damage: a crash can leave it.
 */
export function hasTornEnd(databaseFile: string): boolean {
  let isTorn = false;
  const header = scanWal(databaseFile, ({ isCommit, isOfGeneration, isValid }) => {
    if (isOfGeneration) isTorn = !(isCommit && isValid);
  });
  return header?.isValid === true && isTorn;
}
