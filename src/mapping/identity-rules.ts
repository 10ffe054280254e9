import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { Identity } from './identities.ts';
import { isIgnoredContact } from './ignored-contacts.ts';
import type { NoteCode, Notes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';

/** How the identities of one organisation's customers are sent. */
export interface IdentityRules {
  /** Written before ids that are unique in one organisation only; usually empty. */
  readonly prefix: string;
  /** Why a contact is an identity of no customer; undefined if it may be one. */
  readonly fault: (kind: IdentifierKind, id: string) => NoteCode | undefined;
}

/** Without a prefix; every identity is sent. */
export const PLAIN_IDENTITIES: IdentityRules = { prefix: '', fault: () => undefined };

type RuleContext = Pick<MappingContext, 'source' | 'isShared'>;

/** The rules for the identities of an event of this organisation, which are already checked. */
export function identityRules(orgId: number, { source, isShared }: RuleContext): IdentityRules {
  const { prefix } = source.identity;
  if (prefix === '' && isShared === undefined) {
    return PLAIN_IDENTITIES;
  }
  return {
    prefix: prefix.replaceAll('<orgId>', String(orgId)),
    fault: (kind, id) => (isShared?.(orgId, kind, id) === true ? 'shared-contact' : undefined),
  };
}

/**
 * The rules for stored identities of this organisation's customers: they may have been stored
 * before a contact was listed as nobody's own.
 */
export function storedIdentityRules(orgId: number, context: RuleContext): IdentityRules {
  const rules = identityRules(orgId, context);
  const { source } = context;
  return source.contacts.ignore.length === 0
    ? rules
    : {
        prefix: rules.prefix,
        fault: (kind, id) => (isIgnoredContact(source, kind, id) ? 'ignored-contact' : rules.fault(kind, id)),
      };
}

/** E-mail addresses and phone numbers are the same in every organisation. */
const PREFIXED: ReadonlySet<IdentifierKind> = new Set(['customerId', 'externalId', 'cardNumber']);

/**
 * The identities as they are sent: without those that a rule leaves out, and with the prefix.
 * Attributes and the stored state have them as they are, so that a changed rule applies to every
 * later record.
 */
export function sentIdentities(
  identities: readonly Identity[],
  rules: IdentityRules,
  notes: Notes,
): readonly Identity[] {
  const own = identities.some((identity) => faultOf(identity, rules) !== undefined)
    ? identities.filter((identity) => !isLeftOut(identity, rules, notes))
    : identities;
  const { prefix } = rules;
  return prefix === ''
    ? own
    : own.map((identity) =>
        PREFIXED.has(identity.kind) ? { kind: identity.kind, id: `${prefix}${identity.id}` } : identity,
      );
}

/**
 * Why a contact is no contact point of the customer either, as an attribute; undefined if it is
 * one: a contact that many customers have can be one of each of them.
 */
export function attributeFault(
  kind: IdentifierKind,
  id: string,
  { fault }: IdentityRules,
): NoteCode | undefined {
  const code = fault(kind, id);
  return code === 'shared-contact' ? undefined : code;
}

function faultOf({ kind, id }: Identity, { fault }: IdentityRules): NoteCode | undefined {
  return kind === 'customerId' ? undefined : fault(kind, id);
}

function isLeftOut(identity: Identity, rules: IdentityRules, notes: Notes): boolean {
  const code = faultOf(identity, rules);
  if (code !== undefined) {
    notes.add(`identityMap.${identity.kind}`, code);
  }
  return code !== undefined;
}
