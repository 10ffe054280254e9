import { customerIdOf } from '../../capillary/person.ts';
import { flatEvent } from '../raw-format.ts';
import { readLabel } from '../person-name.ts';
import { createReader, type Reader } from '../reader.ts';
import type { Draft, FamilyInput } from './family.ts';
import { knownBill } from './known-bill.ts';

/**
 * Where the event was entered: its own `enteredBy` (`addedBy` in coupons and cart promotions), else
 * that of the triggering activity (docs/platforms/capillary.md#shared-objects).
 */
export function enteredBy(data: Reader): Reader {
  const own = [data.object('enteredBy'), data.object('addedBy')];
  return (
    own.find(({ raw }) => Object.keys(raw).length > 0) ??
    data.object('triggeringActivity').object('enteredBy')
  );
}

/**
 * Code and name of the store where the event was entered. Of a bill that does not say it, the store
 * that Capillary's API has.
 */
export function storeOf(
  input: FamilyInput,
  nameIn = (store: Reader): string | undefined => store.text('name'),
): { readonly code: string | undefined; readonly name: string | undefined } {
  const store = enteredBy(input.data).object('store');
  const code = store.id('code');
  const known = code === undefined ? knownBill(input)?.store : undefined;
  return { code: code ?? known?.code, name: nameIn(store) ?? known?.name };
}

/** The fields below `<tenant>.capillary` that every event has if they are known. */
export function commonTenantFields(input: FamilyInput): Draft {
  const { data } = input;
  const entered = enteredBy(data);
  const store = entered.object('store');
  const till = entered.object('till');
  return {
    ...identifyingTenantFields(input),
    store: {
      ...storeOf(input),
      externalId: store.id('externalId'),
      externalId1: store.id('externalId1'),
      externalId2: store.id('externalId2'),
    },
    till: { code: till.id('code'), name: till.text('name') },
    activity: activityFields(data.object('triggeringActivity')),
    enteredBy: { id: entered.id('id') },
    program: programFields(input),
  };
}

/** What caused the event (docs/platforms/capillary.md#shared-objects). */
function activityFields(activity: Reader): Draft {
  return {
    name: activity.text('name'),
    requestId: activity.id('requestId'),
    identifiers: keyedValues(activity.list('identifiers')),
    attributes: keyedValues(activity.list('additionalAttributes')),
  };
}

function keyedValues(entries: readonly Reader[]): readonly Draft[] {
  return entries.map((entry) => ({ key: entry.scalar('key'), value: entry.scalar('value') }));
}

/** Identifies the event and its customer; no other personal data. */
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

/** The store as a point of interest (docs/platforms/adobe.md#store). */
export function placeContext(input: FamilyInput): Draft {
  const { code, name } = storeOf(input, (store) => readLabel(store, 'name', input.notes));
  return { POIinteraction: { poiDetail: { poiID: code, name } } };
}

/** The name is the one that this or another event has said. */
function programFields({ data, programs, notes }: FamilyInput): Draft {
  const details = data.object('loyaltyProgramDetails');
  const id = data.id('loyaltyProgramId') ?? details.id('id');
  const name = id === undefined ? undefined : programs.nameOf(id);
  if (id !== undefined && name === undefined) {
    notes.add('data.loyaltyProgramDetails.name', 'unknown-name');
  }
  return { id, name, pointsToCurrencyRatio: details.number('pointsToCurrencyRatio') };
}

/** The bill that caused an event. */
export function transactionIdOf(data: Reader): string | undefined {
  return activityId(data, ['transactionid', 'billid']);
}

/** The redemption that an event records or reverses. */
export function redemptionIdOf(data: Reader): string | undefined {
  return activityId(data, ['redemptionid']) ?? data.id('redemptionSummaryId');
}

/**
 * The first identifier of the triggering activity under one of these keys, in the order of the
 * keys; "-1" means none (docs/platforms/capillary.md#shared-objects).
 */
function activityId(data: Reader, keys: readonly string[]): string | undefined {
  const identifiers = data.object('triggeringActivity').list('identifiers');
  return keys
    .flatMap((key) => identifiers.filter((identifier) => identifier.text('key')?.toLowerCase() === key))
    .map((identifier) => identifier.id('value'))
    .find((value) => value !== undefined && value !== '-1');
}

/**
 * The items of a list that belong to the event's customer. An item that names another customer is
 * left out with a note; an item without a customer id belongs to the event's customer.
 */
export function ownItems(
  { event, notes }: FamilyInput,
  items: readonly Reader[],
  customerIdIn: (item: Reader) => string | undefined,
): readonly Reader[] {
  return items.filter((item) => {
    const customerId = customerIdIn(item);
    const isOwn = customerId === undefined || customerId === event.customerId;
    if (!isOwn) {
      notes.add(item.path, 'other-customer');
    }
    return isOwn;
  });
}
