import type { CustomerEntity } from '../../capillary/entities.ts';
import type { JsonObject } from '../../capillary/json.ts';
import { NO_CONTACT_CHANGES } from '../contact-changes.ts';
import type { FamilyInput } from '../families/family.ts';
import { createReader } from '../reader.ts';
import { snapshotIdentities } from './snapshot-identities.ts';

/** Where the customer of an answer is in the paths of notes. */
export const CUSTOMER_PATH = 'entities.customer';

/**
 * An answer about a customer in the form of a customer event, so that what both have is read by the
 * same rules: names, custom and extended fields.
 */
export function snapshotInput(input: FamilyInput, customer: CustomerEntity | undefined): FamilyInput {
  const { event, context, notes } = input;
  const data: JsonObject = customer === undefined ? {} : dataOf(customer);
  return {
    ...input,
    event: { ...event, eventName: 'customerUpdated', data },
    data: createReader(data, CUSTOMER_PATH, context.source.timezone, notes),
    identities: snapshotIdentities(customer, context.source, notes),
    contactChanges: NO_CONTACT_CHANGES,
  };
}

/**
 * The API has fields as objects by name, events have lists
 * (docs/platforms/capillary.md#customer-reads).
 */
function dataOf({ firstName, lastName, status, customFields, extendedFields }: CustomerEntity): JsonObject {
  return {
    ...(firstName === undefined ? {} : { firstName }),
    ...(lastName === undefined ? {} : { lastName }),
    ...(status === undefined ? {} : { status: status.label }),
    customFields: keyedValues(customFields),
    extendedFields: keyedValues(extendedFields),
  };
}

function keyedValues(fields: JsonObject = {}): JsonObject[] {
  return Object.entries(fields).map(([key, value]) => ({ key, value }));
}
