import type { DatabaseSync } from 'node:sqlite';
import { keyIdText, parseKey } from './seal.ts';
import { SEALED } from './sealing.ts';
import { withStoppedStore } from './stopped-store.ts';

/** How many payloads of a store are closed with one key. */
export interface SealCount {
  /** Hex digits that tell the key; absent for payloads that are clear. */
  readonly keyId?: string;
  /** `first` closes what is written now, `older` is another configured one, `unknown` is not configured, `none` is clear. */
  readonly key: 'first' | 'older' | 'unknown' | 'none';
  readonly payloads: number;
}

/** The first byte is 1 and the next four tell the key, or it is 0: see seal.ts. */
const COUNTS = SEALED.flatMap(({ table, columns }) =>
  columns.map(
    (column) => `SELECT hex(substr(${column}, 1, 5)) AS head FROM ${table} WHERE ${column} IS NOT NULL`,
  ),
).join(' UNION ALL ');

function countsIn(db: DatabaseSync): Map<string | undefined, number> {
  const counts = new Map<string | undefined, number>();
  for (const { head, n } of db.prepare(`SELECT head, count(*) AS n FROM (${COUNTS}) GROUP BY head`).all()) {
    const text = String(head);
    const keyId = text.startsWith('01') ? text.slice(2).toLowerCase() : undefined;
    counts.set(keyId, (counts.get(keyId) ?? 0) + Number(n));
  }
  return counts;
}

/**
 * With which keys the payloads of a stopped relay's store are closed, most first. Reads the whole file.
 * @throws StoreError when there is none, a relay is running on it, or it cannot be read
 */
export function readSeals(path: string, encryptionKeys: readonly string[]): readonly SealCount[] {
  const ids = encryptionKeys.map((key) => keyIdText(parseKey(key)));
  const keyOf = (keyId: string | undefined): SealCount['key'] => {
    if (keyId === undefined) return 'none';
    if (keyId === ids[0]) return 'first';
    return ids.includes(keyId) ? 'older' : 'unknown';
  };
  return [...withStoppedStore(path, countsIn)]
    .map(([keyId, payloads]) => ({
      ...(keyId === undefined ? {} : { keyId }),
      key: keyOf(keyId),
      payloads,
    }))
    .toSorted((a, b) => b.payloads - a.payloads);
}
