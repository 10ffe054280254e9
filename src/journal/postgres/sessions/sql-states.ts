import { StoreError } from '../../journal.ts';
import { DatabaseError } from './store-errors.ts';

interface Meaning {
  readonly message: string;
  readonly fix?: string;
}

const TOO_MANY_FIX =
  'raise max_connections of the server or pool_size of PgBouncer, or lower store.connections';

/** What an operator reads instead of the text of the server. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '25006': {
    message: 'the database is read-only',
    fix: 'name all servers of the cluster in store.url, so that the relay finds the primary',
  },
  '28000': {
    message: 'the database refuses this user from this address',
    fix: 'add the user and the address of the relay to pg_hba.conf, or set sslmode as it demands',
  },
  '28P01': {
    message: 'the database refuses the password',
    fix: 'check the user and the password in store.url, and the file of the password',
  },
  '3D000': { message: 'the database does not exist', fix: 'create it, or correct its name in store.url' },
  '40001': { message: 'the transaction collided with another one' },
  '40P01': { message: 'the transaction was part of a deadlock' },
  '42501': {
    message: 'the user of the database lacks a right',
    fix: 'make the user the owner of the schema, or GRANT it USAGE and CREATE there and all rights on its tables',
  },
  '42P01': {
    message: 'a table of the store is missing',
    fix: 'restore the schema from a backup, or restart the relay to begin with an empty one',
  },
  '53100': {
    message: 'the disk of the database is full',
    fix: 'enlarge the disk of the database server, or remove what fills it, such as old WAL of replication slots',
  },
  '53200': { message: 'the database server is out of memory' },
  '53300': { message: 'the database has too many connections', fix: TOO_MANY_FIX },
  '53400': { message: 'a limit of the database server was exceeded' },
  '55P03': { message: 'another transaction held a lock for too long' },
  '57014': { message: 'the statement took too long, or an operator cancelled it' },
  '57P01': { message: 'the database server is shutting down' },
  '57P02': { message: 'the database server has crashed' },
  '57P03': { message: 'the database server is starting' },
};

/** Errors after which the same transaction can be executed again. */
const RETRIED = new Set(['40001', '40P01']);
/**
 * Errors after which the connection is useless: the server ends it, or is no primary any more, or
 * the prepared statements do not fit any more, as after a migration.
 */
const FATAL = new Set(['0A000', '25006', '25P03', '26000', '57P01', '57P02', '57P03', '57P05']);
/** Errors while connecting that an operator has to fix; waiting does not help. */
const OF_CONFIGURATION = new Set(['28000', '28P01', '3D000', '42501', '3F000']);

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code);
}

/** The SQLSTATE that the server has sent, if the error is one of the server. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.sqlState;
  const code = codeOf(error);
  // Errors of Node have codes such as EPIPE; only those of the server have a severity.
  return isSqlState(code) && error instanceof Error && 'severity' in error ? code : undefined;
}

export function isRetried(error: unknown): boolean {
  return RETRIED.has(sqlStateOf(error) ?? '');
}

export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error) ?? '';
  return FATAL.has(state) || state.startsWith('08');
}

export function isOfConfiguration(error: unknown): boolean {
  return OF_CONFIGURATION.has(sqlStateOf(error) ?? '');
}

/**
 * What the server refused, in words for operators. The server's own text follows, but not its
 * details: they quote values of rows.
 */
export function databaseError(state: string, error: Error): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const meaning = MEANINGS[state];
  const text = meaning ? `${meaning.message} (${state}: ${error.message})` : `${error.message} (${state})`;
  return new DatabaseError(state, text, { cause: error, fix: meaning?.fix });
}

/** Any error of a statement whose connection still lives. */
export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const state = sqlStateOf(error);
  if (state !== undefined) return databaseError(state, error as Error);
  return new StoreError(error instanceof Error ? error.message : String(error), { cause: error });
}
