import type { FetchedCustomer } from '../../capillary/entities.ts';
import type { JsonValue } from '../../capillary/json.ts';
import { isJoinedFact, JOIN_DATE } from '../customer/loyalty-membership.ts';
import type { FamilyInput } from '../families/family.ts';
import type { ProfileSnapshot } from '../mapping-result.ts';
import { buildProfileAttributes } from '../profile-attributes.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import { readCustomFields } from '../custom-fields.ts';
import { laneOfAnswer } from './answered-customer.ts';
import { customerFacts } from './customer-facts.ts';
import { snapshotInput } from './snapshot-input.ts';
import { personOfSnapshot } from './snapshot-person.ts';

/**
 * What Capillary's API says about an event's customer (docs/mapping.md#enrichment): attributes and
 * facts whose version is the time of the fetch. Custom and extended fields are read as those of
 * customer events are.
 *
 * @returns undefined if it says nothing, or the record is not assembled here
 */
export function customerSnapshot(
  answer: FetchedCustomer | undefined,
  input: FamilyInput,
): ProfileSnapshot | undefined {
  const { destination } = input.context;
  const lane = answer && laneOfAnswer(answer, input.event);
  if (answer === undefined || lane === undefined || destination.profile?.write !== 'assemble') {
    return undefined;
  }
  const customer = answer.kind === 'erased' ? undefined : answer.customer;
  const own = snapshotInput(input, customer);
  const shape = profileShape(destination.schemaFeatures, destination.tenant);
  const custom = readCustomFields(own, shape, shape);
  const { attributes, identityFacts } = personOfSnapshot(own, customer);
  const facts = customerFacts(answer, own);
  const all = buildProfileAttributes(
    own,
    { eventType: '', attributes, facts: [...identityFacts, ...facts] },
    custom.profile,
    shape,
  );
  return { at: answer.at, lane, attributes: all.has(JOIN_DATE) ? withoutRegistrations(all) : all };
}

/** A join date that the source configures replaces the one of the registration. */
function withoutRegistrations(attributes: ReadonlyMap<string, JsonValue>): ReadonlyMap<string, JsonValue> {
  return new Map([...attributes].filter(([path]) => !isJoinedFact(path)));
}
