import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { FLEET_TIMING } from '../../src/journal/postgres/fleet/fleet-timing.ts';
import type { LeaseChange } from '../../src/journal/postgres/fleet/leases.ts';
import { FAST } from '../helpers/fleet-rig.ts';
import { PostgresServer } from '../helpers/postgres-process.ts';
import { executeSql } from '../helpers/postgres-server.ts';
import { isShared, openReplica, slotsOf } from './postgres-fleet-rig.ts';

/** The grace is longer than a connection waits for its next attempt, as in production. */
const TIMING = { ...FAST, lease: 4_000, grace: 2 * FLEET_TIMING.grace };

it('replicas whose server is restarted keep their slots, and know that they have to read the queue again', async () => {
  const server = await PostgresServer.create();
  onTestFinished(() => server.remove());
  const url = `postgres://relay@127.0.0.1:${server.port}/postgres`;
  const replicas = [await openReplica(url, 'relay', TIMING), await openReplica(url, 'relay', TIMING)];
  await isShared(replicas);
  const before = await executeSql(url, 'SELECT slot, owner, epoch FROM relay.slots ORDER BY slot');
  const changed: LeaseChange[] = [];
  for (const { fleet } of replicas) fleet.leases.onChange((change) => changed.push(change));
  await server.stop('immediate');
  await sleep(TIMING.lease + 200);
  expect(slotsOf(replicas)).toEqual([]);
  await server.start();
  await isShared(replicas);
  expect(await executeSql(url, 'SELECT slot, owner, epoch FROM relay.slots ORDER BY slot')).toEqual(before);
  const change = { destination: 'aep', gained: [], lost: [], isServerChanged: true };
  expect(changed).toEqual([change, change]);
}, 60_000);
