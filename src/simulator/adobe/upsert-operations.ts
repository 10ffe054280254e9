import { isJsonObject, type JsonValue } from '../../capillary/json.ts';

/** What a raw record does to the profile; `create` is the default. */
export type Operation = 'create' | 'merge' | 'delete';

/** What the header of a raw record requests, or why that is invalid. */
export type OperationsResult =
  | {
      readonly ok: true;
      readonly operation: Operation;
      /** The dataset that gets the identities; without it none is linked. */
      readonly identityDatasetId?: string;
    }
  | { readonly ok: false; readonly reason: string };

const OPERATIONS: readonly unknown[] = ['create', 'merge', 'delete'] satisfies Operation[];

function fail(reason: string): OperationsResult {
  return { ok: false, reason: `operations: ${reason}` };
}

/**
 * Reads `header.operations`: identities can only be created, and only in a dataset of their own
 * (docs/platforms/adobe.md#upserts).
 */
export function readOperations(operations: JsonValue | undefined): OperationsResult {
  if (operations === undefined) return { ok: true, operation: 'create' };
  if (!isJsonObject(operations)) return fail('must be an object');
  const { data = 'create', identity, identityDatasetId } = operations;
  if (!OPERATIONS.includes(data)) return fail('data must be create, merge or delete');
  const operation = data as Operation;
  if (identity === undefined) return { ok: true, operation };
  if (identity !== 'create') return fail('identity must be create');
  const isNamed = typeof identityDatasetId === 'string' && identityDatasetId !== '';
  if (!isNamed) return fail('identity create needs an identityDatasetId');
  return { ok: true, operation, identityDatasetId };
}
