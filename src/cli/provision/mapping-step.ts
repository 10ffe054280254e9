import { findMappingSets, type MappingSet } from '../../adobe/platform/flow-service.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { recordName } from './object-names.ts';
import { type Step, StepFailure, valueOf } from './provision-step.ts';
import { configuredId, type StepContext } from './step-context.ts';

/** The mapping set of a record, by its name; undefined if there is none. */
export async function findMapping(
  { client, destination }: StepContext,
  record: RecordClass,
): Promise<MappingSet | undefined> {
  return valueOf(await findMappingSets(client, recordName(record, destination.name)))[0];
}

/**
 * The mapping set of a dataflow whose payloads Data Prep maps. Which field becomes which is for the
 * brand to decide, so it is found by its name and never made.
 * Source: docs/platforms/adobe.md#data-prep
 */
export function mappingStep(context: StepContext, record: RecordClass): Step {
  const name = recordName(record, context.destination.name);
  return {
    key: `mapping:${record}`,
    kind: 'mapping set',
    name,
    look: async () => {
      const flow = configuredId(context, record, 'flowId');
      // A dataflow keeps the mapping with which it was made.
      if (flow !== undefined)
        return { state: 'found', id: flow.id, name: `of ${flow.key}`, isOurs: false, differences: [] };
      const set = await findMapping(context, record);
      if (set !== undefined) return { state: 'found', id: set.id, name, isOurs: false, differences: [] };
      const schema = context.ids.get(`schema:${record}`) ?? 'the schema of this plan';
      return {
        state: 'blocked',
        what: 'format raw needs a mapping set, and which field becomes which is for you to decide',
        fix: `create one of the name "${name}" for ${schema} (docs/connect-by-hand.md has the request); then run the same command again: it continues with the dataflow`,
      };
    },
    make: () => {
      throw new StepFailure({
        kind: 'invalid',
        call: 'mapping set',
        text: 'it is never made',
        ambiguous: false,
      });
    },
  };
}
