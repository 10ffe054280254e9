import type { CapillaryEvent } from '../capillary/event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { customerIdOf } from '../capillary/person.ts';

/** The fields of `data` that indicate a deletion, by event name. */
export const DELETION_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['customerUpdated', ['customerStatus.currentLabel']],
  ['requestUpdated', ['requestType', 'requestBaseType', 'status']],
]);

/**
 * True for the two events that report the deletion of a customer
 * (docs/platforms/capillary.md#deletion). Both still contain personal data, which must not be sent.
 */
export function isDeletion({ eventName, data }: CapillaryEvent): boolean {
  if (eventName === 'customerUpdated') {
    const status = data['customerStatus'];
    return isJsonObject(status) && equalsIgnoringCase(status['currentLabel'], 'deleted');
  }
  return (
    eventName === 'requestUpdated' &&
    equalsIgnoringCase(data['requestType'], 'customer') &&
    equalsIgnoringCase(data['requestBaseType'], 'delete') &&
    equalsIgnoringCase(data['status'], 'success')
  );
}

/** `data` of a deletion with the customerId and no other personal data, for `format: raw`. */
export function withoutPersonalData(event: CapillaryEvent): JsonObject {
  const customerId = event.customerId ?? customerIdOf(event.data);
  return {
    ...(customerId === undefined ? {} : { customerIdentifiers: { customerId } }),
    ...(event.eventName === 'customerUpdated'
      ? { customerStatus: { currentLabel: 'Deleted' } }
      : { requestType: 'CUSTOMER', requestBaseType: 'DELETE', status: 'SUCCESS' }),
  };
}

function equalsIgnoringCase(value: JsonValue | undefined, word: string): boolean {
  return typeof value === 'string' && value.trim().toLowerCase() === word;
}
