import type { Claim, ClaimLimits } from '../../src/journal/journal.ts';
import type { LeaseChange, Leases } from '../../src/journal/postgres/fleet/leases.ts';
import type { ClaimEnd, HeldClaim } from '../../src/journal/postgres/queue/held-claim.ts';
import type { LostEvent } from '../../src/journal/postgres/queue/payload-loss.ts';
import { createQueueOwner, type QueueOwner } from '../../src/journal/postgres/queue/queue-owner.ts';
import { type QueueRig, queueRig } from './postgres-queue-rig.ts';

const SLOTS = 64;

/** Leases that a test changes. They own all slots at first. */
export class FakeLeases implements Leases {
  readonly owned = new Map<string, Map<number, number>>();
  held: (destination: string) => ReadonlySet<number> = () => new Set();
  #listener: (change: LeaseChange) => void = () => undefined;
  readonly #take: (destination: string, slot: number, epoch: number) => Promise<unknown>;

  constructor(take: (destination: string, slot: number, epoch: number) => Promise<unknown>) {
    this.#take = take;
  }

  async join(destination: string): Promise<void> {
    if (this.owned.has(destination)) return;
    this.owned.set(destination, new Map());
    await Promise.all(Array.from({ length: SLOTS }, (_, slot) => this.gain(destination, slot, 1)));
  }

  async gain(destination: string, slot: number, epoch: number): Promise<void> {
    await this.#take(destination, slot, epoch);
    this.owned.get(destination)?.set(slot, epoch);
    this.#listener({ destination, gained: [slot], lost: [], isServerChanged: false });
  }

  lose(destination: string, slots: readonly number[]): void {
    for (const slot of slots) this.owned.get(destination)?.delete(slot);
    this.#listener({ destination, gained: [], lost: slots, isServerChanged: false });
  }

  changeServer(destination: string): void {
    this.#listener({ destination, gained: [], lost: [], isServerChanged: true });
  }

  claimable(destination: string): ReadonlyMap<number, number> {
    return this.owned.get(destination) ?? new Map();
  }

  isOwned(destination: string, slot: number, epoch: number): boolean {
    return this.owned.get(destination)?.get(slot) === epoch;
  }

  onChange(listener: (change: LeaseChange) => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  heldSlots(slots: (destination: string) => ReadonlySet<number>): void {
    this.held = slots;
  }
}

/** The owner of a queue whose entries a test writes. */
export interface OwnerRig extends QueueRig {
  readonly owner: QueueOwner;
  readonly leases: FakeLeases;
  readonly lost: LostEvent[];
  readonly time: { monotonic: number };
  /** Claims as claimant `one`, unless said otherwise. */
  readonly claim: (limits?: Partial<ClaimLimits> & { by?: string; at?: string }) => Promise<Claim>;
  readonly claimed: (limits?: Partial<ClaimLimits> & { by?: string; at?: string }) => Promise<string[]>;
  readonly end: (receipts: readonly (string | undefined)[], end?: ClaimEnd) => Promise<void>;
}

export async function ownerRig(keys: readonly Uint8Array[] = [], connections?: number): Promise<OwnerRig> {
  const rig = await queueRig(keys, connections);
  const { engine, sql } = rig;
  const leases = new FakeLeases((destination, slot, epoch) =>
    sql(
      `INSERT INTO slots VALUES ($1, $2, $3, $4)
       ON CONFLICT (destination, slot) DO UPDATE SET owner = $3, epoch = $4`,
      [destination, slot, engine.replica, epoch],
    ),
  );
  const lost: LostEvent[] = [];
  const time = { monotonic: 0 };
  const owner = createQueueOwner(engine, leases, {
    onPayloadLost: (event) => lost.push(event),
    monotonic: () => time.monotonic,
  });
  const claim: OwnerRig['claim'] = ({ by = 'one', at = 'aep', ...limits } = {}) =>
    owner.claim(
      { id: by, destination: at },
      { sources: ['acme'], events: 1_000, replays: 1_000, bytes: 1e9, ...limits },
    );
  /** As a settlement does it: first in the database, then in memory. */
  const end: OwnerRig['end'] = async (receipts, as = { kind: 'left' }) => {
    const held = receipts.map((receipt) => owner.claims.find('one', receipt!));
    const ends = held.filter((each): each is HeldClaim => each !== undefined);
    if (ends.length < receipts.length) throw new Error('not claimed');
    if (as.kind === 'left')
      await sql('DELETE FROM queue WHERE pos = ANY ($1::bigint[])', [ends.map(({ pos }) => pos)]);
    if (as.kind === 'waiting')
      await sql('UPDATE queue SET due_at = $2 WHERE pos = ANY ($1::bigint[])', [
        ends.map(({ pos }) => pos),
        as.dueAt,
      ]);
    await owner.claims.end(ends.map((each) => ({ claim: each, end: as })));
  };
  const claimed: OwnerRig['claimed'] = async (limits) =>
    (await claim(limits)).events.map(({ receipt }) => receipt);
  return { ...rig, owner, leases, lost, time, claim, claimed, end };
}
