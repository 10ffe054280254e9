import type { DatabaseSync } from 'node:sqlite';
import { keyIdHex, parseKey } from '../../payload-cipher.ts';
import { ENCRYPTED_COLUMNS } from '../engine/re-encryption.ts';
import { withStoppedStore } from './stopped-store.ts';

/** The number of payloads that are encrypted with one key. */
export interface KeyUsage {
  /** Identifies the key by hex digits; absent for payloads that are not encrypted. */
  readonly keyId?: string;
  /**
   * `first` encrypts new payloads, `older` is another configured key, `unknown` is not configured,
   * `none` means not encrypted.
   */
  readonly key: 'first' | 'older' | 'unknown' | 'none';
  readonly payloads: number;
}

/** The first byte is 0, or it is 1 and the next four identify the key: see payload-cipher.ts. */
const PAYLOAD_HEADS_SQL = ENCRYPTED_COLUMNS.flatMap(({ table, columns }) =>
  columns.map(
    (column) => `SELECT hex(substr(${column}, 1, 5)) AS head FROM ${table} WHERE ${column} IS NOT NULL`,
  ),
).join(' UNION ALL ');

function countByKeyId(db: DatabaseSync): Map<string | undefined, number> {
  const counts = new Map<string | undefined, number>();
  for (const { head, n } of db
    .prepare(`SELECT head, count(*) AS n FROM (${PAYLOAD_HEADS_SQL}) GROUP BY head`)
    .all()) {
    const text = String(head);
    const keyId = text.startsWith('01') ? text.slice(2).toLowerCase() : undefined;
    counts.set(keyId, (counts.get(keyId) ?? 0) + Number(n));
  }
  return counts;
}

/**
 * Counts the payloads of a stopped relay's store by encryption key, most used first. Reads the
 * whole file.
 * @throws StoreError if there is none, a relay is running on it, or it cannot be read
 */
export function readKeyUsage(path: string, encryptionKeys: readonly string[]): readonly KeyUsage[] {
  const ids = encryptionKeys.map((key) => keyIdHex(parseKey(key)));
  const keyOf = (keyId: string | undefined): KeyUsage['key'] => {
    if (keyId === undefined) return 'none';
    if (keyId === ids[0]) return 'first';
    return ids.includes(keyId) ? 'older' : 'unknown';
  };
  return [...withStoppedStore(path, countByKeyId)]
    .map(([keyId, payloads]) => ({
      ...(keyId === undefined ? {} : { keyId }),
      key: keyOf(keyId),
      payloads,
    }))
    .toSorted((a, b) => b.payloads - a.payloads);
}
