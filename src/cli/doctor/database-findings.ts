import type { StoreConfig } from '../../config/config-schema.ts';
import { withoutCredentials } from '../../config/store-url.ts';
import type { DatabaseFacts } from '../../journal/postgres/offline/database-facts.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Leases go by the database's clock; a larger difference only confuses whoever reads both logs. */
const MAX_CLOCK_DIFFERENCE_MS = 2_000;
/** An append waits for one round trip and the commit. */
const SLOW_ROUND_TRIP_MS = 20;
/** Half of the age at which PostgreSQL stops accepting writes. */
const MAX_FREEZE_AGE = 1_000_000_000;

function versionText(version: number): string {
  return `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000}`;
}

function isLocal(url: string): boolean {
  return /@?(localhost|127\.[\d.]+|\[::1\])(:\d+)?[,/]/.test(url.replace(/^postgres(ql)?:\/\//, '@'));
}

function durabilityFindings(facts: DatabaseFacts): Finding[] {
  const { synchronousCommit, synchronousStandbys, fsync, fullPageWrites } = facts;
  if (!fsync || !fullPageWrites)
    return [
      fail(
        'durability',
        `the server has ${fsync ? 'full_page_writes' : 'fsync'} = off: a crash of it loses events that were answered 200`,
        'set fsync and full_page_writes to on in postgresql.conf and restart the server',
      ),
    ];
  if (['off', 'local'].includes(synchronousCommit))
    return [
      warn(
        'durability',
        `the server has synchronous_commit = ${synchronousCommit}; the relay uses on for its own commits`,
        'set synchronous_commit = on for its user: ALTER ROLE relay SET synchronous_commit = on',
      ),
    ];
  if (synchronousStandbys === '')
    return [
      ok(
        'durability',
        `synchronous_commit = ${synchronousCommit}; no synchronous standby: a fail-over can lose the newest commits, unless the storage itself is replicated`,
      ),
    ];
  return [ok('durability', `synchronous_commit = ${synchronousCommit}, standbys: ${synchronousStandbys}`)];
}

function stateOf({ migrations, isNewer }: DatabaseFacts): string {
  if (isNewer) return 'was migrated by a newer version, beside which this one can run';
  if (migrations === 0) return 'is up to date';
  return `gets ${migrations} migration step${migrations === 1 ? '' : 's'} at the next start`;
}

function rightsFindings(facts: DatabaseFacts, schema: string): Finding[] {
  const { user, hasSchema, mayCreateSchema, mayCreateTables, isSuperuser } = facts;
  const execute = 'let an administrator execute:';
  if (!hasSchema && !mayCreateSchema)
    return [
      fail(
        'schema',
        `${schema} does not exist, and the user ${user} may not create it`,
        `${execute} CREATE SCHEMA ${schema} AUTHORIZATION "${user}"`,
      ),
    ];
  if (hasSchema && !mayCreateTables)
    return [
      fail(
        'schema',
        `the user ${user} may not create tables in ${schema}`,
        `check user and store.schema; if both are right, ${execute} ALTER SCHEMA ${schema} OWNER TO "${user}"`,
      ),
    ];
  return [
    ok('schema', hasSchema ? `${schema} ${stateOf(facts)}` : `${schema} will be created at the next start`),
    ...(isSuperuser
      ? [
          warn(
            'user',
            'the user of store.url is a superuser',
            'give the relay a user of its own without that right (docs/operations.md, PostgreSQL)',
          ),
        ]
      : []),
  ];
}

function connectionFindings(facts: DatabaseFacts, connections: number): Finding[] {
  const { maxConnections, reservedConnections, replicas } = facts;
  const free = maxConnections - reservedConnections - facts.connections;
  const room = Math.max(0, Math.floor(free / connections));
  const detail = `${facts.connections} of ${maxConnections} connections in use; replicas alive: ${replicas}, with ${connections} each; room for ${room} more`;
  return room < 1
    ? [
        warn(
          'connections',
          detail,
          'raise max_connections of the server, or lower store.connections (at least 4)',
        ),
      ]
    : [ok('connections', detail)];
}

function clockFindings({ clockAheadMs, roundTripMs }: DatabaseFacts): Finding[] {
  const difference = Math.abs(clockAheadMs);
  const side = clockAheadMs > 0 ? 'ahead of' : 'behind';
  return [
    difference > MAX_CLOCK_DIFFERENCE_MS
      ? warn(
          'database clock',
          `${difference} ms ${side} this machine's`,
          'synchronise both clocks with NTP; delivery goes by the clock of the database, receipts by this one',
        )
      : ok('database clock', `${difference} ms ${side} this machine's`),
    roundTripMs > SLOW_ROUND_TRIP_MS
      ? warn(
          'round trip',
          `${roundTripMs.toFixed(1)} ms`,
          'run the relay in the region and zone of the database: each webhook waits for at least one',
        )
      : ok('round trip', `${roundTripMs.toFixed(1)} ms`),
  ];
}

/** What can be said of a database that answers. */
export function findingsOfFacts(facts: DatabaseFacts, store: StoreConfig): Finding[] {
  const { url = '', schema, connections } = store;
  const { tls, version, freezeAge } = facts;
  return [
    ok('database', `${versionText(version)} at ${withoutCredentials(url)}; no pooler per transaction`),
    tls === undefined && !isLocal(url)
      ? warn('tls', 'the connection is not encrypted', 'append ?sslmode=verify-full to store.url')
      : ok('tls', tls ?? 'not encrypted, on this machine'),
    ...rightsFindings(facts, schema),
    ...durabilityFindings(facts),
    ...connectionFindings(facts, connections),
    ...clockFindings(facts),
    ...(freezeAge > MAX_FREEZE_AGE
      ? [
          warn(
            'vacuum',
            `the oldest transaction id of the database is ${freezeAge} transactions old`,
            'find out why autovacuum does not freeze: open transactions, replication slots, prepared transactions',
          ),
        ]
      : []),
  ];
}

/** Connects as a replica does. @param ca `egress.ca` */
export async function databaseFindings(store: StoreConfig, ca: string | undefined): Promise<Finding[]> {
  const { readDatabaseFacts } = await import('../../journal/postgres/offline/database-facts.ts');
  try {
    const place = { url: store.url ?? '', schema: store.schema, ca };
    return findingsOfFacts(await readDatabaseFacts(place), store);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const fix = 'fix' in error && typeof error.fix === 'string' ? error.fix : undefined;
    return [
      fail(
        'database',
        error.message,
        fix ?? 'start the server, and check store.url and the network in between',
      ),
    ];
  }
}
