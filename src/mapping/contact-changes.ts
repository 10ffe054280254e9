import type { CapillaryEvent } from '../capillary/event.ts';
import { identifierKindOf } from '../capillary/identifier-release.ts';
import { idText, type IdentifierKind } from '../capillary/identifiers.ts';
import { isBlank, isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { personOf } from '../capillary/person.ts';
import { type EventIdentity, type Identity, normalize } from './identities.ts';
import type { MappingContext } from './mapping-result.ts';

/** What an event says about contact points and ids that a customer has no longer. */
export interface ContactChanges {
  /** Named as the previous value of a change. */
  readonly gone: readonly Identity[];
  /** Stated as blank: nothing is left in this slot. */
  readonly cleared: readonly ClearedSlot[];
  /** Named as the new value of a change. */
  readonly added: readonly EventIdentity[];
}

export interface ClearedSlot {
  readonly kind: IdentifierKind;
  readonly slot: string;
  /** It had a value before: what the event has in this slot is older than the change. */
  readonly isChange: boolean;
}

/** An event that changes no contact. */
export const NO_CONTACT_CHANGES: ContactChanges = { gone: [], cleared: [], added: [] };
const INSTORE = 'instore';

/**
 * Reads changed and blank identifiers (docs/mapping.md#changed-and-blank-values). Fewer identifiers
 * than before mean nothing: an event has those that its cause used. JSON null and an absent field
 * are no statement, unless a change says what was there before.
 */
export function contactChangesOf(
  { data }: Pick<CapillaryEvent, 'data'>,
  { source }: Pick<MappingContext, 'source'>,
): ContactChanges {
  const cleared = blankSlotsIn(personOf(data)?.identifiers);
  const updates = data['updatedFields'];
  if (!Array.isArray(updates) || updates.length === 0) {
    return cleared.length === 0 ? NO_CONTACT_CHANGES : { ...NO_CONTACT_CHANGES, cleared };
  }
  const changes = updates.flatMap((update) => (isJsonObject(update) ? changeIn(update, source.country) : []));
  const added = changes.flatMap((change) => change.added ?? []);
  return {
    gone: changes
      .flatMap((change) => change.gone ?? [])
      .filter((gone) => !added.some((identity) => isSame(identity, gone))),
    cleared: [...cleared, ...changes.flatMap((change) => change.cleared ?? [])],
    added,
  };
}

/** The identities that the customer has after the changes of the same event. */
export function applyContactChanges(
  identities: readonly EventIdentity[],
  { gone, cleared, added }: ContactChanges,
): readonly EventIdentity[] {
  if (gone.length === 0 && cleared.length === 0 && added.length === 0) {
    return identities;
  }
  const left = identities.filter((identity) => ![...gone, ...cleared].some((lost) => isLost(identity, lost)));
  const missing = added.filter(
    ({ kind, slot }) => !left.some((identity) => identity.kind === kind && identity.slot === slot),
  );
  return [...left, ...missing.filter((one) => !left.some((identity) => isSame(identity, one)))];
}

function isLost(identity: EventIdentity, lost: Identity | ClearedSlot): boolean {
  return 'isChange' in lost
    ? lost.isChange && lost.kind === identity.kind && lost.slot === identity.slot
    : isSame(lost, identity);
}

function isSame(a: Identity, b: Identity): boolean {
  return a.kind === b.kind && a.id === b.id;
}

interface Change {
  readonly gone?: Identity;
  readonly cleared?: ClearedSlot;
  readonly added?: EventIdentity;
}

/** Extended and custom fields are the brand's own, whatever their names are. */
const BRAND_FIELD = /^(extended|custom)/i;

function changeIn(update: JsonObject, country: string | undefined): readonly Change[] {
  const { fieldName, fieldType, previousValue, currentValue } = update;
  const kind = typeof fieldName === 'string' ? identifierKindOf(fieldName) : undefined;
  if (kind === undefined || (typeof fieldType === 'string' && BRAND_FIELD.test(fieldType.trim()))) {
    return [];
  }
  const previous = identityOf(kind, previousValue, country);
  const current = identityOf(kind, currentValue, country);
  const slot = slotOf(kind, update, current);
  return [
    {
      ...(previous === undefined ? {} : { gone: previous }),
      ...(slot !== undefined && kind !== 'cardNumber' && isCleared(update)
        ? { cleared: { kind, slot, isChange: !isBlank(previousValue) } }
        : {}),
      ...(slot === undefined || current === undefined ? {} : { added: { ...current, slot } }),
    },
  ];
}

/** True if a change leaves the field blank. */
export function isCleared({ previousValue, currentValue }: JsonObject): boolean {
  return isBlankText(currentValue) || (currentValue === null && !isBlank(previousValue));
}

function identityOf(
  kind: IdentifierKind,
  value: JsonValue | undefined,
  country: string | undefined,
): Identity | undefined {
  const text = idText(value);
  const checked = text === undefined ? undefined : normalize({ kind, value: text }, country);
  return checked === undefined || 'code' in checked ? undefined : { kind, id: checked.id };
}

/**
 * Where a changed identifier is; undefined for an account that is not named. A card is a slot of
 * its own.
 */
function slotOf(
  kind: IdentifierKind,
  { source, accountId }: JsonObject,
  current?: Identity,
): string | undefined {
  if (kind === 'cardNumber') {
    return current?.id;
  }
  const channel = typeof source === 'string' ? source.trim().toLowerCase() : '';
  if (channel === '' || channel === INSTORE) {
    return INSTORE;
  }
  const account = idText(accountId);
  return account === undefined ? undefined : `${channel}/${account}`;
}

/** The slots that a person's identifiers state as blank text. */
function blankSlotsIn(person: JsonObject | undefined): ContactChanges['cleared'] {
  const cleared: ClearedSlot[] = [];
  for (const [channel, content] of Object.entries(person ?? {})) {
    if (!isJsonObject(content)) {
      continue;
    }
    if (channel.toLowerCase() === INSTORE) {
      for (const [field, kind] of INSTORE_FIELDS) {
        if (isBlankText(content[field])) {
          cleared.push({ kind, slot: INSTORE, isChange: false });
        }
      }
    }
    const { accounts } = content;
    for (const account of Array.isArray(accounts) ? accounts : []) {
      cleared.push(...blankSlotsOfAccount(channel, account));
    }
  }
  return cleared;
}

const INSTORE_FIELDS = [
  ['mobile', 'phone'],
  ['email', 'email'],
  ['externalId', 'externalId'],
] as const;

function blankSlotsOfAccount(channel: string, account: JsonValue): ContactChanges['cleared'] {
  const accountId = isJsonObject(account) ? idText(account['accountId']) : undefined;
  const identifiers = isJsonObject(account) ? account['identifiers'] : undefined;
  if (accountId === undefined || !Array.isArray(identifiers)) {
    return [];
  }
  return identifiers.flatMap((identifier) => {
    if (!isJsonObject(identifier) || !isBlankText(identifier['identifierValue'])) {
      return [];
    }
    const type = identifier['identifierType'];
    const kind = typeof type === 'string' ? identifierKindOf(type) : undefined;
    return kind === undefined || kind === 'cardNumber'
      ? []
      : [{ kind, slot: `${channel}/${accountId}`, isChange: false }];
  });
}

function isBlankText(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value.trim() === '';
}
