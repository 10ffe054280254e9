import { isJsonObject, type JsonValue } from '../../capillary/json.ts';
import { createNotes } from '../mapping-notes.ts';
import type { ProfileChange } from '../mapping-result.ts';
import { answerFactPattern, CONSENT_CHANNELS, consentPath, consentsOf } from './consents.ts';
import type { AttributeVersion } from './customer-state.ts';
import { deriveAttributes, type FactsByCustomer, type RecordContext } from './derived-attributes.ts';
import { factsIn, isFact } from './facts.ts';

/**
 * The attributes that a change alone sets, as an override sees them: with those computed from its
 * facts, but without its identities.
 */
export function attributesOfChange(
  { at, attributes: change }: ProfileChange,
  context: RecordContext,
): ReadonlyMap<string, JsonValue> {
  const versions = new Map<string, AttributeVersion>();
  for (const [path, value] of change) {
    versions.set(path, { value, at, by: '' });
  }
  const attributes = new Map<string, JsonValue>();
  const facts = [factsIn(versions)];
  for (const [path, { value }] of [
    ...deriveAttributes(facts, context, createNotes(), at),
    ...consentFields(facts, context),
    ...versions,
  ]) {
    if (!isFact(path) && value !== null) {
      attributes.set(path, value);
    }
  }
  return attributes;
}

/** The fields of the consents one by one, since a custom field can set one of them. */
function consentFields(
  facts: FactsByCustomer,
  { destination: { schemaFeatures, consents } }: RecordContext,
): readonly (readonly [string, AttributeVersion])[] {
  const found = schemaFeatures.consents ? consentsOf(facts, new Map(), consents.combine) : [];
  return [...found].flatMap(([path, { value, at, by }]) =>
    Object.entries(isJsonObject(value) ? value : {}).map(
      ([field, inner]) => [`${path}.${field}`, { value: inner, at, by }] as const,
    ),
  );
}

/** Stands for the tenant of the destination. */
const TENANT = '_';

/** The facts of an event from which an attribute of the record is computed. */
const FACTS_OF: readonly (readonly [attribute: string, facts: RegExp])[] = [
  ['loyalty.joinDate', /^@joined\[/],
  ['loyalty.points', /^@p\[[^\]]*\]\.points$/],
  ['loyalty.lifetimePoints', /^@p\[[^\]]*\]\.lifetime$/],
  ['loyalty.promisedPoints', /^@p\[[^\]]*\]\.promised$/],
  ['loyalty.tier', /^@p\[[^\]]*\]\.tier$/],
  ['loyalty.tierExpiryDate', /^@p\[[^\]]*\]\.tierExpiry$/],
  ['loyalty.tierUpgradeDate', /^@p\[[^\]]*\]\.upgraded$/],
  ['loyalty.upgradeDate', /^@p\[[^\]]*\]\.upgraded$/],
  ['loyalty.rewards.coupons', /^@coupon\[/],
  ['loyalty.rewards.giveaways', /^@gift\[/],
  ['loyalty.rewards.badges', /^@badge\[/],
  ['loyalty.challenges', /^@goal\[/],
  [`${TENANT}.capillary.coupons`, /^@coupon\[/],
  [`${TENANT}.capillary.rewards`, /^@gift\[/],
  [`${TENANT}.capillary.badges`, /^@badge\[/],
  [`${TENANT}.capillary.challenges`, /^@goal\[/],
  ...CONSENT_CHANNELS.map((channel) => [`${consentPath(channel)}.val`, answerFactPattern(channel)] as const),
  ['loyalty.loyaltyID', /^@id\[(?:externalId|cardNumber)\]/],
  ['loyalty.joinDate', /^@joined\[/],
  [`${TENANT}.capillary.member`, /^@loyalty\.type$/],
  [`${TENANT}.capillary.loyaltyType`, /^@loyalty\.type$/],
  [`${TENANT}.capillary.active`, /^@loyalty\.active$/],
];

/** A change without the attributes below these paths and the facts that they are computed from. */
export function withoutAttributes(
  change: ReadonlyMap<string, JsonValue>,
  removed: readonly string[],
): ReadonlyMap<string, JsonValue> {
  const isBelow = (path: string, starts = removed): boolean =>
    starts.some((start) => path === start || path.startsWith(`${start}.`));
  const inAnyTenant = removed.map((start) => start.replace(/^_\w+/, TENANT));
  const facts = FACTS_OF.filter(([attribute]) => isBelow(attribute, inAnyTenant)).map(
    ([, pattern]) => pattern,
  );
  return new Map(
    [...change].filter(([path]) => !isBelow(path) && !facts.some((pattern) => pattern.test(path))),
  );
}
