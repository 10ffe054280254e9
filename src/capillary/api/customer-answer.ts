import { z } from 'zod';
import type { CustomerEntity } from '../entities.ts';
import { type JsonObject } from '../json.ts';
import { anId, aText, listOf, anObject, objectOf } from './answer-fields.ts';
import { isMaskedContact, unmaskedFields } from './masked-values.ts';
import { LOYALTY_FIELDS, type LoyaltyContext, programsOf } from './program-answer.ts';
import { timeOf } from './read-times.ts';

/** The answer of `GET /v2/customers/{id}` (docs/platforms/capillary.md#customer-reads). */
const answerSchema = z.object({
  ...LOYALTY_FIELDS,
  profiles: listOf({
    firstName: aText,
    lastName: aText,
    fields: anObject,
    identifiers: listOf({ type: aText, value: anId }),
    source: aText,
    accountId: anId,
  }),
  loyaltyInfo: objectOf({
    loyaltyType: aText,
    attributionV2: objectOf({ createDate: aText, createDateISO: aText }),
  }),
  statusLabel: aText,
  statusLabelReason: aText,
  statusLastUpdatedOn: aText,
  statusLastUpdatedOnISO: aText,
  extendedFields: anObject,
  subscriptionInfo: objectOf({
    subscriptions: listOf({ channel: aText, priority: aText, type: aText }),
  }),
  cardDetails: listOf({
    cardNumber: anId,
    seriesName: aText,
    seriesCode: aText,
    expiryDate: aText,
    expiryDateISO: aText,
    statusInfo: objectOf({ label: aText, status: aText }),
  }),
});

type Answer = z.output<typeof answerSchema>;
type Profile = NonNullable<Answer['profiles']>[number];
type EntityIdentifier = CustomerEntity['identifiers'][number];

const KINDS: ReadonlyMap<string, EntityIdentifier['kind']> = new Map([
  ['mobile', 'phone'],
  ['email', 'email'],
  ['externalid', 'externalId'],
  ['cardnumber', 'cardNumber'],
]);

const IN_STORE = 'instore';

function isInStore({ source }: Profile): boolean {
  return source === undefined || source.toLowerCase() === IN_STORE;
}

/** As `Identifier.account` of an event has it; accounts without an id are numbered. */
function accountOf(profile: Profile, profiles: readonly Profile[]): string {
  const { source = '', accountId } = profile;
  if (isInStore(profile)) return IN_STORE;
  const index = profiles.filter((other) => other.source === source).indexOf(profile);
  return `${source.toLowerCase()}/${accountId ?? index}`;
}

/** External ids and cards are never masked. */
function isHidden({ kind, value }: EntityIdentifier): boolean {
  return kind === 'email' || kind === 'phone' ? isMaskedContact(value) : /^\*+$/.test(value);
}

/** The in-store profile first, as in events. */
function orderedProfiles({ profiles = [] }: Answer): readonly Profile[] {
  return profiles.toSorted((a, b) => Number(isInStore(b)) - Number(isInStore(a)));
}

function identifiersIn(profiles: readonly Profile[]): readonly EntityIdentifier[] {
  return profiles.flatMap((profile) =>
    (profile.identifiers ?? []).flatMap(({ type, value }) => {
      const kind = KINDS.get(type?.toLowerCase() ?? '');
      // Cards of other channels are not the customer's loyalty cards.
      const isKnown = kind !== undefined && (kind !== 'cardNumber' || isInStore(profile));
      return isKnown && value !== undefined ? [{ kind, value, account: accountOf(profile, profiles) }] : [];
    }),
  );
}

function nameOf(profiles: readonly Profile[], key: 'firstName' | 'lastName'): string | undefined {
  return profiles.map((profile) => profile[key]).find((name) => name !== undefined && !isMaskedContact(name));
}

/** True if something is masked, or if no profile or a profile without identifiers was answered. */
function isPartial(profiles: readonly Profile[], identifiers: readonly EntityIdentifier[]): boolean {
  const names = profiles.flatMap(({ firstName, lastName }) => [firstName ?? '', lastName ?? '']);
  return (
    !profiles.some(isInStore) ||
    profiles.some((profile) => profile.identifiers === undefined) ||
    names.some(isMaskedContact) ||
    identifiers.some(isHidden)
  );
}

function statusOf(answer: Answer, serverZone: string): CustomerEntity['status'] {
  const { statusLabel, statusLabelReason, statusLastUpdatedOn, statusLastUpdatedOnISO } = answer;
  const at = timeOf(statusLastUpdatedOnISO, statusLastUpdatedOn, serverZone);
  return statusLabel === undefined ? undefined : { label: statusLabel, reason: statusLabelReason, at };
}

const OPTED_IN: ReadonlyMap<string, boolean> = new Map([
  ['OPTIN', true],
  ['OPTOUT', false],
]);

function subscriptionsOf({ subscriptionInfo }: Answer): CustomerEntity['subscriptions'] {
  return subscriptionInfo?.subscriptions?.flatMap(({ channel, priority, type }) => {
    const isOptedIn = OPTED_IN.get(type?.toUpperCase().replaceAll(/[\s_-]/g, '') ?? '');
    return channel === undefined || priority === undefined || isOptedIn === undefined
      ? []
      : [{ channel: channel.toUpperCase(), priority: priority.toUpperCase(), isOptedIn }];
  });
}

function cardsOf({ cardDetails }: Answer, serverZone: string): CustomerEntity['cards'] {
  return cardDetails?.flatMap(({ cardNumber, seriesName, seriesCode, statusInfo, ...card }) =>
    cardNumber === undefined
      ? []
      : [
          {
            number: cardNumber,
            series: seriesName ?? seriesCode,
            status: statusInfo?.label ?? statusInfo?.status,
            expiresAt: timeOf(card.expiryDateISO, card.expiryDate, serverZone),
          },
        ],
  );
}

export interface ReadCustomer {
  readonly customer: CustomerEntity;
  /** Whether the answer says that the customer is a member of the loyalty program. */
  readonly isLoyal: boolean;
}

/**
 * Reads an answer about a customer. Masked values are left out.
 * @param customerId of the customer who was asked for
 */
export function customerIn(body: JsonObject, customerId: string, context: LoyaltyContext): ReadCustomer {
  const answer = answerSchema.parse(body);
  const { serverZone } = context;
  const profiles = orderedProfiles(answer);
  const [first] = profiles;
  const identifiers = identifiersIn(profiles);
  const { loyaltyType, attributionV2 } = answer.loyaltyInfo ?? {};
  const programs = programsOf(answer, context);
  const customer: CustomerEntity = {
    customerId,
    firstName: nameOf(profiles, 'firstName'),
    lastName: nameOf(profiles, 'lastName'),
    identifiers: identifiers.filter((identifier) => !isHidden(identifier)),
    ...(isPartial(profiles, identifiers) ? { isMasked: true } : {}),
    joinedAt: timeOf(attributionV2?.createDateISO, attributionV2?.createDate, serverZone),
    loyaltyType,
    status: statusOf(answer, serverZone),
    customFields: unmaskedFields(first?.fields),
    extendedFields: unmaskedFields(answer.extendedFields),
    subscriptions: subscriptionsOf(answer),
    cards: cardsOf(answer, serverZone),
    programs,
  };
  return { customer, isLoyal: programs.length > 0 || loyaltyType?.toLowerCase() === 'loyalty' };
}
