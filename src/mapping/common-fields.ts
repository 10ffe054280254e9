import { customerIdOf } from '../capillary/identifiers.ts';
import type { Draft, FamilyInput } from './families/family.ts';
import { flatEvent } from './flat-event.ts';
import { createReader, type Reader } from './reader.ts';

/**
 * Who entered the event where: its own `enteredBy` (`addedBy` of coupons and cart promotions), else that of
 * the activity behind it (reference: capillary.md §4.2).
 */
export function enteredBy(data: Reader): Reader {
  const own = [data.object('enteredBy'), data.object('addedBy')];
  return (
    own.find(({ raw }) => Object.keys(raw).length > 0) ??
    data.object('triggeringActivity').object('enteredBy')
  );
}

/** The fields below `<tenant>.capillary` that every event carries where they are known. */
export function commonTenantFields(input: FamilyInput): Draft {
  const { data } = input;
  const entered = enteredBy(data);
  const store = entered.object('store');
  const till = entered.object('till');
  return {
    ...identifyingTenantFields(input),
    store: { code: store.id('code'), name: store.text('name'), externalId: store.id('externalId') },
    till: { code: till.id('code'), name: till.text('name') },
    program: programFields(data),
  };
}

/** Which event, of which customer: no name, no address, nothing else of the person. */
export function identifyingTenantFields({ event, context, notes }: FamilyInput): Draft {
  const envelope = createReader(flatEvent(event, {}), '', context.source.timezone, notes);
  return {
    event: {
      name: event.eventName,
      id: envelope.id('eventId'),
      orgId: String(event.orgId),
      referenceId: envelope.id('refId'),
      requestId: envelope.id('apiRequestId'),
      loyaltyEventId: envelope.id('loyaltyEventId'),
    },
    customerId: event.customerId ?? customerIdOf(event.data),
  };
}

/** The store as Adobe's point of interest (reference: adobe.md §5.8). */
export function placeContext(data: Reader): Draft {
  const store = enteredBy(data).object('store');
  return { POIinteraction: { poiDetail: { poiID: store.id('code'), name: store.text('name') } } };
}

function programFields(data: Reader): Draft {
  const details = data.object('loyaltyProgramDetails');
  const detailsId = details.id('id');
  const id = data.id('loyaltyProgramId') ?? detailsId;
  return { id, name: id === detailsId ? details.text('name') : undefined };
}
