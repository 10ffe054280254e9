import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * The kinds of identifier that can become an identity in AEP; also the keys of
 * `identity.namespaces` in the configuration.
 */
export type IdentifierKind = 'customerId' | 'email' | 'phone' | 'externalId' | 'cardNumber';

/** An identifier as it appears in the event; its format has not been checked. */
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
  /** Path below the object that was searched, e.g. `instore.email`. */
  readonly path: string;
  /** `instore`, or channel and id of the linked account, such as `web_engage/7`. */
  readonly account: string;
}

/**
 * The usable values of `identifierType` in linked accounts. The others (cuid, unionId…) have no
 * namespace.
 */
const ACCOUNT_KINDS: ReadonlyMap<string, IdentifierKind> = new Map([
  ['mobile', 'phone'],
  ['email', 'email'],
  ['externalid', 'externalId'],
]);

/**
 * A number or string as the text of an id: `379499720.0` → `379499720`. Undefined if it is not an
 * id: an empty string, a fraction, or a number beyond 2^53, which has already lost digits.
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

/** A Capillary customerId (userId) as text: a positive integer of up to 19 digits. */
export function customerIdText(value: JsonValue | undefined): string | undefined {
  const text = idText(value);
  return text !== undefined && /^(?!0+$)\d{1,19}$/.test(text) ? text : undefined;
}

/**
 * E-mail addresses, phone numbers, external ids and cards of one `customerIdentifiers` object in a
 * fixed order: in-store first, then the accounts linked from other channels
 * (docs/platforms/capillary.md#identifiers). One old sample spells the channel `Instore`.
 */
export function identifiersOf(person: JsonObject): readonly Identifier[] {
  const found: Identifier[] = [];
  const add: Add = (kind, value, path, account = 'instore') => {
    const text = idText(value);
    if (text !== undefined) {
      found.push({ kind, value: text, path, account });
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

type Add = (kind: IdentifierKind, value: JsonValue | undefined, path: string, account?: string) => void;

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
    const accountName = `${channel}/${(isJsonObject(account) ? idText(account['accountId']) : undefined) ?? index}`;
    for (const [place, identifier] of (Array.isArray(identifiers) ? identifiers : []).entries()) {
      const type = isJsonObject(identifier) ? identifier['identifierType'] : undefined;
      const kind = typeof type === 'string' ? ACCOUNT_KINDS.get(type.trim().toLowerCase()) : undefined;
      if (kind !== undefined && isJsonObject(identifier)) {
        const path = `${channel}.accounts[${index}].identifiers[${place}].identifierValue`;
        add(kind, identifier['identifierValue'], path, accountName);
      }
    }
  }
}
