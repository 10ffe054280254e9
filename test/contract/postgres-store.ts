import pino from 'pino';
import {
  openPostgresJournal,
  type PostgresJournalOptions,
} from '../../src/journal/postgres/postgres-journal.ts';
import { executeSql, freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { T0 } from './samples.ts';
import type { MakeStore } from './test-store.ts';

/** Schemas that are empty again: making the tables takes longer than most tests. */
const idle: TestSchema[] = [];

/** Deletes every row, except for what identifies the store and its format. */
async function empty({ url, schema }: TestSchema): Promise<void> {
  await executeSql(
    url,
    `DO $$ DECLARE name text; BEGIN
       FOR name IN SELECT oid::regclass FROM pg_class
         WHERE relnamespace = '${schema}'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
           AND relname NOT IN ('store', 'migrations')
       LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
     END $$`,
  );
}

/** Stores of the PostgreSQL engine, each in a schema for itself. */
export function postgresStores(
  encryptionKeys: readonly string[],
  options: Partial<PostgresJournalOptions> = {},
): MakeStore {
  return async () => {
    const place = idle.pop() ?? (await freshSchema());
    const { url, schema } = place;
    let now = T0;
    return {
      isShared: true,
      clock: { now: () => now, set: (ms) => void (now = ms) },
      open: () =>
        openPostgresJournal({
          url: () => url,
          schema,
          // A test has few calls at a time, and each connection costs some ms.
          connections: 4,
          encryptionKeys,
          log: pino({ level: 'silent' }),
          clock: () => now,
          ...options,
        }),
      async remove() {
        await empty(place);
        idle.push(place);
      },
    };
  };
}
