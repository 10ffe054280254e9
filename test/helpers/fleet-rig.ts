import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { FLEET_TABLES } from '../../src/journal/postgres/schema/fleet-tables.ts';
import type { FleetTiming } from '../../src/journal/postgres/fleet/fleet-timing.ts';
import {
  createPostgresFleet,
  type PostgresFleet,
  type PostgresFleetParts,
} from '../../src/journal/postgres/fleet/postgres-fleet.ts';
import type { Notifications, Param, Statement } from '../../src/journal/postgres/sessions/session.ts';
import { StoreError } from '../../src/journal/journal.ts';
import { executeSql, freshSchema, type TestSchema } from './postgres-server.ts';

/** Short enough for tests, long enough for a busy machine. */
export const FAST: FleetTiming = {
  beat: 50,
  lease: 1_000,
  margin: 200,
  grace: 150,
  drain: 400,
  drainCheck: 10,
  notify: 5,
  forget: 60_000,
};

export interface TestFleet extends PostgresFleet {
  readonly id: string;
  /** Statements fail until `restore`, as while the database is away. */
  cut(): void;
  restore(): void;
  /** Statements are not answered until `goOn`, as if the process were stopped. */
  stop(): void;
  goOn(): void;
}

export interface FleetRig {
  readonly schema: TestSchema;
  open(parts?: Partial<PostgresFleetParts>): Promise<TestFleet>;
  /** How often slots have changed their owner. */
  changes(): Promise<number>;
  /** Whatever happened: nobody has owned a slot under the epoch of somebody else. */
  requireGrowingEpochs(): Promise<void>;
  sql(text: string): Promise<Record<string, unknown>[]>;
  end(): Promise<void>;
}

/** Records each change of a slot, in the order of the commits. */
const HISTORY = `
CREATE TABLE history (n bigint GENERATED ALWAYS AS IDENTITY, destination text, slot int, owner uuid, epoch bigint);
CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (destination, slot, owner, epoch) VALUES (new.destination, new.slot, new.owner, new.epoch);
  RETURN new;
END $$;
CREATE TRIGGER record AFTER UPDATE ON slots FOR EACH ROW EXECUTE FUNCTION record();`;

const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, Number);

/** Connections of one replica, as `Sessions` has them for a fleet. */
async function connect(url: string, schema: string) {
  const options = `-c search_path=${schema}`;
  const client = new pg.Client({ connectionString: url, options, types: TYPES });
  client.on('error', () => undefined);
  await client.connect();
  let isCut = false;
  let goOn: (() => void) | undefined;
  let stopped: Promise<void> = Promise.resolve();
  let notifications: Notifications | undefined;
  let missed: string[] | undefined;
  client.on('notification', ({ payload = '' }) => {
    if (missed === undefined) notifications?.received(payload);
    else missed.push(payload);
  });
  return {
    client,
    sessions: {
      channel: schema,
      listen(to: Notifications) {
        notifications = to;
        void client.query(`LISTEN ${schema}`).then(() => to.listening());
      },
      async query<Row>(_purpose: string, { name, text }: Statement, params: readonly Param[] = []) {
        await stopped;
        if (isCut) throw new StoreError('no connection');
        const { rows } = await client.query({ name, text, values: [...params] });
        await stopped;
        return rows as readonly Row[];
      },
    },
    cut: () => void (isCut = true),
    restore: () => void (isCut = false),
    stop() {
      missed = [];
      stopped = new Promise((resolve) => {
        goOn = resolve;
      });
    },
    goOn() {
      const all = missed ?? [];
      missed = undefined;
      goOn?.();
      for (const payload of all) notifications?.received(payload);
    },
  };
}

/** A schema with the tables of the fleet, and replicas that share it. */
export async function fleetRig(on?: TestSchema): Promise<FleetRig> {
  const schema = on ?? (await freshSchema());
  const name = schema.schema;
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: schema.url, options: `-c search_path=${name}` });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  await executeSql(
    schema.url,
    `CREATE SCHEMA ${name}; SET search_path = ${name}; ${FLEET_TABLES} ${HISTORY}`,
  );
  const all: { fleet: PostgresFleet; client: pg.Client }[] = [];
  return {
    schema,
    async open(parts = {}) {
      const { client, sessions, ...faults } = await connect(schema.url, name);
      const id = randomUUID();
      const fleet = createPostgresFleet({ sessions, replica: id, timing: FAST, ...parts });
      all.push({ fleet, client });
      await fleet.start();
      return { ...fleet, id, ...faults };
    },
    changes: async () => Number((await sql('SELECT count(*) AS n FROM history'))[0]?.['n']),
    async requireGrowingEpochs() {
      const wrong = await sql(
        `SELECT * FROM (SELECT *, lag(epoch, 1, 0) OVER (PARTITION BY destination, slot ORDER BY n) AS before
           FROM history) h WHERE epoch <= before`,
      );
      if (wrong.length > 0) throw new Error(`epochs that did not grow: ${JSON.stringify(wrong)}`);
    },
    sql,
    async end() {
      await Promise.all(all.map(({ fleet }) => fleet.close()));
      await Promise.all(all.map(({ client }) => client.end().catch(() => undefined)));
      await schema.drop();
    },
  };
}
