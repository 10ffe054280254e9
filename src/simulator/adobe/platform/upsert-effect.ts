import type { JsonValue } from '../../../capillary/json.ts';
import { type Operation, readOperations } from '../upsert-operations.ts';
import type { Sandbox, TwinDataset } from './sandbox.ts';

/** What the operations of a raw record do at a dataset. */
export interface UpsertEffect {
  /** Why the record fails. */
  readonly problem?: string;
  /** An update and a deletion are not for the lake. */
  readonly isProfileOnly: boolean;
  /** Whether the identities of the record are joined in the identity graph. */
  readonly linksIdentities: boolean;
  /** What Profile does with the record, if it is something else than what was requested. */
  readonly operation?: Operation;
}

const PLAIN: UpsertEffect = { isProfileOnly: false, linksIdentities: true };

function isEnabled({ tags }: TwinDataset, service: 'unifiedProfile' | 'unifiedIdentity'): boolean {
  return tags[service]?.includes('enabled:true') === true;
}

/** Why a dataset cannot have the identities of another one. */
function datasetProblem(identities: TwinDataset | undefined, dataset: TwinDataset): string | undefined {
  if (identities === undefined) return 'the identity dataset does not exist';
  if (identities.id === dataset.id) return 'the identity dataset is that of the records';
  if (identities.schemaId !== dataset.schemaId) return 'the identity dataset has another schema';
  return isEnabled(identities, 'unifiedIdentity')
    ? undefined
    : 'the identity dataset is not enabled for identities';
}

/** What `header.operations` does (docs/platforms/adobe.md#upserts). */
export function upsertEffect(
  operations: JsonValue | undefined,
  dataset: TwinDataset,
  sandbox: Sandbox,
): UpsertEffect {
  if (operations === undefined) return PLAIN;
  const read = readOperations(operations);
  if (!read.ok) return { ...PLAIN, problem: read.reason };
  const { operation, identityDatasetId } = read;
  const isProfileOnly = operation !== 'create';
  if (identityDatasetId === undefined) return { isProfileOnly, linksIdentities: operation === 'create' };
  const identities = sandbox.datasets.get(identityDatasetId);
  const problem = datasetProblem(identities, dataset);
  if (problem !== undefined || identities === undefined)
    return { ...PLAIN, problem: `operations: ${problem}` };
  // Its records then overwrite the profile.
  const isOverwriting = operation === 'merge' && isEnabled(identities, 'unifiedProfile');
  return { isProfileOnly, linksIdentities: true, ...(isOverwriting ? { operation: 'create' } : {}) };
}
