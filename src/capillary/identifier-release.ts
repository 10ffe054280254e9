import {
  customerIdText,
  idText,
  type Identifier,
  type IdentifierKind,
  identifiersOf,
} from './identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** A customer whose identifiers were freed after a merge (docs/platforms/capillary.md#merges). */
export interface ReleasedProfile {
  readonly customerId?: string;
  /** The identifiers that are named; of kinds without a namespace too, with the kind undefined. */
  readonly identifiers: readonly ReleasedIdentifier[];
}

export type ReleasedIdentifier = Pick<Identifier, 'value'> & { readonly kind: IdentifierKind | undefined };

/** Fields that name a customer; Capillary documents none of them. */
const ID_FIELDS = ['customerId', 'victimCustomerId', 'userId', 'entityId'] as const;
/** Objects inside a profile that can have its id and its identifiers. */
const PARTS = [
  'customerIdentifiers',
  'victimCustomerIdentifiers',
  'entityInformation',
  'identifiers',
] as const;
const TYPE_FIELDS = ['identifierType', 'type', 'key', 'name', 'fieldName'] as const;
const VALUE_FIELDS = ['identifierValue', 'value', 'releasedValue'] as const;
/** Lists of identifiers by type and value. */
const LISTS = ['identifiers', 'releasedIdentifiers'] as const;
const ROLE_FIELDS = ['role', 'type', 'profileType', 'mergeRole'] as const;

/** Names of identifiers without case and punctuation. */
const KINDS: ReadonlyMap<string, IdentifierKind> = new Map([
  ['mobile', 'phone'],
  ['mobilenumber', 'phone'],
  ['mobileno', 'phone'],
  ['phone', 'phone'],
  ['phonenumber', 'phone'],
  ['email', 'email'],
  ['emailid', 'email'],
  ['emailaddress', 'email'],
  ['externalid', 'externalId'],
  ['cardnumber', 'cardNumber'],
  ['cardnumbers', 'cardNumber'],
  ['cardno', 'cardNumber'],
]);

/** The kind of identifier that a name such as `mobile`, `emailId` or `card_number` means. */
export function identifierKindOf(name: string): IdentifierKind | undefined {
  return KINDS.get(name.toLowerCase().replaceAll(/[^a-z]/g, ''));
}

/**
 * The customers of an identifierReleased: those of `profiles`, without the survivor if it is marked
 * as such, else the victim of the merge if the event names one, else the one of
 * `customerIdentifiers`.
 */
export function releasedProfilesIn(data: JsonObject): readonly ReleasedProfile[] {
  const { profiles, victimCustomerIdentifiers: victim, customerIdentifiers: person } = data;
  const items = Array.isArray(profiles) ? profiles : [profiles ?? null];
  const released = items.flatMap((profile) =>
    isJsonObject(profile) ? (isSurvivor(profile) ? [] : [profileOf(profile)]) : idOnly(profile),
  );
  return released.length > 0 ? released : [victim, person].filter(isJsonObject).slice(0, 1).map(profileOf);
}

/** The customerId that a release names; undefined for the data of other events. */
export function releasedIdIn(data: JsonObject): string | undefined {
  return Object.hasOwn(data, 'mergeEventId') || Object.hasOwn(data, 'releasedAt')
    ? releasedProfilesIn(data).find((profile) => profile.customerId !== undefined)?.customerId
    : undefined;
}

function isSurvivor(profile: JsonObject): boolean {
  return ROLE_FIELDS.some((field) => {
    const role = profile[field];
    return typeof role === 'string' && role.trim().toLowerCase() === 'survivor';
  });
}

/** A profile can be just its id. */
function idOnly(profile: JsonValue): readonly ReleasedProfile[] {
  const customerId = customerIdText(profile);
  return customerId === undefined ? [] : [{ customerId, identifiers: [] }];
}

function profileOf(profile: JsonObject): ReleasedProfile {
  const parts = [profile, ...PARTS.map((part) => profile[part]).filter(isJsonObject)];
  const customerId = ID_FIELDS.flatMap((field) => parts.map((part) => customerIdText(part[field]))).find(
    (id) => id !== undefined,
  );
  return {
    ...(customerId === undefined ? {} : { customerId }),
    identifiers: parts.flatMap(identifiersIn),
  };
}

function identifiersIn(part: JsonObject): readonly ReleasedIdentifier[] {
  const flat = Object.entries(part).flatMap(([name, value]) => {
    const kind = identifierKindOf(name);
    const values = Array.isArray(value) ? value : [value];
    return kind === undefined ? [] : values.flatMap((one) => named(kind, idText(one)));
  });
  const listed = LISTS.flatMap((list) => part[list]).flatMap((item) =>
    isJsonObject(item) ? typedIdentifier(item) : [],
  );
  const accounts = Array.isArray(part['accounts']) ? identifiersOf({ linked: part }) : [];
  return [...identifiersOf(part), ...accounts, ...flat, ...listed];
}

function typedIdentifier(item: JsonObject): readonly ReleasedIdentifier[] {
  const type = TYPE_FIELDS.map((field) => item[field]).find((name) => typeof name === 'string');
  const value = VALUE_FIELDS.map((field) => idText(item[field])).find((text) => text !== undefined);
  return typeof type === 'string' ? named(identifierKindOf(type), value) : [];
}

function named(kind: IdentifierKind | undefined, value: string | undefined): readonly ReleasedIdentifier[] {
  return value === undefined ? [] : [{ kind, value }];
}
