import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, vi } from 'vitest';
import type { FleetTiming } from '../../src/journal/postgres/fleet/fleet-timing.ts';
import { createPostgresFleet, type PostgresFleet } from '../../src/journal/postgres/fleet/postgres-fleet.ts';
import { FAST } from '../helpers/fleet-rig.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { sessionsOfTest, throughPort } from './postgres-rig.ts';

const WAIT = { timeout: 20_000, interval: 10 };
const ALL = Array.from({ length: 64 }, (_, slot) => slot);

export interface Replica {
  readonly fleet: PostgresFleet;
  readonly proxy: TcpProxy;
}

/** A replica with its real connections, through a proxy of its own. */
export async function openReplica(url: string, schema: string, timing: FleetTiming = FAST): Promise<Replica> {
  const proxy = await TcpProxy.to(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  const replica = randomUUID();
  const through = throughPort(url, proxy.port);
  const sessions = await sessionsOfTest({ url: () => through, schema, replica });
  const fleet = createPostgresFleet({ sessions, replica, timing });
  onTestFinished(() => fleet.close());
  await fleet.start();
  await fleet.leases.join('aep');
  return { fleet, proxy };
}

export function slotsOf(replicas: readonly Replica[]): number[] {
  return replicas.flatMap(({ fleet }) => [...fleet.leases.claimable('aep').keys()]).toSorted((a, b) => a - b);
}

/** All slots are owned, and no replica has many more than another. */
export function isShared(replicas: readonly Replica[]): Promise<void> {
  return vi.waitFor(() => {
    expect(slotsOf(replicas)).toEqual(ALL);
    const counts = replicas.map(({ fleet }) => fleet.leases.claimable('aep').size);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }, WAIT);
}
