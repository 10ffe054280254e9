import type { DatabaseSync } from 'node:sqlite';
import { hitFailpoint } from '../../telemetry/failpoints.ts';
import { MIGRATIONS } from './migrations.ts';

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

/**
 * Brings the database to the version of the last step; each step is one transaction.
 * @throws Error when the database is of a newer version than these steps know, or a step fails.
 */
export function migrate(db: DatabaseSync, steps: readonly string[] = MIGRATIONS): void {
  const version = versionOf(db);
  if (version > steps.length) {
    throw new Error(
      `was written by a newer relay (format ${version}; this one knows up to ${steps.length}); run that version again or give this one its own store.path`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(step);
      hitFailpoint('journal-migrating');
      db.exec(`PRAGMA user_version = ${index + 1}`);
      db.exec('COMMIT');
      hitFailpoint('journal-migrating');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}
