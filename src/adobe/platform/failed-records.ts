import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
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

/**
 * The files with the records of a failed batch.
 * Source: docs/platforms/adobe.md#batches
 */
export async function listFailedFiles(
  client: PlatformClient,
  batchId: string,
): Promise<PlatformResult<readonly FailedFile[]>> {
  const path = failedPath(batchId);
  return readAnswer(await client.get(path), `GET ${path}`, (body) => {
    const files = isJsonObject(body) ? objectsOf(body['data']) : undefined;
    return files?.flatMap((file) => {
      const name = textIn(file, 'name') ?? COMPLETE_MARKER;
      return name === COMPLETE_MARKER ? [] : [{ name, bytes: Number(file['length']) || 0 }];
    });
  });
}

/** The exceptions without others below them say what is wrong; those above only count them. */
function leavesOf(error: JsonObject): JsonObject[] {
  const causes = objectsOf(error['causingExceptions']) ?? [];
  return causes.length === 0 ? [error] : causes.flatMap(leavesOf);
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
  return lists.flatMap((list) => (objectsOf(list) ?? []).flatMap(leavesOf).map(errorOf));
}

function parseValue(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
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
