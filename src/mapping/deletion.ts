import { customerIdOf } from '../capillary/identifiers.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';

/** The fields of `data` that tell a deletion, by event name. */
export const DELETION_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['customerUpdated', ['customerStatus.currentLabel']],
  ['requestUpdated', ['requestType', 'requestBaseType', 'status']],
]);

/**
 * True for the two ways in which Capillary tells that a customer was deleted (reference: capillary.md §4.4,
 * §5): both still carry name, e-mail and ids, and none of that may go on.
 */
export function isDeletion({ eventName, data }: CapillaryEvent): boolean {
  if (eventName === 'customerUpdated') {
    const status = data['customerStatus'];
    return isJsonObject(status) && says(status['currentLabel'], 'deleted');
  }
  return (
    eventName === 'requestUpdated' &&
    says(data['requestType'], 'customer') &&
    says(data['requestBaseType'], 'delete') &&
    says(data['status'], 'success')
  );
}

/** `data` of a deletion without anything of the person but the id: what `format: raw` sends. */
export function depersonalised(event: CapillaryEvent): JsonObject {
  const customerId = event.customerId ?? customerIdOf(event.data);
  return {
    ...(customerId === undefined ? {} : { customerIdentifiers: { customerId } }),
    ...(event.eventName === 'customerUpdated'
      ? { customerStatus: { currentLabel: 'Deleted' } }
      : { requestType: 'CUSTOMER', requestBaseType: 'DELETE', status: 'SUCCESS' }),
  };
}

function says(value: JsonValue | undefined, word: string): boolean {
  return typeof value === 'string' && value.trim().toLowerCase() === word;
}
