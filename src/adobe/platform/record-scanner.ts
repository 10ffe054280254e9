/** A piece of a file that should be one JSON object. */
export interface ScannedRecord {
  /** The bytes; of a piece that is too long, its beginning. */
  readonly bytes: Buffer;
  /** False if it cannot be a whole object: too long, too deep, or cut off. */
  readonly isWhole: boolean;
}

export interface RecordScanner {
  /** Scans the next bytes of the file. @returns the pieces that they have completed */
  write(chunk: Buffer): ScannedRecord[];
  /** The file has ended. */
  end(): ScannedRecord[];
}

/** Bytes of one object that are held in memory; Adobe takes records of 1 MB at most. */
const MAX_RECORD_BYTES = 1_048_576;
/** Levels of one object. */
const MAX_DEPTH = 100;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LINE_FEED = 0x0a;
const SEPARATORS: ReadonlySet<number> = new Set([COMMA, OPEN_LIST, CLOSE_LIST, CLOSE_OBJECT, LINE_FEED]);
/** Space, tab, carriage return, and the three bytes of a byte order mark. */
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, 0xef, 0xbb, 0xbf]);

/**
 * Divides a file into its JSON objects: one per line, one after another, or the items of one list,
 * whatever the line breaks are. No more than one object is held, and of a larger one its beginning.
 * A damaged object ends where the next line cannot be a part of it, so that it costs itself only.
 */
export function createRecordScanner(maxRecordBytes = MAX_RECORD_BYTES): RecordScanner {
  let found: ScannedRecord[] = [];
  /** Of the piece that is read: its parts in earlier chunks. */
  let parts: Buffer[] = [];
  let bytes = 0;
  let isWhole = true;
  /** `between` pieces; within an `object`; in a line of something `else`. */
  let place: 'between' | 'object' | 'else' = 'between';
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let isLineStart = false;

  const keep = (part: Buffer): void => {
    const kept = part.subarray(0, Math.max(0, maxRecordBytes - bytes));
    // A copy: the chunk belongs to the connection.
    if (kept.length > 0) parts.push(Buffer.from(kept));
    bytes += part.length;
    if (bytes > maxRecordBytes) isWhole = false;
  };

  const begin = (next: 'object' | 'else'): void => {
    place = next;
    depth = 0;
    isInString = false;
    isEscaped = false;
    isWhole = next === 'object';
  };

  const finish = (last: Buffer, isComplete: boolean): void => {
    keep(last);
    found.push({ bytes: Buffer.concat(parts), isWhole: isWhole && isComplete });
    parts = [];
    bytes = 0;
    place = 'between';
  };

  /** @returns whether the object ends with this byte */
  const endsObject = (byte: number): boolean => {
    if (isInString) {
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) isInString = false;
      return false;
    }
    if (byte === QUOTE) isInString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
      if (depth > MAX_DEPTH) isWhole = false;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
    return depth === 0;
  };

  return {
    write(chunk) {
      found = [];
      let start = 0;
      for (let index = 0; index < chunk.length; index += 1) {
        const byte = chunk[index] as number;
        if (place === 'object') {
          // No string contains a line break, and no object begins a line within another one.
          const isCut = byte === LINE_FEED ? isInString : isLineStart && byte === OPEN_OBJECT;
          isLineStart = byte === LINE_FEED;
          if (isCut) finish(chunk.subarray(start, index), false);
          else if (endsObject(byte)) {
            finish(chunk.subarray(start, index + 1), true);
            start = index + 1;
            continue;
          }
        } else if (place === 'else' && byte === LINE_FEED) finish(chunk.subarray(start, index), false);
        if (place !== 'between') continue;
        start = index + 1;
        if (byte === OPEN_OBJECT) {
          begin('object');
          endsObject(byte);
          start = index;
          isLineStart = false;
        } else if (!isSeparator(byte)) {
          begin('else');
          start = index;
        }
      }
      if (place !== 'between') keep(chunk.subarray(start));
      return found;
    },
    end() {
      found = [];
      if (place !== 'between') finish(Buffer.alloc(0), false);
      return found;
    },
  };
}

function isSeparator(byte: number): boolean {
  return SEPARATORS.has(byte) || BLANKS.has(byte);
}
