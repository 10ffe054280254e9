import { releasedIdIn } from './identifier-release.ts';
import { customerIdText, idText } from './identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Identifiers of a person, and the path in `data` where the event has them. */
export interface Person {
  readonly identifiers: JsonObject;
  /** Absent if the only identifier is the card number of a card event. */
  readonly path?: string;
}

/**
 * Fields in which a group event names its members. The member that the event is about comes first,
 * because the primary member can be named along with any other
 * (docs/platforms/capillary.md#groups).
 */
export const GROUP_MEMBERS = ['memberAdded', 'memberRemoved', 'contributingMember', 'primaryMember'] as const;

/** Channels below a person: the spellings of the in-store one, and `*` for any other. */
const CHANNELS = ['instore', 'Instore', 'InStore', 'INSTORE', '*'];

/**
 * The fields of `data` that identify a person, so no mapping has to read them. `*` stands for any
 * key; items of a list have the path of the list.
 */
export const IDENTIFIER_FIELDS: readonly string[] = [
  ...[
    'customerIdentifiers',
    'survivorCustomerIdentifiers',
    'coupons.customerIdentifiers',
    ...GROUP_MEMBERS.map((member) => `${member}.customerIdentifiers`),
  ].flatMap((person) => [
    `${person}.customerId`,
    ...['mobile', 'email', 'externalId', 'cardnumber', 'cardNumbers'].flatMap((field) =>
      CHANNELS.filter((channel) => channel !== '*').map((channel) => `${person}.${channel}.${field}`),
    ),
    ...['accountId', 'identifiers.identifierType', 'identifiers.identifierValue'].flatMap((field) =>
      CHANNELS.map((channel) => `${person}.${channel}.accounts.${field}`),
    ),
  ]),
  ...['', 'triggeringActivity.'].flatMap((prefix) => [
    `${prefix}entityInformation.entityType`,
    `${prefix}entityInformation.entityId`,
  ]),
  'transactionUpdates.customerId',
  'cardNumber',
];

/**
 * The person that the event is about: the survivor of a merge, one member of a group event, the one
 * customer that all items of an event name, or the holder of a card. Never more than one person,
 * because AEP links all identities of one identityMap.
 */
export function personOf(data: JsonObject): Person | undefined {
  return namedPersonOf(data) ?? groupMemberIn(data) ?? personInItems(data) ?? cardHolderOf(data);
}

/**
 * The customerId of the person that the event is about. If a group event names no member, the
 * acting person is used (docs/platforms/capillary.md#group-entities); if it names a member without
 * a customerId, there is none, because the acting person may be someone else.
 */
export function customerIdOf(data: JsonObject): string | undefined {
  const member = groupMemberIn(data);
  if (member !== undefined) {
    return customerIdIn(member.identifiers);
  }
  const activity = data['triggeringActivity'];
  return (
    customerIdIn(data['customerIdentifiers']) ??
    customerIdIn(data['survivorCustomerIdentifiers']) ??
    customerIdIn((namedPersonOf(data) ?? personInItems(data))?.identifiers) ??
    releasedIdIn(data) ??
    userEntityId(data['entityInformation']) ??
    (isJsonObject(activity) ? userEntityId(activity['entityInformation']) : undefined)
  );
}

/**
 * The type of an `entityInformation` in capitals (`USER`, `USERGROUP2`); undefined if it has none.
 */
export function entityTypeOf(entity: JsonValue | undefined): string | undefined {
  const type = isJsonObject(entity) ? entity['entityType'] : undefined;
  return typeof type === 'string' && type.trim() !== '' ? type.trim().toUpperCase() : undefined;
}

function namedPersonOf(data: JsonObject): Person | undefined {
  for (const path of ['customerIdentifiers', 'survivorCustomerIdentifiers']) {
    const identifiers = data[path];
    if (isJsonObject(identifiers) && Object.keys(identifiers).length > 0) {
      return { path, identifiers };
    }
  }
  return undefined;
}

/**
 * The member that a group event is about; undefined for every other event. If the event has no
 * identifiers of that member, the result has none either, so that no other member takes its place.
 */
function groupMemberIn(data: JsonObject): Person | undefined {
  const field = GROUP_MEMBERS.find((name) => Object.hasOwn(data, name));
  if (field === undefined || namedPersonOf(data) !== undefined) {
    return undefined;
  }
  const member = data[field];
  const identifiers = isJsonObject(member) ? member['customerIdentifiers'] : undefined;
  return { path: `${field}.customerIdentifiers`, identifiers: isJsonObject(identifiers) ? identifiers : {} };
}

/** Card events name the card but no customer (docs/platforms/capillary.md#badges-and-cards). */
function cardHolderOf(data: JsonObject): Person | undefined {
  const cardnumber = idText(data['cardNumber']);
  return cardnumber === undefined || customerIdOf(data) !== undefined
    ? undefined
    : { identifiers: { instore: { cardnumber } } };
}

/**
 * The customer of an event that names customers in its items only: coupons issued, reward
 * transactions updated (docs/platforms/capillary.md#coupons-and-rewards). Undefined unless all
 * items name the same one.
 */
function personInItems(data: JsonObject): Person | undefined {
  const persons = [
    ...itemsOf(data, 'coupons').map(({ item, path }) => ({
      identifiers: item['customerIdentifiers'],
      path: `${path}.customerIdentifiers`,
    })),
    ...itemsOf(data, 'transactionUpdates').map(({ item, path }) => ({
      identifiers: { customerId: item['customerId'] ?? null },
      path,
    })),
  ];
  const [first] = persons;
  const customerId = customerIdIn(first?.identifiers);
  const isSamePerson =
    customerId !== undefined && persons.every(({ identifiers }) => customerIdIn(identifiers) === customerId);
  return isSamePerson && first !== undefined && isJsonObject(first.identifiers)
    ? { identifiers: first.identifiers, path: first.path }
    : undefined;
}

function itemsOf(data: JsonObject, list: string): readonly { item: JsonObject; path: string }[] {
  const items = data[list];
  return (Array.isArray(items) ? items : []).flatMap((item, index) =>
    isJsonObject(item) ? [{ item, path: `${list}[${index}]` }] : [],
  );
}

function customerIdIn(person: JsonValue | undefined): string | undefined {
  return isJsonObject(person) ? customerIdText(person['customerId']) : undefined;
}

function userEntityId(entity: JsonValue | undefined): string | undefined {
  return isJsonObject(entity) && entityTypeOf(entity) === 'USER'
    ? customerIdText(entity['entityId'])
    : undefined;
}
