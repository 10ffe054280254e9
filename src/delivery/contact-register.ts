import type { CapillaryEvent } from '../capillary/event.ts';
import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import { type ClaimedEvent, type CustomerContacts, type Journal, StoreError } from '../journal/journal.ts';
import { contactKey, fingerprint, maskContact } from '../mapping/contact-key.ts';
import { isKnownContact } from '../mapping/customer/known-contacts.ts';
import type { Identity } from '../mapping/identities.ts';
import type { IsShared } from '../mapping/mapping-result.ts';
import { createRecentCache, createRecentSet } from '../mapping/recent-cache.ts';
import type { DeliveryObserver } from './delivery-observer.ts';

/**
 * Counts how many customers of an organisation have a contact. It is counted before the event is
 * mapped, so that the customer who is one too many is never linked to the others by it. A customer
 * whose contacts are counted already costs no call of the journal.
 */
export interface ContactRegister {
  /** Loads the contacts that are shared already. */
  load(): Promise<void>;
  /**
   * Counts the contacts that are new to the event's customer; undefined if there are none. It never
   * rejects: while the store is failing, contacts stay uncounted and events are delivered.
   */
  count(claimed: ClaimedEvent, counting: Counting): Promise<void> | undefined;
  readonly isShared: IsShared;
}

/** The customer's contacts in normal form, and the source that they came from. */
export interface Counting {
  readonly event: Pick<CapillaryEvent, 'orgId'>;
  readonly identities: readonly Identity[];
  readonly source: Pick<SourceConfig, 'name' | 'contacts'>;
}

/** Contacts of a destination that are shared. What replaces a register continues with the same. */
export interface SharedContacts {
  has(key: number): boolean;
  add(key: number): void;
  readonly isEmpty: boolean;
}

export interface ContactRegisterParts {
  readonly destination: string;
  readonly shared: SharedContacts;
  /** Kinds of contact that can be an identity: others link nobody, so they are not counted. */
  readonly kinds: ReadonlySet<IdentifierKind>;
  readonly journal: Pick<Journal, 'countContacts' | 'sharedContacts'>;
  readonly observer: Pick<DeliveryObserver, 'contactsShared' | 'contactsUncounted'>;
}

interface Customer extends CustomerContacts {
  /** The fingerprints of these contacts of this customer. */
  readonly fingerprints: readonly number[];
}

/** A call of the journal that is about to be sent. */
interface Waiting {
  readonly customers: Customer[];
  /** Resolves once all its customers are counted. */
  readonly sent: Promise<void>;
}

/** Contacts that are remembered as counted: at least as many, at most twice. 50 bytes each. */
const REMEMBERED_CONTACTS = 20_000;
/** Shared contacts in memory, 50 bytes each; the journal holds no more of one destination. */
const MAX_SHARED = 100_000;
/** Contacts beyond them that were answered as shared most recently. */
const REMEMBERED_OVERFLOW = 10_000;

export function createSharedContacts(): SharedContacts {
  const keys = new Set<number>();
  const overflow = createRecentSet<number>(REMEMBERED_OVERFLOW);
  return {
    has: (key) => keys.has(key) || overflow.has(key),
    add(key) {
      if (keys.size < MAX_SHARED) keys.add(key);
      else overflow.add(key);
    },
    get isEmpty() {
      return keys.size === 0;
    },
  };
}

/** Contacts that are read first; all of them only if the oldest of these is new. */
const NEWEST_SHARED = 1_000;

/** Adds the contacts of a destination that other replicas have found to be shared. */
export async function loadShared(
  journal: Pick<Journal, 'sharedContacts'>,
  destination: string,
  shared: SharedContacts,
): Promise<void> {
  for (const limit of [NEWEST_SHARED, MAX_SHARED]) {
    const { contacts } = await journal.sharedContacts({ destination, limit });
    const oldest = contacts.at(-1);
    const isComplete = contacts.length < limit || (oldest !== undefined && shared.has(oldest.key));
    for (const { key } of contacts) shared.add(key);
    if (isComplete) return;
  }
}

export function createContactRegister(parts: ContactRegisterParts): ContactRegister {
  const { destination, shared, kinds: countedKinds, journal, observer } = parts;
  const counted = createRecentSet<number>(REMEMBERED_CONTACTS);
  const keys = createRecentCache<number>(REMEMBERED_CONTACTS);
  const keyOf = (orgId: number, kind: IdentifierKind, id: string): number =>
    keys.get(`${orgId} ${kind} ${id}`, () => contactKey(orgId, kind, id));
  const isShared: IsShared = (orgId, kind, id) => {
    return !shared.isEmpty && shared.has(keyOf(orgId, kind, id));
  };

  const newContacts = (
    { lane, profile }: ClaimedEvent,
    { orgId }: Counting['event'],
    identities: readonly Identity[],
  ): readonly Identity[] =>
    identities.filter(({ kind, id }) => {
      // The stored state of the customer first: it is at hand, and has most contacts.
      if (kind === 'customerId' || !countedKinds.has(kind) || isKnownContact(profile, id)) return false;
      return !counted.has(fingerprint(`${lane} ${kind} ${id}`)) && !isShared(orgId, kind, id);
    });

  const send = async (source: Counting['source'], { customers }: Waiting): Promise<void> => {
    const all = customers.flatMap(({ contacts }) => contacts);
    try {
      const limit = source.contacts.sharedBy;
      const answer = await journal.countContacts({
        destination,
        source: source.name,
        customers: customers.map(({ lane, contacts }) => ({ lane, contacts })),
        limit,
      });
      for (const key of answer.shared) shared.add(key);
      for (const { fingerprints } of customers) for (const known of fingerprints) counted.add(known);
      const newKinds = answer.newlyShared.flatMap(
        (newKey) => all.find(({ key }) => key === newKey)?.kind ?? [],
      );
      if (newKinds.length > 0) observer.contactsShared(destination, newKinds);
      if (answer.uncounted > 0) observer.contactsUncounted(destination, answer.uncounted);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // A full disk must still be delivered from. The store reports its failure elsewhere.
      observer.contactsUncounted(destination, all.length);
    }
  };

  /** The customers of one source that are counted together after the current turn. */
  const waiting = new Map<Counting['source'], Waiting>();

  const addToCall = ({ source }: Counting, customer: Customer): Promise<void> => {
    const known = waiting.get(source);
    if (known !== undefined) {
      known.customers.push(customer);
      return known.sent;
    }
    const customers = [customer];
    const sent = Promise.resolve().then(() => {
      waiting.delete(source);
      return send(source, call);
    });
    const call: Waiting = { customers, sent };
    waiting.set(source, call);
    return sent;
  };

  return {
    load: () => loadShared(journal, destination, shared),
    count(claimed, counting) {
      const { lane } = claimed;
      if (lane === undefined || counting.source.contacts.sharedBy === 0) return undefined;
      const found = newContacts(claimed, counting.event, counting.identities);
      if (found.length === 0) return undefined;
      const contacts = found.map(({ kind, id }) => ({
        key: contactKey(counting.event.orgId, kind, id),
        kind,
        masked: maskContact(kind, id),
      }));
      const fingerprints = found.map(({ kind, id }) => fingerprint(`${lane} ${kind} ${id}`));
      return addToCall(counting, { lane, contacts, fingerprints });
    },
    isShared,
  };
}
