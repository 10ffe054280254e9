import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { createRecordScanner, type ScannedRecord } from './record-scanner.ts';
import { objectsOf, readAnswer, textIn } from './typed-answer.ts';

const EXPORT = '/data/foundation/export/batches';

/** A file of a failed batch. */
export interface FailedFile {
  readonly name: string;
  readonly bytes: number;
}

/** Why the validation refused a record. */
export interface RecordError {
  /** Such as `DCVS-1105-400`; the older form of a file has none. */
  readonly code?: string;
  readonly message: string;
  /** JSON pointer of the field, such as `#/timestamp`. */
  readonly pointer?: string;
}

/** A record that is not in the data lake. Its body can have personal data. */
export interface FailedRecord {
  readonly body: JsonObject;
  readonly errors: readonly RecordError[];
}

/** The empty file that says that the others are complete. */
const COMPLETE_MARKER = '_SUCCESS';

function failedPath(batchId: string): string {
  return `${EXPORT}/${encodeURIComponent(batchId)}/failed`;
}

function filesIn(body: JsonValue | undefined): FailedFile[] | undefined {
  const files = isJsonObject(body) ? objectsOf(body['data']) : undefined;
  return files?.map((file) => ({
    name: textIn(file, 'name') ?? COMPLETE_MARKER,
    bytes: Number(file['length']) || 0,
  }));
}

/** A page of the list of files. */
const MAX_FILES = 100;

/**
 * The files with the records of a failed batch.
 * Source: docs/platforms/adobe.md#batches
 */
export async function listFailedFiles(
  client: Pick<PlatformClient, 'get'>,
  batchId: string,
): Promise<PlatformResult<readonly FailedFile[]>> {
  const path = failedPath(batchId);
  const files = new Map<string, FailedFile>();
  for (let start = 0; ; start += MAX_FILES) {
    const page = start === 0 ? path : `${path}?start=${start}&limit=${MAX_FILES}`;
    const read = readAnswer(await client.get(page), `GET ${path}`, filesIn);
    if (!read.ok) return read;
    const before = files.size;
    for (const file of read.value) files.set(file.name, file);
    // A server that does not know `start` answers the first page again.
    if (read.value.length < MAX_FILES || files.size === before) break;
  }
  files.delete(COMPLETE_MARKER);
  return { ok: true, value: [...files.values()] };
}

/** Levels of causes that are read: a file can have any content. */
const MAX_CAUSE_DEPTH = 20;

/** Records that are taken together. */
export const MAX_TAKEN = 500;
/** Bytes of records that wait to be taken, at most. */
const MAX_WAITING_BYTES = 2_097_152;
/** Of a piece that cannot be read. */
const MAX_HEAD_BYTES = 262_144;

/** The exceptions without others below them say what is wrong; those above only count them. */
function leavesOf(error: JsonObject, depth = 0): JsonObject[] {
  const causes = objectsOf(error['causingExceptions']) ?? [];
  if (causes.length === 0 || depth === MAX_CAUSE_DEPTH) return [error];
  return causes.flatMap((cause) => leavesOf(cause, depth + 1));
}

function errorOf(error: JsonObject): RecordError {
  const code = textIn(error, 'code');
  const pointer = textIn(error, 'pointerToViolation');
  return {
    message: textIn(error, 'message') ?? textIn(error, 'description') ?? 'no text',
    ...(code === undefined ? {} : { code }),
    ...(pointer === undefined ? {} : { pointer }),
  };
}

function errorsIn(record: JsonObject): RecordError[] {
  const { _validationErrors: validation, _errors: errors } = record;
  const lists: (JsonValue | undefined)[] = isJsonObject(errors)
    ? [validation, ...Object.values(errors)]
    : [validation, errors];
  return lists.flatMap((list) => (objectsOf(list) ?? []).flatMap((error) => leavesOf(error)).map(errorOf));
}

function parseValue(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function recordOf({ bytes, isWhole }: ScannedRecord): FailedRecord | UnreadableRecord {
  const body = isWhole ? parseValue(bytes.toString('utf8')) : undefined;
  if (isJsonObject(body)) return { body, errors: errorsIn(body) };
  return { head: bytes.toString('latin1', 0, MAX_HEAD_BYTES) };
}

/** One document for the whole file, or one per line. */
function documentsIn(text: string): JsonObject[] {
  const whole = parseValue(text);
  if (whole !== undefined)
    return Array.isArray(whole) ? whole.filter(isJsonObject) : [whole].filter(isJsonObject);
  return text.split('\n').flatMap((line) => {
    const value = parseValue(line);
    return isJsonObject(value) ? [value] : [];
  });
}

/** A piece of a file that is no readable record: its beginning. */
export interface UnreadableRecord {
  readonly head: string;
}

/**
 * Reads the records of one file in order, however large it is: `take` gets those of a part of the
 * file at a time, at most `MAX_TAKEN`, and the next ones after it has resolved. After a failure it
 * has got the first records of the file.
 * @throws what `take` throws
 */
export async function streamFailedRecords(
  client: Pick<PlatformClient, 'download'>,
  { batchId, name }: { readonly batchId: string; readonly name: string },
  take: (records: readonly (FailedRecord | UnreadableRecord)[]) => Promise<void>,
): Promise<PlatformResult<undefined>> {
  const scanner = createRecordScanner();
  let waiting: (FailedRecord | UnreadableRecord)[] = [];
  let waitingBytes = 0;
  const pass = async (): Promise<void> => {
    while (waiting.length > 0) {
      const taken = waiting.slice(0, MAX_TAKEN);
      waiting = waiting.slice(MAX_TAKEN);
      await take(taken);
    }
    waitingBytes = 0;
  };
  const answer = await client.download(`${failedPath(batchId)}?path=${encodeURIComponent(name)}`, (chunk) => {
    for (const record of scanner.write(chunk)) waiting.push(recordOf(record));
    waitingBytes += chunk.length;
    return waiting.length >= MAX_TAKEN || waitingBytes >= MAX_WAITING_BYTES ? pass() : undefined;
  });
  if (!answer.ok) return answer;
  waiting.push(...scanner.end().map(recordOf));
  await pass();
  return { ok: true, value: undefined };
}

/** The records of one file; lines that are no JSON are left out. */
export async function readFailedRecords(
  client: PlatformClient,
  batchId: string,
  name: string,
): Promise<PlatformResult<readonly FailedRecord[]>> {
  const path = `${failedPath(batchId)}?path=${encodeURIComponent(name)}`;
  return readAnswer(await client.get(path, { isFile: true }), `GET ${failedPath(batchId)}`, (text) =>
    typeof text === 'string'
      ? documentsIn(text).map((body) => ({ body, errors: errorsIn(body) }))
      : undefined,
  );
}
