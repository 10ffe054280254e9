import type { BillEntity, CustomerAnswer, Entities } from './entities.ts';
import { isJsonObject, type JsonValue } from './json.ts';

/**
 * Entities as they were stored with an event.
 * @returns undefined if they cannot be read: then they are fetched again
 */
export function parseEntities(json: string | undefined): Entities | undefined {
  if (json === undefined) return undefined;
  try {
    return entitiesIn(JSON.parse(json) as JsonValue);
  } catch {
    return undefined;
  }
}

/** Entities in the form in which they are stored; undefined if the value has another one. */
export function entitiesIn(value: JsonValue): Entities | undefined {
  if (!isJsonObject(value)) return undefined;
  const { customer, bill } = value;
  const hasCustomer = isFetched(customer) && typeof customer['kind'] === 'string';
  const hasBill = isFetched(bill) && isJsonObject(bill['bill']) && Array.isArray(bill['bill']['lines']);
  const isKnown = (hasCustomer || customer === undefined) && (hasBill || bill === undefined);
  return isKnown ? value : undefined;
}

function isFetched(value: JsonValue | undefined): value is Record<string, JsonValue> {
  return isJsonObject(value) && typeof value['at'] === 'number' && Array.isArray(value['calls']);
}

/** How many values of each kind something has that was read. Without the values. */
export type Contents = Readonly<Record<string, number>>;

function counts(lists: Readonly<Record<string, number | undefined>>): Contents {
  return Object.fromEntries(
    Object.entries(lists).filter((entry): entry is [string, number] => (entry[1] ?? 0) > 0),
  );
}

/** What was read of a customer, in numbers that say nothing about the person. */
export function customerContents(answer: CustomerAnswer): Contents {
  const customer = answer.kind === 'erased' ? undefined : answer.customer;
  if (customer === undefined) return {};
  const { programs, identifiers, subscriptions, cards, status, joinedAt } = customer;
  return counts({
    programs: programs.length,
    expiryDates: programs.reduce((sum, { lots = [] }) => sum + lots.length, 0),
    identifiers: identifiers.length,
    consents: subscriptions?.length,
    cards: cards?.length,
    status: Number(status !== undefined),
    joinDate: Number(joinedAt !== undefined),
  });
}

/** What was read of a bill. */
export function billContents(bill: BillEntity): Contents {
  const { lines, tenders, points, store, currency, customFields, extendedFields } = bill;
  return counts({
    lines: lines.length,
    tenders: tenders?.length,
    programsWithPoints: points?.length,
    store: Number(store !== undefined),
    currency: Number(currency !== undefined),
    fields: Object.keys({ ...customFields }).length + Object.keys({ ...extendedFields }).length,
  });
}
