import { customerNumber } from '../../queue-key.ts';
import type { Session, Statement } from '../sessions/session.ts';

/*
 * `contacts` has a row for each customer of a contact, at most as many as may have it. When one
 * more has it, the contact is entered in `shared_contacts` and keeps a single row, without a
 * customer. Both are bounded for each destination: `contact_totals` counts the rows.
 *
 * Whoever changes contacts of a destination locks its totals first. So replicas count one after the
 * other, and the totals are exact.
 */

/** Stands for the customer in the only row of a shared contact, so that one lookup is enough. */
export const SHARED = -1;

export interface ContactTotals {
  readonly counted: number;
  readonly shared: number;
}

const CREATE_TOTALS: Statement = {
  name: 'create_contact_totals',
  text: 'INSERT INTO contact_totals (destination) VALUES ($1) ON CONFLICT (destination) DO NOTHING',
};

/** No row if nothing of the destination was counted yet. */
export const LOCK_TOTALS: Statement = {
  name: 'lock_contact_totals',
  text: 'SELECT counted, shared FROM contact_totals WHERE destination = $1 FOR UPDATE',
};

/** Until the transaction ends, nobody else changes contacts of the destination. */
export async function lockTotals(session: Session, destination: string): Promise<ContactTotals> {
  const [known] = await session.query<ContactTotals>(LOCK_TOTALS, [destination]);
  if (known !== undefined) return known;
  await session.query(CREATE_TOTALS, [destination]);
  const [created] = await session.query<ContactTotals>(LOCK_TOTALS, [destination]);
  return created as ContactTotals;
}

const ADD_TO_TOTALS: Statement = {
  name: 'add_to_contact_totals',
  text: `UPDATE contact_totals SET counted = counted + $2, shared = shared + $3 WHERE destination = $1`,
};

export async function addToTotals(
  session: Session,
  destination: string,
  { counted, shared }: ContactTotals,
): Promise<void> {
  if (counted !== 0 || shared !== 0) await session.query(ADD_TO_TOTALS, [destination, counted, shared]);
}

const IS_COUNTED: Statement = {
  name: 'is_customer_counted',
  text: `SELECT FROM contacts WHERE destination = $1 AND customer = ANY ($2::bigint[]) LIMIT 1`,
};

/** Whether anything is counted of a customer; no lock is needed if not. */
async function isCounted(
  session: Session,
  destination: string,
  customers: readonly number[],
): Promise<boolean> {
  return (await session.query(IS_COUNTED, [destination, customers])).length > 0;
}

const FORGET: Statement = {
  name: 'forget_contacts',
  text: `DELETE FROM contacts WHERE destination = $1 AND customer = ANY ($2::bigint[]) RETURNING key`,
};

/** Deletes what is counted of erased customers. */
export async function forgetContacts(
  session: Session,
  destination: string,
  lanes: readonly string[],
): Promise<void> {
  const customers = lanes.map((lane) => customerNumber(destination, lane));
  if (!(await isCounted(session, destination, customers))) return;
  await lockTotals(session, destination);
  const deleted = await session.query(FORGET, [destination, customers]);
  await addToTotals(session, destination, { counted: -deleted.length, shared: 0 });
}

const MERGE: Statement = {
  name: 'merge_contacts',
  text: `UPDATE contacts c SET customer = $3 WHERE destination = $1 AND customer = $2
    AND NOT EXISTS (
      SELECT FROM contacts o WHERE o.destination = $1 AND o.key = c.key AND o.customer = $3
    )`,
};

/** From now on the two lanes are one customer, who counts once. */
export async function mergeContacts(
  session: Session,
  destination: string,
  from: string,
  to: string,
): Promise<void> {
  const customer = customerNumber(destination, from);
  if (!(await isCounted(session, destination, [customer]))) return;
  await lockTotals(session, destination);
  await session.query(MERGE, [destination, customer, customerNumber(destination, to)]);
  // What is left are contacts that both customers had.
  await forgetContacts(session, destination, [from]);
}
