import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DatabaseServer } from '../../src/simulator/postgres/database-server.ts';
import { findPostgres, POSTGRES_ADVICE } from '../../src/simulator/postgres/postgres-programs.ts';
import { prepareServer } from '../../src/simulator/postgres/server-place.ts';
import { TICKS_PER_SECOND } from '../processes/usage.ts';

/** In the project, because a temporary folder may be in memory. */
const DATA = fileURLToPath(new URL('../.data/', import.meta.url));

/** As they are after an installation, said here because a result depends on them. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '128MB',
  max_connections: '100',
  max_wal_size: '1GB',
};

/** A server with the settings of an installation; every commit waits for the disk. */
export async function startBenchServer(): Promise<DatabaseServer> {
  const programs = findPostgres();
  if (programs === undefined) throw new Error(`No PostgreSQL for the bench: ${POSTGRES_ADVICE}.`);
  mkdirSync(DATA, { recursive: true });
  return new DatabaseServer(await prepareServer(programs, DATA), SETTINGS).initialize();
}

/** Fields of /proc/PID/stat after the name: state, parent, … */
function statOf(pid: string | number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function ticksOf(fields: readonly string[], first: number, count: number): number {
  return fields.slice(first, first + count).reduce((sum, ticks) => sum + Number(ticks), 0);
}

/** CPU seconds of all processes of a server since its start, those that have ended included. */
export function serverCpuSeconds({ pid }: DatabaseServer): number {
  // Its own times, and those of the children that it has waited for.
  let ticks = ticksOf(statOf(pid), 11, 4);
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statOf(name);
      if (fields[1] === String(pid)) ticks += ticksOf(fields, 11, 2);
    } catch {
      // It has just ended.
    }
  }
  return ticks / TICKS_PER_SECOND;
}
