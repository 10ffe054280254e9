import { CONTACT_BOUNDS, type ContactBounds } from '../../contact-bounds.ts';
import type {
  ContactCountAnswer,
  ContactCountRequest,
  CountedContact,
  SharedContact,
  SharedContactFilter,
  SharedContacts,
} from '../../journal.ts';
import { customerNumber } from '../../queue-key.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { arrayRelation } from './array-relation.ts';
import { type ContactTotals, LOCK_TOTALS, lockTotals, SHARED } from './contact-rows.ts';
import type { PostgresEngine } from './engine.ts';
import { storedText, textOf } from './stored-text.ts';

const CUSTOMERS: Statement = {
  name: 'customers_of_contacts',
  text: 'SELECT key, customer FROM contacts WHERE destination = $1 AND key = ANY ($2::bigint[])',
};

interface CustomerRow {
  readonly key: number;
  readonly customer: number;
}

/** A contact that too many customers have, found in an event of this source. */
interface MarkedContact extends CountedContact {
  readonly source: string;
}

/** What a count changes: rows to insert and contacts to be marked as shared. */
interface Changes {
  readonly added: CustomerRow[];
  readonly shared: MarkedContact[];
  /** Change of the number of rows. */
  counted: number;
}

/** Counts in memory with the rows of the contacts as they are in the database. */
class Counting {
  readonly changes: Changes = { added: [], shared: [], counted: 0 };
  readonly #customers = new Map<number, Set<number>>();
  readonly #bounds: ContactBounds;
  readonly #totals: ContactTotals;

  constructor(rows: readonly CustomerRow[], totals: ContactTotals, bounds: ContactBounds) {
    this.#totals = totals;
    this.#bounds = bounds;
    for (const { key, customer } of rows) this.#customersOf(key).add(customer);
  }

  get hasChanges(): boolean {
    return this.changes.added.length > 0 || this.changes.shared.length > 0;
  }

  /** Counts on, with what was counted for the requests before. */
  answer(request: ContactCountRequest): ContactCountAnswer {
    const { destination, customers } = request;
    const shared: number[] = [];
    const newlyShared: number[] = [];
    let uncounted = 0;
    for (const { lane, contacts } of customers) {
      const customer = customerNumber(destination, lane);
      for (const contact of contacts) {
        const count = this.#countOne(request, contact, customer);
        if (count === 'shared' || count === 'newly-shared') shared.push(contact.key);
        if (count === 'newly-shared') newlyShared.push(contact.key);
        if (count === 'uncounted') uncounted += 1;
      }
    }
    return { shared, newlyShared, uncounted };
  }

  #customersOf(key: number): Set<number> {
    const known = this.#customers.get(key) ?? new Set();
    this.#customers.set(key, known);
    return known;
  }

  #countOne(
    { limit, source }: ContactCountRequest,
    contact: CountedContact,
    customer: number,
  ): 'own' | 'shared' | 'newly-shared' | 'uncounted' {
    const customers = this.#customersOf(contact.key);
    if (customers.has(SHARED)) return 'shared';
    const isKnown = customers.has(customer);
    // A lower limit applies to customers that are known already.
    if (customers.size + (isKnown ? 0 : 1) > limit)
      return this.#markShared({ ...contact, source }, customers) ? 'newly-shared' : 'shared';
    if (isKnown) return 'own';
    if (this.#totals.counted + this.changes.counted >= this.#bounds.counted) return 'uncounted';
    customers.add(customer);
    this.changes.added.push({ key: contact.key, customer });
    this.changes.counted += 1;
    return 'own';
  }

  /** False if as many contacts are shared as the relay can remember. */
  #markShared(contact: MarkedContact, customers: Set<number>): boolean {
    if (this.#totals.shared + this.changes.shared.length >= this.#bounds.shared) return false;
    this.changes.shared.push(contact);
    this.changes.counted += 1 - customers.size;
    customers.clear();
    customers.add(SHARED);
    return true;
  }
}

const ADDED = arrayRelation(5, { key: 'bigint', customer: 'bigint' });
const MARKED = arrayRelation(ADDED.next, {
  key: 'bigint',
  source: 'text',
  kind: 'text',
  masked: 'text',
});

/** $1 destination, $2 time, $3 and $4 changes of the totals. */
const WRITE: Statement = {
  name: 'write_contacts',
  text: `WITH replaced AS (
      DELETE FROM contacts WHERE destination = $1 AND key IN (SELECT key FROM ${MARKED.as('m')})
    ),
    added AS (
      INSERT INTO contacts (destination, key, customer)
      SELECT $1, key, customer FROM ${ADDED.as('a')}
      UNION ALL SELECT $1, key, ${SHARED} FROM ${MARKED.as('m')}
    ),
    marked AS (
      INSERT INTO shared_contacts (destination, key, source, kind, masked, at)
      SELECT $1, key, source, kind, masked, $2 FROM ${MARKED.as('m')}
    )
    UPDATE contact_totals SET counted = counted + $3, shared = shared + $4 WHERE destination = $1`,
};

/** Durable within seconds, as the contract says: nobody waits for the disk under the lock. */
const COMMIT_SOON: Statement = {
  name: 'commit_soon',
  text: `SELECT set_config('synchronous_commit', 'off', true)`,
};

const UNBOUNDED = { counted: Number.MAX_SAFE_INTEGER, shared: Number.MAX_SAFE_INTEGER };

function keysOf(requests: readonly ContactCountRequest[]): readonly number[] {
  return [
    ...new Set(
      requests.flatMap(({ customers }) =>
        customers.flatMap(({ contacts }) => contacts.map(({ key }) => key)),
      ),
    ),
  ];
}

/** Locks the totals, then reads what is counted. */
async function readLocked(
  session: Session,
  destination: string,
  keys: readonly number[],
): Promise<readonly [ContactTotals, readonly CustomerRow[]]> {
  // Sent together, since others wait for the lock; executed one after the other.
  const [, locked, rows] = await Promise.all([
    session.query(COMMIT_SOON),
    session.query<ContactTotals>(LOCK_TOTALS, [destination]),
    session.query<CustomerRow>(CUSTOMERS, [destination, keys]),
  ]);
  const [totals] = locked;
  if (totals !== undefined) return [totals, rows];
  const created = await lockTotals(session, destination);
  return [created, await session.query<CustomerRow>(CUSTOMERS, [destination, keys])];
}

/**
 * Counts for several requests of a destination in one transaction, one after the other.
 * @param bounds smaller ones for tests
 * @returns an answer for each
 */
export async function countContacts(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  destination: string,
  requests: readonly ContactCountRequest[],
  bounds: ContactBounds = CONTACT_BOUNDS,
): Promise<readonly ContactCountAnswer[]> {
  const keys = keysOf(requests);
  if (keys.length === 0) return requests.map(() => ({ shared: [], newlyShared: [], uncounted: 0 }));
  // Usually all of it is known: then no lock is needed.
  const rows = await sessions.query<CustomerRow>('work', CUSTOMERS, [destination, keys]);
  const glances = requests.map((request) => {
    const counting = new Counting(rows, { counted: 0, shared: 0 }, UNBOUNDED);
    return { request, answer: counting.answer(request), isKnown: !counting.hasChanges };
  });
  if (glances.every(({ isKnown }) => isKnown)) return glances.map(({ answer }) => answer);
  return sessions.transaction('work', async (session) => {
    const [totals, current] = await readLocked(session, destination, keys);
    const counting = new Counting(current, totals, bounds);
    const answers = glances.map(({ request, answer, isKnown }) =>
      isKnown ? answer : counting.answer(request),
    );
    await write(session, destination, now(), counting.changes);
    return answers;
  });
}

async function write(
  session: Session,
  destination: string,
  at: number,
  { added, shared, counted }: Changes,
): Promise<void> {
  const isShared = new Set(shared.map(({ key }) => key));
  const kept = added.filter(({ key }) => !isShared.has(key));
  if (kept.length === 0 && shared.length === 0) return;
  const marked = shared.map(({ masked, ...contact }) => ({ ...contact, masked: storedText(masked) }));
  await session.query(WRITE, [
    destination,
    at,
    counted,
    shared.length,
    ...ADDED.params(kept),
    ...MARKED.params(marked),
  ]);
}

const OF_FILTER = '($1::text IS NULL OR destination = $1) AND ($2::text IS NULL OR source = $2)';

const SHARED_CONTACTS: Statement = {
  name: 'shared_contacts',
  text: `SELECT destination, key, source, kind, masked, at FROM shared_contacts WHERE ${OF_FILTER}
    ORDER BY at DESC, key LIMIT $3`,
};

const SHARED_TOTAL: Statement = {
  name: 'shared_contacts_total',
  text: `SELECT count(*) AS total FROM shared_contacts WHERE ${OF_FILTER}`,
};

export async function sharedContacts(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  { destination, source, limit }: SharedContactFilter,
): Promise<SharedContacts> {
  const filter = [destination ?? null, source ?? null];
  const contacts = await sessions.query<SharedContact>('work', SHARED_CONTACTS, [...filter, limit]);
  const [row] = await sessions.query<{ total: number }>('work', SHARED_TOTAL, filter);
  return {
    contacts: contacts.map((contact) => ({ ...contact, masked: textOf(contact.masked) })),
    total: row?.total ?? 0,
  };
}
