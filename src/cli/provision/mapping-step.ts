import { findMappingSets, type MappingSet } from '../../adobe/platform/flow-service.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { markedName } from './object-marker.ts';
import { type Step, StepFailure, valueOf } from './provision-step.ts';
import { configuredId, sectionOf, type StepContext } from './step-context.ts';

const NAMES = { event: 'Capillary loyalty events', profile: 'Capillary loyalty profiles' } as const;

/** The mapping set of a record, by its name; undefined if there is none. */
export async function findMapping(
  { client, destination }: StepContext,
  record: RecordClass,
): Promise<MappingSet | undefined> {
  return valueOf(await findMappingSets(client, markedName(NAMES[record], destination.name)))[0];
}

/**
 * The mapping set of a dataflow whose payloads Data Prep maps. Which field becomes which is for the
 * brand to decide, so it is found by its name and never made.
 * Source: docs/platforms/adobe.md#data-prep
 */
export function mappingStep(context: StepContext, record: RecordClass): Step {
  const name = markedName(NAMES[record], context.destination.name);
  const section = sectionOf(record);
  return {
    key: `mapping:${record}`,
    kind: 'mapping set',
    name,
    look: async () => {
      const flowId = configuredId(context, record, 'flowId');
      // A dataflow keeps the mapping with which it was made.
      if (flowId !== undefined)
        return { state: 'found', id: flowId, name: `of ${section}.flowId`, isOurs: false, differences: [] };
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
