import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { PayloadCipher } from '../../payload-cipher.ts';
import { ENCRYPTED_COLUMNS } from '../engine/re-encryption.ts';
import { type Row, tryRead } from './damaged-copy.ts';
import { hasDamagedPayload } from './payload-check.ts';

const STATES: readonly unknown[] = ['pending', 'delivered', 'ignored', 'dead', 'malformed'];

/** Damage can leave zero bytes in a text. */
function isDamagedText(value: SQLInputValue | undefined): boolean {
  return typeof value === 'string' && value.includes('\0');
}

function isPlausibleEvent(row: Row): boolean {
  return (
    STATES.includes(row['state']) &&
    typeof row['receipt'] === 'string' &&
    typeof row['source'] === 'string' &&
    Number.isSafeInteger(row['received_at']) &&
    !Object.values(row).some(isDamagedText)
  );
}

/** An accepted body that an earlier version stored without a checksum must at least be JSON. */
function isPlausibleBody({ body }: Row, state: unknown): boolean {
  if (!(body instanceof Uint8Array) || state === 'malformed' || body[0] !== 0) return true;
  return tryRead(() => JSON.parse(Buffer.from(body.subarray(1)).toString('utf8')) as unknown) !== undefined;
}

const PAYLOAD_COLUMNS = new Map(ENCRYPTED_COLUMNS.map(({ table, columns }) => [table, columns]));

/** Says which rows of a damaged store are not copied. Bodies must be copied after their events. */
export function plausibilityCheck(
  to: DatabaseSync,
  cipher: PayloadCipher,
): (table: string, row: Row) => boolean {
  const stateOf = to.prepare('SELECT state FROM events WHERE seq = ?');
  return (table, row) => {
    if (table === 'events') return isPlausibleEvent(row);
    if (hasDamagedPayload(cipher, PAYLOAD_COLUMNS.get(table) ?? [], row)) return false;
    return table !== 'bodies' || isPlausibleBody(row, stateOf.get(row['seq'] ?? null)?.['state']);
  };
}
