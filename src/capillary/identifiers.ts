import { hash } from 'node:crypto';
import { GROUP_MEMBERS, groupMemberOf, type Person } from './group-members.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * The kinds of identifier that can become an identity in AEP; the names of `identity.namespaces` in the
 * configuration.
 */
export type IdentifierKind = 'customerId' | 'email' | 'phone' | 'externalId' | 'cardNumber';

/** An identifier as it stands in the event, before its format was looked at. */
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
  /** Where it stands below the object searched, e.g. `instore.email`. */
  readonly path: string;
}

/**
 * `identifierType` of linked accounts that we know how to use; the others (cuid, unionId…) have no namespace.
 */
const ACCOUNT_KINDS: ReadonlyMap<string, IdentifierKind> = new Map([
  ['mobile', 'phone'],
  ['email', 'email'],
  ['externalid', 'externalId'],
]);

/** Channels below a person: the in-store one as it is spelled, and any other. */
const CHANNELS = ['instore', 'Instore', 'InStore', 'INSTORE', '*'];

/**
 * The fields of `data` that this file reads, `*` for any key, items of lists under the list's own path: what no other mapping has to
 * carry.
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
    ...['identifierType', 'identifierValue'].flatMap((field) =>
      CHANNELS.map((channel) => `${person}.${channel}.accounts.identifiers.${field}`),
    ),
  ]),
  ...['', 'triggeringActivity.'].flatMap((place) => [
    `${place}entityInformation.entityType`,
    `${place}entityInformation.entityId`,
  ]),
  'transactionUpdates.customerId',
  'cardNumber',
];

/**
 * A number or text as the text of an id: `379499720.0` → `379499720`. Undefined for what is no id: empty
 * text, fractions, numbers beyond 2^53 whose last digits are lost already.
 */
export function idText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? String(value) : undefined;
  }
  if (typeof value !== 'string') {
    return undefined;
  }
  const text = value.toWellFormed().trim();
  if (text === '') {
    return undefined;
  }
  return text.includes('.0') ? text.replace(/^(-?\d+)\.0+$/, '$1') : text;
}

/** A customerId (userId) of Capillary: a whole number above 0 in up to 19 digits, as text. */
export function customerIdText(value: JsonValue | undefined): string | undefined {
  const text = idText(value);
  return text !== undefined && /^(?!0+$)\d{1,19}$/.test(text) ? text : undefined;
}

/**
 * The person the event is about: the survivor of a merge, one member of a group event, the one customer whom all the items of an event
 * name, the holder of a card. AEP joins what stands in one identityMap, so it is never more than one person.
 */
export function personOf(data: JsonObject): Person | undefined {
  return namedPersonOf(data) ?? groupMemberIn(data) ?? listedPerson(data) ?? cardHolderOf(data);
}

/**
 * The customerId of the person the event is about. Events of a group that name no member tell of nobody but
 * the acting person (reference: capillary.md §5); of a member without a customerId the acting person is none.
 */
export function customerIdOf(data: JsonObject): string | undefined {
  const member = groupMemberIn(data);
  if (member !== undefined) {
    return memberId(member.identifiers);
  }
  const activity = data['triggeringActivity'];
  return (
    memberId(data['customerIdentifiers']) ??
    memberId(data['survivorCustomerIdentifiers']) ??
    memberId((namedPersonOf(data) ?? listedPerson(data))?.identifiers) ??
    userEntityId(data['entityInformation']) ??
    (isJsonObject(activity) ? userEntityId(activity['entityInformation']) : undefined)
  );
}

/**
 * What an `entityInformation` speaks of, in capitals (`USER`, `USERGROUP2`); undefined when it does not say.
 */
export function entityTypeOf(entity: JsonValue | undefined): string | undefined {
  const type = isJsonObject(entity) ? entity['entityType'] : undefined;
  return typeof type === 'string' && type.trim() !== '' ? type.trim().toUpperCase() : undefined;
}

/**
 * E-mails, phones, external ids and cards of one `customerIdentifiers` object in a fixed order: in-store
 * first, then the accounts linked from other channels (reference: capillary.md §5). One old sample spells
 * `Instore`.
 */
export function identifiersOf(person: JsonObject): readonly Identifier[] {
  const found: Identifier[] = [];
  const add = (kind: IdentifierKind, value: JsonValue | undefined, path: string): void => {
    const text = idText(value);
    if (text !== undefined) {
      found.push({ kind, value: text, path });
    }
  };
  for (const [channel, content] of Object.entries(person)) {
    if (channel.toLowerCase() === 'instore' && isJsonObject(content)) {
      addInstore(content, channel, add);
    }
  }
  for (const [channel, content] of Object.entries(person).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    addAccounts(content, channel, add);
  }
  return found;
}

/**
 * What the order of events is kept by: the customerId, else the first stable identifier of the person, else
 * the group. Plain text, so it is personal data: hash it (`laneOf`) before it is kept. Undefined for an event
 * of nobody.
 */
export function laneKeyOf(data: JsonObject, customerId = customerIdOf(data)): string | undefined {
  if (customerId !== undefined) {
    return customerId;
  }
  const identifiers = identifiersOf(personOf(data)?.identifiers ?? {});
  for (const kind of ['externalId', 'email', 'phone', 'cardNumber'] as const) {
    const found = identifiers.find((identifier) => identifier.kind === kind);
    if (found !== undefined) {
      return `${kind}:${trivialForm(kind, found.value)}`;
    }
  }
  const entity = data['entityInformation'];
  const groupId = isJsonObject(entity) ? idText(entity['entityId']) : undefined;
  return groupId === undefined ? undefined : `group:${groupId}`;
}

/** The lane of a key in one organisation: 64 hex of SHA-256. */
export function laneOf(orgId: number, laneKey: string): string {
  return hash('sha256', JSON.stringify(['lane', orgId, laneKey]));
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

function groupMemberIn(data: JsonObject): Person | undefined {
  return namedPersonOf(data) === undefined ? groupMemberOf(data) : undefined;
}

/** A card event names the card and no customer (reference: capillary.md §2.1, `eventSearchKey`). */
function cardHolderOf(data: JsonObject): Person | undefined {
  const cardnumber = idText(data['cardNumber']);
  return cardnumber === undefined || customerIdOf(data) !== undefined
    ? undefined
    : { identifiers: { instore: { cardnumber } } };
}

type Add = (kind: IdentifierKind, value: JsonValue | undefined, path: string) => void;

function addInstore(instore: JsonObject, channel: string, add: Add): void {
  add('phone', instore['mobile'], `${channel}.mobile`);
  add('email', instore['email'], `${channel}.email`);
  add('externalId', instore['externalId'], `${channel}.externalId`);
  add('cardNumber', instore['cardnumber'], `${channel}.cardnumber`);
  const cards = instore['cardNumbers'];
  for (const [index, card] of (Array.isArray(cards) ? cards : []).entries()) {
    add('cardNumber', card, `${channel}.cardNumbers[${index}]`);
  }
}

function addAccounts(content: JsonValue, channel: string, add: Add): void {
  const accounts = isJsonObject(content) ? content['accounts'] : undefined;
  for (const [index, account] of (Array.isArray(accounts) ? accounts : []).entries()) {
    const identifiers = isJsonObject(account) ? account['identifiers'] : undefined;
    for (const [place, identifier] of (Array.isArray(identifiers) ? identifiers : []).entries()) {
      const type = isJsonObject(identifier) ? identifier['identifierType'] : undefined;
      const kind = typeof type === 'string' ? ACCOUNT_KINDS.get(type.trim().toLowerCase()) : undefined;
      if (kind !== undefined && isJsonObject(identifier)) {
        const path = `${channel}.accounts[${index}].identifiers[${place}].identifierValue`;
        add(kind, identifier['identifierValue'], path);
      }
    }
  }
}

/**
 * Only what makes two spellings of one value equal without knowing the country: the lane must not depend on
 * configuration.
 */
function trivialForm(kind: IdentifierKind, value: string): string {
  if (kind === 'phone') {
    return value.replaceAll(/\D/g, '') || value;
  }
  return kind === 'email' ? value.toLowerCase() : value;
}

/**
 * The customer of an event that names customers in its items only: coupons issued, updated reward
 * transactions (reference: events/documented). Undefined unless every item names the same one.
 */
function listedPerson(data: JsonObject): Person | undefined {
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
  const customerId = memberId(first?.identifiers);
  const isOfOne =
    customerId !== undefined && persons.every((one) => memberId(one.identifiers) === customerId);
  return isOfOne && first !== undefined && isJsonObject(first.identifiers)
    ? { identifiers: first.identifiers, path: first.path }
    : undefined;
}

function itemsOf(data: JsonObject, list: string): readonly { item: JsonObject; path: string }[] {
  const items = data[list];
  return (Array.isArray(items) ? items : []).flatMap((item, index) =>
    isJsonObject(item) ? [{ item, path: `${list}[${index}]` }] : [],
  );
}

function memberId(person: JsonValue | undefined): string | undefined {
  return isJsonObject(person) ? customerIdText(person['customerId']) : undefined;
}

function userEntityId(entity: JsonValue | undefined): string | undefined {
  return isJsonObject(entity) && entityTypeOf(entity) === 'USER'
    ? customerIdText(entity['entityId'])
    : undefined;
}
