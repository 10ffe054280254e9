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
import { type ContactTotals, lockTotals, SHARED } from './contact-rows.ts';
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

/** What a count changes: rows to insert and contacts to be marked as shared. */
interface Changes {
  readonly added: CustomerRow[];
  readonly shared: CountedContact[];
  /** Change of the number of rows. */
  counted: number;
}

/** Counts in memory with the rows of the contacts as they are in the database. */
class Counting {
  readonly changes: Changes = { added: [], shared: [], counted: 0 };
  readonly #request: ContactCountRequest;
  readonly #customers = new Map<number, Set<number>>();
  readonly #bounds: ContactBounds;
  readonly #totals: ContactTotals;

  constructor(
    request: ContactCountRequest,
    rows: readonly CustomerRow[],
    totals: ContactTotals,
    bounds: ContactBounds,
  ) {
    this.#request = request;
    this.#totals = totals;
    this.#bounds = bounds;
    for (const { key, customer } of rows) this.#customersOf(key).add(customer);
  }

  answer(): ContactCountAnswer {
    const { destination, customers } = this.#request;
    const shared: number[] = [];
    const newlyShared: number[] = [];
    let uncounted = 0;
    for (const { lane, contacts } of customers) {
      const customer = customerNumber(destination, lane);
      for (const contact of contacts) {
        const count = this.#countOne(contact, customer);
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

  #countOne(contact: CountedContact, customer: number): 'own' | 'shared' | 'newly-shared' | 'uncounted' {
    const customers = this.#customersOf(contact.key);
    if (customers.has(SHARED)) return 'shared';
    const isKnown = customers.has(customer);
    // A lower limit applies to customers that are known already.
    if (customers.size + (isKnown ? 0 : 1) > this.#request.limit)
      return this.#markShared(contact, customers) ? 'newly-shared' : 'shared';
    if (isKnown) return 'own';
    if (this.#totals.counted + this.changes.counted >= this.#bounds.counted) return 'uncounted';
    customers.add(customer);
    this.changes.added.push({ key: contact.key, customer });
    this.changes.counted += 1;
    return 'own';
  }

  /** False if as many contacts are shared as the relay can remember. */
  #markShared(contact: CountedContact, customers: Set<number>): boolean {
    if (this.#totals.shared + this.changes.shared.length >= this.#bounds.shared) return false;
    this.changes.shared.push(contact);
    this.changes.counted += 1 - customers.size;
    customers.clear();
    customers.add(SHARED);
    return true;
  }
}

const ADDED = arrayRelation(6, { key: 'bigint', customer: 'bigint' });
const MARKED = arrayRelation(ADDED.next, { key: 'bigint', kind: 'text', masked: 'text' });

/** $1 destination, $2 source, $3 time, $4 and $5 changes of the totals. */
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
      SELECT $1, key, $2, kind, masked, $3 FROM ${MARKED.as('m')}
    )
    UPDATE contact_totals SET counted = counted + $4, shared = shared + $5 WHERE destination = $1`,
};

/** Durable within seconds, as the contract says: nobody waits for the disk under the lock. */
const COMMIT_SOON: Statement = {
  name: 'commit_soon',
  text: `SELECT set_config('synchronous_commit', 'off', true)`,
};

/**
 * What changes contacts of one destination takes turns in this process: each would occupy a
 * connection while it waits for the lock, until none is left for anything else.
 */
class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(destination: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(destination) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(work);
    this.#last.set(destination, turn);
    return turn;
  }
}

/** @param bounds smaller ones for tests */
export function createContactCounting(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  bounds: ContactBounds = CONTACT_BOUNDS,
): (request: ContactCountRequest) => Promise<ContactCountAnswer> {
  const turns = new Turns();
  return async (request) => {
    const { destination, source, customers } = request;
    const keys = [...new Set(customers.flatMap(({ contacts }) => contacts.map(({ key }) => key)))];
    if (keys.length === 0) return { shared: [], newlyShared: [], uncounted: 0 };
    // Usually all of it is known: then no lock is needed.
    const rows = await sessions.query<CustomerRow>('work', CUSTOMERS, [destination, keys]);
    const glance = new Counting(request, rows, { counted: 0, shared: 0 }, UNBOUNDED);
    const answer = glance.answer();
    if (glance.changes.added.length === 0 && glance.changes.shared.length === 0) return answer;
    const count = async (session: Session): Promise<ContactCountAnswer> => {
      const [totals] = await Promise.all([lockTotals(session, destination), session.query(COMMIT_SOON)]);
      const current = await session.query<CustomerRow>(CUSTOMERS, [destination, keys]);
      const counting = new Counting(request, current, totals, bounds);
      const counted = counting.answer();
      await write(session, { destination, source, at: now() }, counting.changes);
      return counted;
    };
    return turns.take(destination, () => sessions.transaction('work', count));
  };
}

const UNBOUNDED = { counted: Number.MAX_SAFE_INTEGER, shared: Number.MAX_SAFE_INTEGER };

async function write(
  session: Session,
  scope: { readonly destination: string; readonly source: string; readonly at: number },
  { added, shared, counted }: Changes,
): Promise<void> {
  const isShared = new Set(shared.map(({ key }) => key));
  const kept = added.filter(({ key }) => !isShared.has(key));
  if (kept.length === 0 && shared.length === 0) return;
  const marked = shared.map(({ key, kind, masked }) => ({ key, kind, masked: storedText(masked) }));
  await session.query(WRITE, [
    scope.destination,
    scope.source,
    scope.at,
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
