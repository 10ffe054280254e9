import { type KnownEvent, RefusedError, type SentEvent } from '../../journal.ts';
import { assertIdentity } from '../../valid-identity.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { STATES, type StateCode } from '../engine/stored-events.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Param, Statement } from '../sessions/session.ts';

/*
 * Events by their identity, whose day the caller does not know: each is looked up in the index of
 * every partition, and OFFSET 0 keeps the planner from reading the partitions instead.
 */

const MAX_SOUGHT = 1_000;
const PREFIX = /^[0-9a-f]{40}$/u;
/** What completes a prefix to the greatest identity that begins with it. */
const LAST_REST = 'f'.repeat(24);

function assertFew(sought: readonly string[]): void {
  if (sought.length > MAX_SOUGHT) throw new RefusedError(`at most ${MAX_SOUGHT} events can be looked up`);
}

function bytesOf(hex: readonly string[]): Param {
  return hex.map((each) => Buffer.from(each, 'hex'));
}

/** An equal event can have another day; the first one is what the others are copies of. */
const KNOWN: Statement = {
  name: 'landing_known',
  text: `SELECT DISTINCT ON (e.identity) encode(e.identity, 'hex') AS identity, e.receipt,
      e.verified_by AS "verifiedBy", e.received_at AS "receivedAt"
    FROM unnest($2::bytea[]) AS i (identity)
    CROSS JOIN LATERAL (SELECT identity, receipt, seq, verified_by, received_at FROM events
      WHERE identity = i.identity AND source = $1 OFFSET 0) AS e
    ORDER BY e.identity, e.seq`,
};

/** See Landings. */
export async function known(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  source: string,
  identities: readonly string[],
): Promise<ReadonlyMap<string, KnownEvent>> {
  assertFew(identities);
  for (const identity of identities) assertIdentity(identity);
  if (identities.length === 0) return new Map();
  const params = [storedText(source), bytesOf([...new Set(identities)])];
  const rows = await sessions.query<KnownEvent & { readonly identity: string }>('work', KNOWN, params);
  return new Map(
    rows.map(({ identity, verifiedBy, ...event }) => [
      identity,
      { ...event, verifiedBy: textOf(verifiedBy) },
    ]),
  );
}

const KNOWN_SINCE: Statement = {
  name: 'landing_known_since',
  text: `SELECT at FROM marks WHERE name = 'known-since'`,
};

/** See Landings. */
export async function knownSince({
  sessions,
}: Pick<PostgresEngine, 'sessions'>): Promise<number | undefined> {
  const [row] = await sessions.query<{ at: number }>('work', KNOWN_SINCE);
  return row?.at;
}

/** Of several, one that is delivered, and the newest of them. */
const SENT_EVENTS: Statement = {
  name: 'landing_sent_events',
  text: `SELECT DISTINCT ON (i.first) encode(substring(i.first FROM 1 FOR 20), 'hex') AS prefix, e.receipt,
      e.state, e.id_suffix AS "idSuffix", e.settled_at AS "settledAt"
    FROM unnest($2::bytea[], $3::bytea[]) AS i (first, last)
    CROSS JOIN LATERAL (SELECT receipt, seq, state, id_suffix, settled_at FROM events
      WHERE identity >= i.first AND identity <= i.last AND destination = $1 OFFSET 0) AS e
    ORDER BY i.first, e.state = 'd' DESC, e.seq DESC`,
};

interface SentRow {
  readonly prefix: string;
  readonly receipt: string;
  readonly state: StateCode;
  readonly idSuffix: string;
  readonly settledAt: number | null;
}

/** See Landings. */
export async function sentEvents(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  destination: string,
  prefixes: readonly string[],
): Promise<ReadonlyMap<string, SentEvent>> {
  assertFew(prefixes);
  if (!prefixes.every((prefix) => PREFIX.test(prefix)))
    throw new RefusedError('the beginning of an identity must be 40 lower-case hex digits');
  if (prefixes.length === 0) return new Map();
  const sought = [...new Set(prefixes)];
  const rows = await sessions.query<SentRow>('work', SENT_EVENTS, [
    storedText(destination),
    bytesOf(sought.map((prefix) => prefix + '0'.repeat(LAST_REST.length))),
    bytesOf(sought.map((prefix) => prefix + LAST_REST)),
  ]);
  return new Map(
    rows.map(({ prefix, receipt, state, idSuffix, settledAt }) => [
      prefix,
      { receipt, state: STATES[state], idSuffix, ...(settledAt === null ? {} : { settledAt }) },
    ]),
  );
}
