import type { RecordClass } from '../../xdm/standard-groups.ts';
import { connectionStep } from './connection-steps.ts';
import { identityDatasetStep, recordDatasetStep } from './dataset-steps.ts';
import { flowStep, sourceStep, targetStep } from './flow-steps.ts';
import { mappingStep } from './mapping-step.ts';
import { namespaceSteps } from './namespace-steps.ts';
import type { Looked, Step } from './provision-step.ts';
import { fieldGroupStep } from './field-group-step.ts';
import type { RegistryFacts } from './registry-lookup.ts';
import { isForeignSchema, schemaStep } from './schema-step.ts';
import { recordsOf, type StepContext } from './step-context.ts';

/** The tenant id is Adobe's: it is only compared. */
function tenantStep({ destination, missing }: StepContext, facts: RegistryFacts): Step {
  const look = async (): Promise<Looked> => {
    const id = await facts.tenant();
    const { tenant } = destination;
    if (missing.has('tenant') || tenant === undefined || tenant === id)
      return { state: 'found', id, name: destination.imsOrgId, isOurs: false, differences: [] };
    return {
      state: 'blocked',
      what: `tenant is ${tenant}, but that of the organisation ${destination.imsOrgId} is ${id}`,
      fix: `write \`tenant: ${id}\`, or compare imsOrgId`,
    };
  };
  return {
    key: 'tenant',
    kind: 'tenant id',
    name: destination.imsOrgId,
    look,
    make: async () => facts.tenant(),
  };
}

/**
 * Everything that a destination needs at Adobe, in the order in which it can be made.
 * Source: docs/platforms/adobe.md#provisioning-steps
 * @param foreign the records whose schemas somebody else has made: they keep their field groups
 */
export function provisionSteps(
  context: StepContext,
  facts: RegistryFacts,
  foreign: ReadonlySet<RecordClass>,
): readonly Step[] {
  const records = recordsOf(context);
  const ours = records.filter((record) => !foreign.has(record));
  const identityId = context.destination.profile?.identityDatasetId;
  return [
    tenantStep(context, facts),
    ...namespaceSteps(context),
    ...ours.map((record) => fieldGroupStep(context, record, facts)),
    ...records.map((record) => schemaStep(context, record, facts)),
    ...records.map((record) => recordDatasetStep(context, record)),
    ...(identityId === undefined ? [] : [identityDatasetStep(context, identityId)]),
    connectionStep(context),
    ...records.map((record) => sourceStep(context, record)),
    ...records.map((record) => targetStep(context, record)),
    ...(context.destination.format === 'raw' ? records.map((record) => mappingStep(context, record)) : []),
    ...records.map((record) => flowStep(context, record)),
  ];
}

/** @throws StepFailure */
export async function foreignSchemas(context: StepContext): Promise<ReadonlySet<RecordClass>> {
  const foreign = new Set<RecordClass>();
  for (const record of recordsOf(context)) if (await isForeignSchema(context, record)) foreign.add(record);
  return foreign;
}
