import type { DatabaseSync } from 'node:sqlite';
import { createPayloadCipher, parseKey, type PayloadCipher } from '../../payload-cipher.ts';
import { ENCRYPTED_COLUMNS } from '../engine/re-encryption.ts';

/** Damaged payloads of one table that are named; the others are counted. */
const MAX_NAMED = 20;

/** What an operator finds a payload by; a customer has no name that may be shown. */
const NAMES: Readonly<Record<string, string>> = {
  bodies: "(SELECT 'event ' || receipt FROM events WHERE events.seq = bodies.seq)",
  sent: "(SELECT 'event ' || receipt FROM events WHERE events.seq = sent.seq)",
  notes: "(SELECT 'event ' || receipt FROM events WHERE events.seq = notes.seq)",
  entities: "(SELECT 'event ' || receipt FROM events WHERE events.seq = entities.seq)",
  profiles: "'a customer at ' || destination",
  quarantine: "'quarantined request ' || receipt",
  replay_jobs: "'replay ' || id",
};

/** What the payloads of a table are called. */
const PAYLOADS: Readonly<Record<string, string>> = {
  bodies: 'payload',
  sent: 'sent message',
  notes: 'notes',
  entities: 'fetched data',
  profiles: 'stored state',
  quarantine: 'content',
  replay_jobs: 'filter',
};

/** A cipher for the payloads of an open store. Without its keys only checksums are checked. */
export function cipherFor(db: DatabaseSync, encryptionKeys: readonly string[]): PayloadCipher {
  let isComplete = false;
  const cipher = createPayloadCipher(encryptionKeys.map(parseKey), () => isComplete);
  const row = db.prepare('SELECT 1 FROM sealed_with WHERE key_id = ?').get(cipher.formId);
  isComplete = row !== undefined;
  return cipher;
}

/** Whether one of the payloads in a row is damaged. What no key decrypts is not known to be. */
export function hasDamagedPayload(
  cipher: PayloadCipher,
  columns: readonly string[],
  row: Readonly<Record<string, unknown>>,
): boolean {
  return columns.some((column) => {
    const value = row[column];
    if (value === null || value === undefined) return false;
    return !(value instanceof Uint8Array) || cipher.decrypt(value) === 'damaged';
  });
}

/** One line for each damaged payload, or for each table that has many. */
export function damagedPayloads(db: DatabaseSync, cipher: PayloadCipher): string[] {
  return ENCRYPTED_COLUMNS.flatMap(({ table, columns }) => {
    const lines: string[] = [];
    let more = 0;
    const select = `SELECT ${NAMES[table]} AS name, ${columns.join(', ')} FROM ${table}`;
    for (const row of db.prepare(select).iterate()) {
      if (!hasDamagedPayload(cipher, columns, row)) continue;
      if (lines.length < MAX_NAMED) lines.push(`${PAYLOADS[table]} of ${String(row['name'])} damaged`);
      else more += 1;
    }
    return more === 0 ? lines : [...lines, `${more} more payloads of the table ${table} are damaged`];
  });
}
