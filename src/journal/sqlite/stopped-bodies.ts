import type { EventFilter } from '../journal.ts';
import { StoreError } from '../journal.ts';
import { EVERYWHERE } from './blocks.ts';
import { whereOf } from './filter.ts';
import { MIGRATIONS } from './migrations.ts';
import { createSeal, parseKey } from './seal.ts';
import { withStoppedStore } from './stopped-store.ts';

/** An event as it was received. */
export interface StoredBody {
  readonly receipt: string;
  readonly source: string;
  readonly identity: string;
  readonly orgId: number;
  /** Epoch ms. */
  readonly receivedAt: number;
  /** Absent once retention or erasure has removed it, or when no key opens it. */
  readonly body?: Buffer;
}

interface Row {
  readonly receipt: string;
  readonly source: string;
  readonly identity: Uint8Array | null;
  readonly org_id: number;
  readonly received_at: number;
  readonly body: Uint8Array | null;
}

/**
 * The newest events that the filter matches, oldest first, from the store of a relay that does not run. Only reads; no relay can start
 * meanwhile.
 * @throws StoreError when there is none, it is of another format, damaged, or a relay is running on it (`isInUse`)
 */
export function readStoppedBodies(
  path: string,
  encryptionKeys: readonly string[],
  filter: EventFilter,
  limit: number,
): readonly StoredBody[] {
  const seal = createSeal(encryptionKeys.map(parseKey));
  const { from, condition, values } = whereOf(filter, EVERYWHERE);
  const rows = withStoppedStore(path, (db) => {
    const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (format !== MIGRATIONS.length)
      throw new StoreError(
        `the store in ${path} is of format ${format} and this program of ${MIGRATIONS.length}: start the relay on it once, or use its own version`,
      );
    return db
      .prepare(
        `SELECT receipt, source, identity, org_id, received_at, (SELECT body FROM bodies WHERE bodies.seq = events.seq AND events.kept = 1) AS body
         FROM ${from} WHERE state <> 'malformed' AND ${condition} ORDER BY seq DESC LIMIT ?`,
      )
      .all(...values, limit) as unknown as readonly Row[];
  });
  return rows.toReversed().map((row) => {
    const body = row.body === null ? undefined : seal.open(row.body);
    return {
      receipt: row.receipt,
      source: row.source,
      identity: row.identity === null ? '' : Buffer.from(row.identity).toString('hex'),
      orgId: row.org_id,
      receivedAt: row.received_at,
      ...(body === undefined ? {} : { body }),
    };
  });
}
