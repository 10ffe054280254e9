import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Balancer, startBalancer } from '../../simulator/balancer.ts';
import { DatabaseServer } from '../../simulator/postgres/database-server.ts';
import {
  findPostgres,
  POSTGRES_ADVICE,
  type PostgresPrograms,
} from '../../simulator/postgres/postgres-programs.ts';
import { prepareServer } from '../../simulator/postgres/server-place.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { CommandError } from '../command-error.ts';
import { demoConfig } from './demo-environment.ts';
import { type RelayProcess, startRelayProcess } from './relay-process.ts';

/** Of each relay. */
const CONNECTIONS = 4;
/** The data live as long as the demo, so nothing waits for the disk. */
const SETTINGS = { fsync: 'off', shared_buffers: '32MB', max_connections: '60' };

/** Simulators, a database, and relays that share it behind a balancer. */
export interface ReplicaEnvironment {
  readonly simulator: Simulator;
  readonly relays: readonly RelayProcess[];
  readonly balancer: Balancer;
  /** `PostgreSQL 15`. */
  readonly database: string;
  /** Stops what still runs, and removes all folders. */
  close(): Promise<void>;
}

function findPrograms(): PostgresPrograms {
  const programs = findPostgres();
  if (programs === undefined)
    throw new CommandError(`The demo found no PostgreSQL for its replicas: ${POSTGRES_ADVICE}.`);
  return programs;
}

/**
 * Starts everything; what was started is stopped again if the rest fails.
 * @throws CommandError if there is no PostgreSQL, or if a relay does not start
 */
export async function startReplicaEnvironment(count: number): Promise<ReplicaEnvironment> {
  const programs = findPrograms();
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'capillary-relay-demo-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    // The server of root belongs to another user.
    await chmod(folder, 0o755);
    const simulator = await startSimulator();
    closers.push(() => simulator.close());
    const server = new DatabaseServer(await prepareServer(programs, folder), SETTINGS);
    await server.initialize();
    closers.push(() => server.remove());
    const config = join(folder, 'relay.yaml');
    const store = { engine: 'postgres', url: server.url(), connections: CONNECTIONS };
    await writeFile(config, demoConfig(simulator, store, 'info'));
    const names = Array.from({ length: count }, (_, index) => `relay-${index + 1}`);
    const starts = names.map(async (name) => {
      const relay = await startRelayProcess(name, config);
      closers.push(() => relay.end('SIGTERM'));
      return relay;
    });
    await Promise.allSettled(starts);
    const relays = await Promise.all(starts);
    const balancer = await startBalancer(relays.map(({ intakeUrl }) => intakeUrl));
    closers.push(() => balancer.close());
    return { simulator, relays, balancer, database: `PostgreSQL ${programs.major}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
