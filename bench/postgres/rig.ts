import type { DatabaseServer } from '../../src/simulator/postgres/database-server.ts';
import type { Bench } from '../part.ts';
import type { CountingInlet } from '../processes/inlet.ts';
import type { DestinationChange, RelayFolder } from '../processes/relay.ts';

/** What the measurements of relays on PostgreSQL share. */
export interface PostgresRig {
  readonly bench: Bench;
  readonly server: DatabaseServer;
  readonly inlet: CountingInlet;
  /** The configuration of a relay with a schema; relays with the same one are replicas. */
  folder(schema: string, change?: DestinationChange): RelayFolder;
}

/** Removes a schema with everything in it. */
export async function dropSchema({ server }: PostgresRig, schema: string): Promise<void> {
  await server.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}
