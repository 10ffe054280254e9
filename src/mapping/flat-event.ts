import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject } from '../capillary/json.ts';

/** The event in Capillary's own flat form, whichever envelope it came in (reference: capillary.md §2.1). */
export function flatEvent(event: CapillaryEvent, data: JsonObject = event.data): JsonObject {
  const { eventName, eventId, orgId, refId, apiRequestId, createdAt, loyaltyEventId } = event;
  return {
    eventName,
    ...(eventId === undefined ? {} : { eventId }),
    orgId,
    ...(refId === undefined ? {} : { refId }),
    ...(apiRequestId === undefined ? {} : { apiRequestId }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(loyaltyEventId === undefined ? {} : { loyaltyEventId }),
    data,
  };
}
