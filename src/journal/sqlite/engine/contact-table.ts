import type {
  ContactCountAnswer,
  ContactCountRequest,
  CountedContact,
  SharedContact,
} from '../../journal.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import type { Engine } from './sqlite-engine.ts';
import { customerNumber } from '../../queue-key.ts';

/*
 * `contacts` has a row for each customer of a contact, at most as many as may have it. When one
 * more has it, the contact is entered in `shared_contacts` and keeps a single row, without a
 * customer. Both are bounded for each destination: `contact_scopes` counts the rows.
 */

/** A destination and the number of its rows in both tables. */
interface Scope {
  readonly id: number;
  counted: number;
  shared: number;
}

function scopeOf({ db }: Engine, destination: string): Scope | undefined {
  return db.one('SELECT id, counted, shared FROM contact_scopes WHERE destination = ?', destination) as
    | Scope
    | undefined;
}

function createScope(engine: Engine, destination: string): Scope {
  engine.db.run('INSERT INTO contact_scopes (destination) VALUES (?)', destination);
  return scopeOf(engine, destination) as Scope;
}

function writeScope({ db }: Engine, { id, counted, shared }: Scope): void {
  db.run('UPDATE contact_scopes SET counted = ?, shared = ? WHERE id = ?', counted, shared, id);
}

/** Stands for the customer in the only row of a shared contact, so that one lookup is enough. */
const SHARED = -1;

/** False if as many contacts are shared as the relay can remember. */
function markShared(
  engine: Engine,
  request: ContactCountRequest,
  { key, kind, masked }: CountedContact,
  scope: Scope,
): boolean {
  if (scope.shared >= engine.contactBounds.shared) return false;
  const { destination, source } = request;
  engine.db.run(
    'INSERT INTO shared_contacts (destination, key, source, kind, masked, at) VALUES (?, ?, ?, ?, ?, ?)',
    destination,
    key,
    source,
    kind,
    masked,
    engine.now(),
  );
  scope.shared += 1;
  scope.counted -= engine.db.run('DELETE FROM contacts WHERE scope = ? AND key = ?', scope.id, key);
  insertContact(engine, scope, key, SHARED);
  return true;
}

function insertContact(engine: Engine, scope: Scope, key: number, customer: number): void {
  scope.counted += engine.db.run(
    'INSERT INTO contacts (scope, key, customer) VALUES (?, ?, ?)',
    scope.id,
    key,
    customer,
  );
}

type Count = 'own' | 'shared' | 'newly-shared' | 'uncounted';

function countOne(
  engine: Engine,
  request: ContactCountRequest,
  { customer, contact }: { readonly customer: number; readonly contact: CountedContact },
  scope: Scope,
): Count {
  const { limit } = request;
  // SQLite prepares a statement again when the value of a bare LIMIT changes.
  const customers = engine.db.all(
    'SELECT customer FROM contacts WHERE scope = ? AND key = ? ORDER BY customer LIMIT +?',
    scope.id,
    contact.key,
    limit + 1,
  ) as { customer: number }[];
  if (customers[0]?.customer === SHARED) return 'shared';
  const isKnown = customers.some((row) => row.customer === customer);
  // A lower limit applies to customers that are known already.
  if (customers.length + (isKnown ? 0 : 1) > limit)
    return markShared(engine, request, contact, scope) ? 'newly-shared' : 'shared';
  if (isKnown) return 'own';
  if (scope.counted >= engine.contactBounds.counted) return 'uncounted';
  insertContact(engine, scope, contact.key, customer);
  return 'own';
}

export function countContacts(engine: Engine, request: ContactCountRequest): ContactCountAnswer {
  const { destination } = request;
  const scope = scopeOf(engine, destination) ?? createScope(engine, destination);
  const before = { ...scope };
  const counts = request.customers.flatMap(({ lane, contacts }) => {
    const customer = customerNumber(destination, lane);
    return contacts.map((contact) => ({
      key: contact.key,
      count: countOne(engine, request, { customer, contact }, scope),
    }));
  });
  if (scope.counted !== before.counted || scope.shared !== before.shared) writeScope(engine, scope);
  const keysOf = (...wanted: Count[]) =>
    counts.filter(({ count }) => wanted.includes(count)).map(({ key }) => key);
  return {
    shared: keysOf('shared', 'newly-shared'),
    newlyShared: keysOf('newly-shared'),
    uncounted: keysOf('uncounted').length,
  };
}

export function sharedContacts(
  { db }: Engine,
  { destination, source, limit }: RequestOf<'sharedContacts'>,
): AnswerOf<'sharedContacts'> {
  const where = 'WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR source = ?2)';
  const filter = [destination ?? null, source ?? null] as const;
  const contacts = db.all(
    `SELECT destination, key, source, kind, masked, at FROM shared_contacts ${where}
     ORDER BY at DESC, key LIMIT +?3`,
    ...filter,
    limit,
  ) as SharedContact[];
  const { total } = db.one(`SELECT count(*) AS total FROM shared_contacts ${where}`, ...filter) as {
    total: number;
  };
  return { contacts, total };
}

/** Deletes what is counted of an erased customer. */
export function forgetContacts(engine: Engine, destination: string, lane: string): void {
  const scope = scopeOf(engine, destination);
  if (scope === undefined || scope.counted === 0) return;
  const deleted = engine.db.run(
    'DELETE FROM contacts WHERE scope = ? AND customer = ?',
    scope.id,
    customerNumber(destination, lane),
  );
  if (deleted > 0) writeScope(engine, { ...scope, counted: scope.counted - deleted });
}

/** From now on the two lanes are one customer, who counts once. */
export function mergeContacts(engine: Engine, destination: string, from: string, to: string): void {
  const scope = scopeOf(engine, destination);
  if (scope === undefined || scope.counted === 0) return;
  engine.db.run(
    'UPDATE OR IGNORE contacts SET customer = ? WHERE scope = ? AND customer = ?',
    customerNumber(destination, to),
    scope.id,
    customerNumber(destination, from),
  );
  // What is left are contacts that both customers had.
  forgetContacts(engine, destination, from);
}
