import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { SchemaConflictError } from './schema-merge.ts';

/**
 * Errors of the schema registry whose codes Adobe documents
 * (docs/platforms/adobe.md#schema-registry).
 */
const TITLES = {
  'XDM-1006-400': 'Accept header invalid',
  'XDM-1010-404': 'Resource not found',
  'XDM-1021-400': 'Namespace validation error',
  'XDM-1413-400': 'Merge Schema Error',
  'XDM-1521-400': 'Title not unique',
  'XDM-1528-400': 'Union descriptor validation error',
} as const;

export type RegistryCode = keyof typeof TITLES;

export function registryError(code: RegistryCode, detail: string): Answer {
  const status = Number(code.slice(-3));
  const report = {
    registryRequestId: randomUUID(),
    timestamp: new Date().toISOString(),
    'detailed-message': detail,
    'sub-errors': [],
  };
  const type = `http://ns.adobe.com/aep/errors/${code}`;
  return jsonAnswer(status, { type, title: TITLES[code], status, report, detail });
}

/** The older form of the registry and of Catalog, for what has no documented code. */
export function badRequest(detail: string): Answer {
  return olderError(400, 'BadRequestError', detail);
}

export function olderError(status: number, title: string, detail: string): Answer {
  return jsonAnswer(status, { type: '/placeholder/type/uri', status, title, detail });
}

/** What a write of the registry returns: the changed resource, or why it is refused. */
export type Checked<T = JsonObject> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: Answer };

export function refuse(answer: Answer): { readonly ok: false; readonly answer: Answer } {
  return { ok: false, answer };
}

/** The answer to a conflict between the parts of a schema; other errors are thrown again. */
export function conflictAnswer(error: unknown): Answer {
  if (!(error instanceof SchemaConflictError)) throw error;
  return registryError(
    'XDM-1413-400',
    `Cannot merge incompatible data types. The path ${error.path} has already been defined in the schema using a different data type. Types: ${error.types.join(', ')}`,
  );
}
