import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformAnswer, PlatformResult } from './platform-client.ts';

/** JSON Patch (RFC 6902); the platform's services know these two of its operations. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  readonly path: string;
  readonly value: JsonValue;
}

export function patchBody(operations: readonly PatchOperation[]): JsonValue {
  return operations.map(({ op, path, value }) => ({ op, path, value }));
}

/**
 * Reads a value from the body of a success. A body without it is not the answer to this call: of a
 * write it is unknown whether it took effect.
 * @param call such as `POST /data/foundation/catalog/dataSets`
 * @param read undefined if the body does not have the value
 */
export function readAnswer<T>(
  answer: PlatformAnswer,
  call: string,
  read: (body: JsonValue | undefined, etag: string | undefined) => T | undefined,
): PlatformResult<T> {
  if (!answer.ok) return answer;
  const value = read(answer.body, answer.etag);
  if (value !== undefined) return { ok: true, value };
  return {
    ok: false,
    error: {
      kind: 'foreign',
      call,
      status: answer.status,
      text: 'the answer does not have the expected form',
      ambiguous: !call.startsWith('GET'),
      ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }),
    },
  };
}

/** A look-up of an object that does not exist is no failure. */
export function orAbsent<T>(result: PlatformResult<T>): PlatformResult<T | undefined> {
  if (result.ok || result.error.kind !== 'not-found') return result;
  return { ok: true, value: undefined };
}

export function textIn(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The objects of a list; undefined if it is none. */
export function objectsOf(value: JsonValue | undefined): JsonObject[] | undefined {
  return Array.isArray(value) ? value.filter(isJsonObject) : undefined;
}
