import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StoreConfig } from './config/config-schema.ts';
import { type BackupResult, type BatchReport, type Journal, RefusedError } from './journal/journal.ts';
import type { PostgresJournalOptions } from './journal/postgres/postgres-journal.ts';
import { openSqliteJournal } from './journal/sqlite/sqlite-journal.ts';

/* The part of the composition root that knows the storage engines. */

export interface StoreParts {
  readonly store: StoreConfig;
  /** `store.url` for the next connection; see currentStoreUrl. */
  readonly url: () => Promise<string>;
  /** `egress.ca`, asked for each connection to a database. */
  readonly ca: () => string | undefined;
  readonly log: Logger;
  /** Awaited before a new store is created on a disk. */
  readonly beforeCreate: () => Promise<void>;
  readonly onBatch: (batch: BatchReport) => void;
  readonly onPayloadLost: (destination: string) => void;
}

/** Imported on demand: a relay with SQLite needs no driver. */
async function openPostgres(options: PostgresJournalOptions): Promise<Journal> {
  const { openPostgresJournal } = await import('./journal/postgres/postgres-journal.ts');
  return openPostgresJournal(options);
}

/** Opens the store of the configured engine. @throws StoreError with a fix */
export function openStore({ store, url, ca, beforeCreate, ...parts }: StoreParts): Promise<Journal> {
  const { engine, encryptionKeys, schema, connections } = store;
  if (engine === 'postgres') return openPostgres({ ...parts, url, ca, schema, connections, encryptionKeys });
  return openSqliteJournal({
    ...parts,
    path: store.path,
    encryptionKeys,
    expect: store.expect,
    beforeCreate,
    onCreated: (path) =>
      parts.log.warn(
        { path },
        'new store created; if this relay has run before, store.path or its volume is wrong',
      ),
  });
}

/**
 * Bytes of a database are the server's business: only `maxBytes` limits a store that has no volume
 * of its own.
 */
export function limitsOf(store: StoreConfig): Pick<StoreConfig, 'maxBytes' | 'minFree' | 'retention'> {
  return {
    get maxBytes() {
      return store.maxBytes;
    },
    get minFree() {
      return store.engine === 'postgres' ? 0 : store.minFree;
    },
    get retention() {
      return store.retention;
    },
  };
}

/**
 * On the store's own volume, and hidden, so that it is no foreign file of the folder. Elsewhere
 * only if somebody has removed that folder: then the copy is all that remains.
 */
function temporaryBackup(folder: string): string {
  return join(existsSync(folder) ? folder : tmpdir(), `.backup-${randomUUID()}.db`);
}

/** Copies the store to a temporary file. @throws RefusedError where the server's tools do that */
export async function backUp(
  { engine, path, schema }: StoreConfig,
  journal: Pick<Journal, 'backup'>,
): Promise<BackupResult> {
  if (engine === 'postgres')
    throw new RefusedError(
      `the store is a PostgreSQL database: copy it with pg_dump --schema=${schema}, or restore a point in time with the tools of the server`,
    );
  return journal.backup(temporaryBackup(path));
}
