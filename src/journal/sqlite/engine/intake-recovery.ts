import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../journal.ts';
import { commitAccounts } from './accounts.ts';
import { applyRecord } from './append.ts';
import { DAMAGE_ADVICE } from './damage.ts';
import type { Engine } from './sqlite-engine.ts';
import { INTAKE_LOG_FILES } from './intake-log.ts';
import { FILE_HEADER_BYTES, type LogContent, readableRecords, seedOf } from './intake-records.ts';

/**
 * The log of a store that was not stopped properly can hold accepted events that the tables lack.
 * @throws StoreError if a file of it is missing
 */
export function assertLogExists(folder: string, { isClosed }: { readonly isClosed: number }): void {
  if (isClosed === 1) return;
  const missing = INTAKE_LOG_FILES.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0)
    throw new StoreError(
      `the intake log is incomplete (${missing.join(', ')} is missing), so accepted events may be lost`,
      { fix: DAMAGE_ADVICE },
    );
}

/** What is wrong with each file of the log whose header is not that of the store. */
export function foreignLogs(folder: string, seed: number): string[] {
  return INTAKE_LOG_FILES.flatMap((name) => {
    const file = join(folder, name);
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= FILE_HEADER_BYTES || readSeed(file) === seed) return [];
    // The checksum of a record depends on the store.
    const isOwn = readableRecords(readFileSync(file), seed).next().done !== true;
    return isOwn
      ? `the header of ${name} is damaged; its records are those of relay.db`
      : `${name} does not belong to relay.db: it is damaged, or has accepted events of another store`;
  });
}

/** @throws StoreError if a file has the records of another store, which would be overwritten */
export function assertLogBelongs(folder: string, { seed }: { readonly seed: number }): void {
  const [problem] = foreignLogs(folder, seed);
  if (problem !== undefined) throw new StoreError(problem, { fix: DAMAGE_ADVICE });
}

/** Which records are missing from the log, and why. A log that was closed has none to apply. */
export function describeMissing(missing: number, isClosed: boolean): string {
  return isClosed
    ? 'relay.db is older than the intake log beside it, as a backup is that was restored into a folder with the files of a later time'
    : `the intake log is damaged: ${missing} accepted records cannot be read`;
}

/** @throws StoreError if records of synced batches are missing */
export function assertLogComplete(
  { missing }: Pick<LogContent, 'missing'>,
  { isClosed }: { readonly isClosed: number },
): void {
  if (missing === 0) return;
  throw new StoreError(describeMissing(missing, isClosed === 1), {
    fix:
      isClosed === 1
        ? 'restore the backup as relay.db into an empty folder, without any other file of the old store; ' +
          'or `capillary-relay store salvage --to FOLDER` copies it with the events that the intake log has'
        : DAMAGE_ADVICE,
  });
}

function readSeed(file: string): number | undefined {
  const handle = openSync(file, 'r');
  try {
    const header = Buffer.alloc(FILE_HEADER_BYTES);
    readSync(handle, header, 0, FILE_HEADER_BYTES, 0);
    return seedOf(header);
  } finally {
    closeSync(handle);
  }
}

/**
 * Applies records of the intake log to the tables.
 * @throws StoreError if records of synced batches are missing; SQLite's error if the tables cannot
 *   be written
 */
export function applyLog(engine: Engine, { records, missing, torn }: LogContent): void {
  assertLogComplete({ missing }, { isClosed: 0 });
  if (torn > 0)
    engine.notify({
      message: `the end of the intake log cannot be read: its last batch lacks at least ${torn} of its records. They were being written when the machine stopped, and then nobody was told that they are stored; or the disk has damaged them`,
    });
  if (records.length === 0) return;
  engine.tables.begin();
  for (const record of records) applyRecord(engine, record);
  commitAccounts(engine.accounts);
  engine.indexes.identities.commit();
  engine.indexes.queues.commit();
  engine.tables.checkpoint();
}
