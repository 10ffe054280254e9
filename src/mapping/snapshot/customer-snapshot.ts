import type { MissingReason } from '../../capillary/enricher.ts';
import type { CustomerEntity, FetchedCustomer } from '../../capillary/entities.ts';
import type { CapillaryEvent } from '../../capillary/event.ts';
import { laneOf } from '../../capillary/event-identity.ts';
import type { JsonValue } from '../../capillary/json.ts';
import { isJoinedFact, JOIN_DATE } from '../customer/loyalty-membership.ts';
import { isLabel } from '../../capillary/deletion.ts';
import type { FamilyInput } from '../families/family.ts';
import type { Notes } from '../mapping-notes.ts';
import type { MappingContext, ProfileSnapshot } from '../mapping-result.ts';
import { buildProfileAttributes } from '../profile-attributes.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import { readCustomFields } from '../custom-fields.ts';
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

/** True if the API says that the customer was erased, or the label of the status says so. */
export function isErased({ entities, source }: Pick<MappingContext, 'entities' | 'source'>): boolean {
  const answer = entities?.customer;
  if (answer === undefined || answer.kind === 'erased') {
    return answer !== undefined;
  }
  const label = answer.customer?.status?.label;
  return label !== undefined && isLabel(label, source.labels.deleted);
}

const REASONS: Readonly<Record<MissingReason, string>> = {
  budget: 'no call was left for it',
  unavailable: 'the API is away or refuses the credentials',
  forbidden: 'the access group of the credentials lacks the resource',
  unknown: 'the API does not know it yet',
  timeout: 'the wait was over',
};

/** Notes about what the event wants of the API and has not. */
export function noteIncomplete({ incomplete = {} }: Pick<MappingContext, 'incomplete'>, notes: Notes): void {
  for (const part of ['customer', 'bill'] as const) {
    const reason = incomplete[part];
    if (reason !== undefined) {
      notes.add(`entities.${part}`, 'enrichment-incomplete', REASONS[reason]);
    }
  }
}

/** Names of programs and tiers, and which program is the default one. */
export function learnFromAnswer(
  { orgId, isSample }: CapillaryEvent,
  answer: FetchedCustomer,
  { programs }: Pick<MappingContext, 'programs'>,
): void {
  if (answer.kind !== 'erased' && !isSample) {
    programs.learnPrograms(orgId, answer.customer?.programs ?? [], answer.at);
  }
}

/** The lane of the customer that an answer describes; undefined if it does not describe any. */
function laneOfAnswer(answer: FetchedCustomer, event: CapillaryEvent): string | undefined {
  if (answer.kind === 'erased' || event.lane === undefined) {
    return undefined;
  }
  if (answer.kind !== 'merged') {
    return isOf(event, answer.customer) ? event.lane : undefined;
  }
  const id = answer.customer?.customerId ?? answer.into;
  return id === undefined || answer.customer === undefined ? undefined : laneOf(event.orgId, id);
}

function isOf({ customerId }: CapillaryEvent, customer: CustomerEntity | undefined): boolean {
  return customer === undefined || customerId === undefined || customer.customerId === customerId;
}
