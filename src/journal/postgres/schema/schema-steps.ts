import { CUSTOMER_TABLES } from './customer-tables.ts';
import { ENRICHMENT_TABLES } from './enrichment-tables.ts';
import { EVENT_TABLES } from './event-tables.ts';
import { FLEET_TABLES } from './fleet-tables.ts';
import { LANDING_TABLES } from './landing-tables.ts';

/** A step from one format of the schema to the next. A released step must never be changed. */
export interface Migration {
  readonly name: string;
  /** Statements without parameters, executed with the schema as the only search path. */
  readonly sql: string;
  /**
   * The oldest format whose relays can use the schema after this step, so that they go on during a
   * rolling update. The format of the step itself if none can.
   */
  readonly readableFrom: number;
}

/** The format of the schema is the number of steps that were applied. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'first format',
    sql: `${EVENT_TABLES}${CUSTOMER_TABLES}${FLEET_TABLES}`,
    readableFrom: 1,
  },
  { name: 'enrichment', sql: ENRICHMENT_TABLES, readableFrom: 1 },
  { name: 'landings', sql: LANDING_TABLES, readableFrom: 1 },
];
