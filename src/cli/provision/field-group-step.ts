import type { JsonObject } from '../../capillary/json.ts';
import { createResource } from '../../adobe/platform/schema-registry.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { TENANT_GROUP_TITLES, tenantFieldGroups } from '../../xdm/tenant-field-groups.ts';
import { fieldAdditions } from './field-additions.ts';
import { markedName } from './object-names.ts';
import { makeAnother } from './provision-stop.ts';
import { type Difference, type Step, valueOf } from './provision-step.ts';
import {
  changeOf,
  listed,
  locateResource,
  type NamedResource,
  type RegistryFacts,
} from './registry-lookup.ts';
import { isLocated, type Located, type StepContext } from './step-context.ts';

/** The field group with the tenant's fields of one record. */
export function fieldGroupStep(context: StepContext, record: RecordClass, facts: RegistryFacts): Step {
  const { destination, client } = context;
  const key = `group:${record}`;
  const title = markedName(TENANT_GROUP_TITLES[record], destination.name);
  const body = async (): Promise<JsonObject> => {
    const suffix = title.slice(TENANT_GROUP_TITLES[record].length);
    return tenantFieldGroups(await facts.tenant(), suffix)[record];
  };
  const differencesOf = async ({ object }: Located<NamedResource>): Promise<Difference[]> => {
    const { missing, conflicts } = fieldAdditions(await body(), object.body);
    const paths = listed(missing.map(({ path }) => path));
    const operations = missing.map(({ operation }) => operation);
    return [
      ...conflicts.map((what) => ({
        what,
        fix: `a type is permanent: ${makeAnother('the field group', key)}`,
      })),
      ...(missing.length === 0
        ? []
        : [{ what: `it lacks ${paths}`, change: changeOf(context, 'fieldgroups', object, operations) }]),
    ];
  };
  return {
    key,
    kind: 'field group',
    name: title,
    look: async () => {
      const located = await locateResource(context, 'fieldgroups', { key, title });
      if (!isLocated(located)) return located;
      const { id, name } = located.object;
      return { state: 'found', id, name, isOurs: located.isOurs, differences: await differencesOf(located) };
    },
    make: async () => valueOf(await createResource(client, 'fieldgroups', await body())),
  };
}
