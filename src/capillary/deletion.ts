import type { CapillaryEvent } from './event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { customerIdOf } from './person.ts';

/** The brand's labels of a customer who was deleted. */
export interface DeletionLabels {
  readonly labels: { readonly deleted: readonly string[] };
}

/** The fields of `data` that indicate a deletion, by event name. */
export const DELETION_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['customerUpdated', ['customerStatus.currentLabel', 'customerStatus.currentStatus']],
  ['requestUpdated', ['requestType', 'requestBaseType', 'status']],
]);

/**
 * True for the two events that report the deletion of a customer
 * (docs/platforms/capillary.md#deletion). Both still contain personal data, which must not be sent.
 */
export function isDeletion({ eventName, data }: CapillaryEvent, { labels }: DeletionLabels): boolean {
  if (eventName === 'customerUpdated') {
    const status = data['customerStatus'];
    return (
      isJsonObject(status) &&
      (equalsIgnoringCase(status['currentStatus'], 'deleted') ||
        isLabel(status['currentLabel'], labels.deleted))
    );
  }
  return (
    eventName === 'requestUpdated' &&
    equalsIgnoringCase(data['requestType'], 'customer') &&
    equalsIgnoringCase(data['requestBaseType'], 'delete') &&
    equalsIgnoringCase(data['status'], 'success')
  );
}

/** True if the label of a customer's status is one of the brand's labels. */
export function isLabel(label: JsonValue | undefined, labels: readonly string[]): boolean {
  return labels.some((one) => equalsIgnoringCase(label, one.trim().toLowerCase()));
}

/**
 * Reports that the identifiers of a merged customer can belong to others from now on. Of this
 * event, too, only the customerId may be sent.
 */
export const RELEASE_EVENT = 'identifierReleased';

/**
 * `data` of a deletion or of a release of identifiers, with the customerId and no other personal
 * data, for `format: raw`.
 */
export function withoutPersonalData(event: CapillaryEvent): JsonObject {
  const customerId = event.customerId ?? customerIdOf(event.data);
  const identifiers: JsonObject = customerId === undefined ? {} : { customerIdentifiers: { customerId } };
  if (event.eventName === RELEASE_EVENT) {
    const kept = ['mergeEventId', 'releasedAt'].flatMap((field) => {
      const value = event.data[field];
      return value === undefined || typeof value === 'object' ? [] : [[field, value] as const];
    });
    return { ...identifiers, ...Object.fromEntries(kept) };
  }
  return {
    ...identifiers,
    ...(event.eventName === 'customerUpdated'
      ? { customerStatus: { currentLabel: 'Deleted' } }
      : { requestType: 'CUSTOMER', requestBaseType: 'DELETE', status: 'SUCCESS' }),
  };
}

function equalsIgnoringCase(value: JsonValue | undefined, word: string): boolean {
  return typeof value === 'string' && value.trim().toLowerCase() === word;
}
