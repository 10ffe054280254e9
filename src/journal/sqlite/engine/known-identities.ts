import { type KnownEvent, RefusedError, type SentEvent } from '../../journal.ts';
import { assertIdentity } from '../../valid-identity.ts';
import type { RequestOf } from './calls.ts';
import { identityKey } from './index-keys.ts';
import { markOf } from './landing-state.ts';
import type { EventRow } from './rows.ts';
import type { Engine } from './sqlite-engine.ts';

/** Identities in one call. */
const MAX_LOOKUPS = 1_000;
/** Bytes of an identity that are in `_id`. */
const PREFIX_BYTES = 20;

function assertCount({ length }: readonly string[]): void {
  if (length > MAX_LOOKUPS) throw new RefusedError(`at most ${MAX_LOOKUPS} identities can be looked up`);
}

export function known(
  engine: Engine,
  { source, identities }: RequestOf<'known'>,
): ReadonlyMap<string, KnownEvent> {
  assertCount(identities);
  identities.forEach(assertIdentity);
  const found = new Map<string, KnownEvent>();
  for (const identity of identities) {
    const bytes = Buffer.from(identity, 'hex');
    for (const seq of engine.indexes.identities.positionsOf(identityKey(bytes))) {
      const row = engine.db.one(
        `SELECT receipt, verified_by AS verifiedBy, received_at AS receivedAt FROM events
         WHERE seq = ? AND identity = ? AND source = ?`,
        seq,
        bytes,
        source,
      ) as KnownEvent | undefined;
      if (row !== undefined) found.set(identity, { ...row });
    }
  }
  return found;
}

export function knownSince({ db }: Engine): number | undefined {
  return markOf(db, 'known-since');
}

type SentRow = Pick<EventRow, 'seq' | 'receipt' | 'state' | 'id_suffix' | 'settled_at'>;

/** Two sources can have the same identity: the delivered event, else the newest. */
function isBetter(row: SentRow, than: SentRow | undefined): boolean {
  if (than === undefined) return true;
  const [a, b] = [row.state === 'delivered', than.state === 'delivered'];
  return a === b ? row.seq > than.seq : a;
}

function sentEvent(engine: Engine, destination: string, prefix: string): SentEvent | undefined {
  const bytes = Buffer.from(prefix, 'hex');
  let best: SentRow | undefined;
  for (const seq of engine.indexes.identities.positionsOf(identityKey(bytes))) {
    const row = engine.db.one(
      `SELECT seq, receipt, state, id_suffix, settled_at FROM events
       WHERE seq = ? AND substr(identity, 1, ${PREFIX_BYTES}) = ? AND destination = ?`,
      seq,
      bytes,
      destination,
    ) as SentRow | undefined;
    if (row !== undefined && isBetter(row, best)) best = row;
  }
  return (
    best && {
      receipt: best.receipt,
      state: best.state,
      idSuffix: best.id_suffix,
      ...(best.settled_at === null ? {} : { settledAt: best.settled_at }),
    }
  );
}

export function sentEvents(
  engine: Engine,
  { destination, prefixes }: RequestOf<'sentEvents'>,
): ReadonlyMap<string, SentEvent> {
  assertCount(prefixes);
  if (!prefixes.every((prefix) => /^[0-9a-f]{40}$/u.test(prefix)))
    throw new RefusedError('the beginning of an identity must be 40 lower-case hex digits');
  const found = new Map<string, SentEvent>();
  for (const prefix of prefixes) {
    const event = sentEvent(engine, destination, prefix);
    if (event !== undefined) found.set(prefix, event);
  }
  return found;
}
