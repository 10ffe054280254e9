import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FleetNotice } from '../../src/journal/fleet.ts';
import { FAST, type FleetRig, fleetRig, type TestFleet } from '../helpers/fleet-rig.ts';

const SLOT_NUMBERS = Array.from({ length: 64 }, (_, slot) => slot);
const WAIT = { timeout: 8_000, interval: 5 };

function slotsOf(fleet: TestFleet, destination = 'aep'): number[] {
  return [...fleet.leases.claimable(destination).keys()].toSorted((a, b) => a - b);
}

function allSlots(fleets: readonly TestFleet[], destination = 'aep'): number[] {
  return fleets.flatMap((fleet) => slotsOf(fleet, destination)).toSorted((a, b) => a - b);
}

describe('the replicas of a PostgreSQL store', () => {
  let rig: FleetRig;
  beforeEach(async () => {
    rig = await fleetRig();
  });
  afterEach(async () => {
    await rig.requireGrowingEpochs();
    await rig.end();
  });

  const shared = (fleets: readonly TestFleet[], counts: readonly number[]) =>
    vi.waitFor(() => {
      expect(fleets.map((fleet) => slotsOf(fleet).length).toSorted((a, b) => b - a)).toEqual(counts);
      expect(allSlots(fleets)).toEqual(SLOT_NUMBERS);
    }, WAIT);

  it('a lone one has all slots when its first claim goes on', async () => {
    const fleet = await rig.open();
    await fleet.leases.join('aep');
    expect(slotsOf(fleet)).toEqual(SLOT_NUMBERS);
    expect(fleet.shareOf('aep')).toBe(1);
    expect(fleet.shareOf('another')).toBe(0);
    expect(fleet.replicaCount()).toBe(1);
  });

  it('share each destination evenly with those that join', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    await a.leases.join('aep');
    await b.leases.join('aep');
    await shared([a, b], [32, 32]);
    const c = await rig.open();
    await c.leases.join('aep');
    await shared([a, b, c], [22, 21, 21]);
    expect(a.replicaCount()).toBe(3);
    await c.leases.join('raw');
    expect(slotsOf(c, 'raw')).toEqual(SLOT_NUMBERS);
  });

  it('give back a slot when its claims have ended, and claim no more from it', async () => {
    const [a, b] = [await rig.open({ timing: { ...FAST, drain: 60_000 } }), await rig.open()];
    await a.leases.join('aep');
    const held = new Set(SLOT_NUMBERS);
    a.leases.heldSlots(() => held);
    await b.leases.join('aep');
    await vi.waitFor(() => expect(slotsOf(a)).toHaveLength(32), WAIT);
    expect(slotsOf(b)).toEqual([]);
    const [given, kept] = [63, 0];
    expect(a.leases.isOwned('aep', given, 1)).toBe(true);
    held.delete(kept);
    held.delete(given);
    await vi.waitFor(() => expect(slotsOf(b)).toEqual([given]), WAIT);
    expect(a.leases.isOwned('aep', given, 1)).toBe(false);
    held.clear();
    await shared([a, b], [32, 32]);
  });

  it('give back a slot whose claims do not end', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    await a.leases.join('aep');
    a.leases.heldSlots(() => new Set(SLOT_NUMBERS));
    await b.leases.join('aep');
    await shared([a, b], [32, 32]);
    expect(a.shareOf('aep')).toBe(0.5);
  });

  it('tell which slots were gained and lost', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    const gained = new Set<number>();
    a.leases.onChange((change) => {
      for (const slot of change.gained) gained.add(slot);
      for (const slot of change.lost) gained.delete(slot);
    });
    let changes = 0;
    a.onShares(() => (changes += 1));
    await a.leases.join('aep');
    await b.leases.join('aep');
    await shared([a, b], [32, 32]);
    expect([...gained].toSorted((x, y) => x - y)).toEqual(slotsOf(a));
    expect(changes).toBeGreaterThanOrEqual(2);
  });

  it('hand over at once when one closes', async () => {
    const [a, b] = [await rig.open(), await rig.open({ timing: { ...FAST, beat: 60_000 } })];
    await a.leases.join('aep');
    await b.leases.join('aep');
    await vi.waitFor(() => expect(slotsOf(b)).toHaveLength(32), WAIT);
    await a.close();
    expect(slotsOf(a)).toEqual([]);
    // By the notice: its next heartbeat is far away.
    await shared([b], [64]);
    expect(b.replicaCount()).toBe(1);
    expect(await rig.sql('SELECT id FROM replicas')).toEqual([{ id: b.id }]);
  });

  it('take over from one that is stopped, which claims nothing when it goes on', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    await a.leases.join('aep');
    await b.leases.join('aep');
    await shared([a, b], [32, 32]);
    const [slot, epoch] = [...a.leases.claimable('aep')][0] ?? [-1, -1];
    a.stop();
    await shared([b], [64]);
    // Before the other one could take over, it had stopped by itself.
    expect(slotsOf(a)).toEqual([]);
    expect(a.leases.isOwned('aep', slot, epoch)).toBe(false);
    a.goOn();
    await shared([a, b], [32, 32]);
    expect(a.leases.isOwned('aep', slot, epoch)).toBe(false);
  });

  it('take nothing from each other after an outage of the database', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    await a.leases.join('aep');
    await b.leases.join('aep');
    await shared([a, b], [32, 32]);
    const before = await rig.changes();
    for (const fleet of [a, b]) fleet.cut();
    await vi.waitFor(() => expect(allSlots([a, b])).toEqual([]), WAIT);
    await new Promise((resolve) => setTimeout(resolve, FAST.lease));
    a.restore();
    await vi.waitFor(() => expect(slotsOf(a)).toHaveLength(32), WAIT);
    b.restore();
    await shared([a, b], [32, 32]);
    expect(await rig.changes()).toBe(before);
  });

  it('have one leader, and another one when it is gone', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    expect([a.isLeader(), b.isLeader()]).toEqual([true, false]);
    const lease = b.tasks.lease('maintenance');
    let changes = 0;
    lease.onChange(() => (changes += 1));
    await a.close();
    await vi.waitFor(() => expect(b.isLeader()).toBe(true), WAIT);
    expect(a.isLeader()).toBe(false);
    expect([changes, lease.epoch()]).toEqual([1, 3]);
    const other = b.tasks.lease('another');
    await vi.waitFor(() => expect(other.epoch()).toBe(1), WAIT);
  });

  it('hear what another one publishes, without an echo', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    const heard: { by: string; notice: FleetNotice }[] = [];
    a.onNotice((notice) => heard.push({ by: 'a', notice }));
    b.onNotice((notice) => heard.push({ by: 'b', notice }));
    a.publish({ kind: 'throttled', destination: 'aep', forMs: 5_000 });
    a.publish({ kind: 'pauses', destination: 'aep' });
    await vi.waitFor(() => expect(heard).toHaveLength(2), WAIT);
    expect(heard[0]).toEqual({ by: 'b', notice: { kind: 'throttled', destination: 'aep', forMs: 5_000 } });
    expect(heard[1]).toEqual({ by: 'b', notice: { kind: 'pauses', destination: 'aep' } });
  });

  it('hear that something is claimable, once for many events', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    await vi.waitFor(() => expect(a.replicaCount()).toBe(2), WAIT);
    let hints = 0;
    b.onClaimableHint((destination) => {
      expect(destination).toBe('aep');
      hints += 1;
    });
    for (let n = 0; n < 1_000; n += 1) a.hintClaimable('aep');
    await vi.waitFor(() => expect(hints).toBeGreaterThan(0), WAIT);
    expect(hints).toBeLessThanOrEqual(2);
  });

  it('are listed with their version, slots and report, while they live', async () => {
    const a = await rig.open({ name: 'pod-1', version: '1.9.0' });
    const b = await rig.open({ name: 'pod-2', version: '1.10.0' });
    await a.leases.join('aep');
    a.describe(() => ({ rates: { accepted: 1, delivered: 2 } }));
    await vi.waitFor(async () => {
      const [first, second, ...rest] = await b.replicas();
      expect(rest).toEqual([]);
      expect(first).toMatchObject({
        id: a.id,
        name: 'pod-1',
        version: '1.9.0',
        isSelf: false,
        isLeader: true,
      });
      expect(first).toMatchObject({ slots: { aep: 64 }, report: { rates: { accepted: 1, delivered: 2 } } });
      expect(second).toMatchObject({ id: b.id, name: 'pod-2', isSelf: true, isLeader: false, slots: {} });
    }, WAIT);
    await a.close();
    await vi.waitFor(async () => expect(await b.replicas()).toHaveLength(1), WAIT);
  });

  it('read what the others have posted, while those are alive', async () => {
    const [a, b] = [await rig.open(), await rig.open()];
    await a.postReport('coverage', '{"n":1}');
    await a.postReport('coverage', '{"n":2}');
    await a.postReport('other', '{}');
    expect(await b.otherReports('coverage')).toEqual(['{"n":2}']);
    expect(await a.otherReports('coverage')).toEqual([]);
    await a.close();
    expect(await b.otherReports('coverage')).toEqual([]);
    expect(await rig.sql('SELECT FROM replica_reports')).toEqual([]);
  });

  it("know the database's clock", async () => {
    const [fleet] = [await rig.open()];
    const sentAt = fleet.clock();
    const [row] = await rig.sql('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now');
    expect(Number(row?.['now'])).toBeGreaterThanOrEqual(sentAt - 1_000);
    expect(Number(row?.['now'])).toBeLessThanOrEqual(fleet.clock() + 1_000);
  });

  it('start again with slots of a process that died', async () => {
    const dead = await rig.open();
    await dead.leases.join('aep');
    dead.stop();
    await new Promise((resolve) => setTimeout(resolve, FAST.lease));
    const next = await rig.open();
    await next.leases.join('aep');
    expect(slotsOf(next)).toEqual(SLOT_NUMBERS);
    dead.goOn();
  });

  it('forget rows of replicas that died', async () => {
    await rig.sql(`INSERT INTO replicas (id, name, version, since, seen)
      VALUES (gen_random_uuid(), 'dead', '1', 0, now() - interval '2 minutes')`);
    const fleet = await rig.open();
    await vi.waitFor(
      async () => expect(await rig.sql('SELECT id FROM replicas')).toEqual([{ id: fleet.id }]),
      WAIT,
    );
  });
});
