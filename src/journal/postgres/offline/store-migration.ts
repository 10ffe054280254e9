import type { Logger } from 'pino';
import { migrate, type MigrationPlan, planMigration } from '../schema/migrate.ts';
import type { Connection } from '../sessions/connection.ts';
import { Connector } from '../sessions/connector.ts';
import { checkServer } from '../sessions/start-checks.ts';

export type { MigrationPlan } from '../schema/migrate.ts';

/** Where a store is. */
export interface DatabasePlace {
  readonly url: string;
  readonly schema: string;
  /** `egress.ca` of the configuration that names the database. */
  readonly ca?: string | undefined;
}

/** A command waits for a database as long as nobody interrupts it. */
const ANSWER_LIMIT_MS = 3_600_000;

/** One connection of a command, which is no replica. @throws StoreError */
export function connectOnce(
  { url, schema, ca }: DatabasePlace,
  command: string,
  answerLimitMs = ANSWER_LIMIT_MS,
): Promise<Connection> {
  return new Connector({ url: () => url, ca: () => ca }).connect({
    schema,
    applicationName: `capillary-relay ${command}`,
    statementLimitMs: 0,
    answerLimitMs,
  });
}

/**
 * Brings the schema to the newest format, as the first replica of a new version does.
 * @param isDryRun only says what would be done
 * @returns what was found before
 * @throws StoreError
 */
export async function migrateStore(
  place: DatabasePlace,
  { log, isDryRun }: { readonly log: Logger; readonly isDryRun: boolean },
): Promise<MigrationPlan> {
  const connection = await connectOnce(place, 'store migrate');
  try {
    checkServer(connection.facts);
    const plan = await planMigration(connection, place);
    if (!isDryRun) await migrate(connection, { schema: place.schema, log });
    return plan;
  } finally {
    await connection.close();
  }
}
