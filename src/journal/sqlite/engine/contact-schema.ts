/**
 * How many customers have a contact. `contacts.key` is the beginning of a hash and `customer` that
 * of a lane; see contact-table.ts. `counted` and `shared` are the numbers of a destination's rows.
 */
export const CONTACTS = `
CREATE TABLE contact_scopes (
  id INTEGER PRIMARY KEY,
  destination TEXT NOT NULL UNIQUE,
  counted INTEGER NOT NULL DEFAULT 0,
  shared INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE contacts (
  scope INTEGER NOT NULL,
  key INTEGER NOT NULL,
  customer INTEGER NOT NULL,
  PRIMARY KEY (scope, key, customer)
) WITHOUT ROWID;
CREATE INDEX contacts_customer ON contacts (scope, customer);
CREATE TABLE shared_contacts (
  destination TEXT NOT NULL,
  key INTEGER NOT NULL,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  masked TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (destination, key)
) WITHOUT ROWID;
`;
