import type { Claim, Claimant, ClaimedEvent, ClaimLimits, Overdue } from '../../journal.ts';
import { moveLane } from '../engine/lane-aliases.ts';
import { DueHeads } from './due-heads.ts';
import { compareDue } from './head-heap.ts';
import { type HeadPayload, readHeads } from './head-payloads.ts';
import { withoutFormer } from './head-reads.ts';
import type { HeldClaim } from './held-claim.ts';
import type { Head } from './lane-heads.ts';
import type { LaneTable } from './lane-table.ts';
import { losePayload } from './payload-loss.ts';
import { type QueueParts, TableUpkeep } from './table-upkeep.ts';

/** Time until a claimant asks again while this process owns no slot. */
const WITHOUT_SLOTS_MS = 250;
/** A claim looks again after entries turned out to have left, or to be damaged, so many times. */
const MAX_ROUNDS = 8;

/** An event that was claimed and read. */
export interface ReadClaim {
  readonly head: Head;
  readonly event: ClaimedEvent;
  readonly claim: HeldClaim;
}

/** The queue of one destination, as far as this process owns its slots. */
export class DestinationQueue {
  readonly destination: string;
  readonly table: LaneTable;
  readonly upkeep: TableUpkeep;
  readonly #parts: QueueParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(destination: string, parts: QueueParts) {
    this.destination = destination;
    this.#parts = parts;
    this.upkeep = new TableUpkeep(destination, parts);
    this.table = this.upkeep.table;
  }

  /**
   * Claims are made one after the other, so that each sees what the one before has read.
   * @param hold is called with what is returned, while the slots are known to be owned
   */
  claim(claimant: Claimant, limits: ClaimLimits, hold: (held: ReadClaim) => void): Promise<Claim> {
    return this.#inTurn(() => this.#claim(claimant.id, limits, hold));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #claim(token: string, limits: ClaimLimits, hold: (held: ReadClaim) => void): Promise<Claim> {
    if (!this.upkeep.coverSlots()) return { token, events: [], dueIn: WITHOUT_SLOTS_MS };
    const claimed: ReadClaim[] = [];
    let dueIn: number | undefined;
    const { engine, leases } = this.#parts;
    try {
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const now = engine.now();
        await this.upkeep.readAhead(limits, claimed.length, now);
        const chosen = this.#choose(limits, claimed, now);
        ({ dueIn } = chosen);
        const isComplete = await this.#read(token, chosen.heads, claimed);
        if (isComplete) break;
      }
    } catch (error) {
      for (const { head } of claimed) this.table.release(head);
      throw error;
    }
    const held = claimed.filter(({ head, claim }) => {
      const isHeld = head.state === 'claimed' && leases.isOwned(this.destination, head.slot, claim.epoch);
      if (!isHeld) this.table.release(head);
      return isHeld;
    });
    held.sort((a, b) => Number(a.head.isReplay) - Number(b.head.isReplay) || compareDue(a.head, b.head));
    for (const each of held) hold(each);
    const replayDueIn = this.#dueIn(limits, true, engine.now());
    return {
      token,
      events: held.map(({ event }) => event),
      ...(dueIn === undefined ? {} : { dueIn }),
      ...(replayDueIn === undefined ? {} : { replayDueIn }),
    };
  }

  /** When the next event of a kind is due; at once if more have yet to be read. */
  #dueIn(limits: ClaimLimits, isReplay: boolean, now: number): number | undefined {
    return this.upkeep.isComplete(isReplay) ? new DueHeads(this.table, isReplay, limits, now).dueIn : 0;
  }

  /**
   * Claims heads in memory.
   * @returns them, and when the next one is due that is not a replay, also if a replay that was
   *   chosen keeps its lane busy
   */
  #choose(
    limits: ClaimLimits,
    claimed: readonly ReadClaim[],
    now: number,
  ): { readonly heads: readonly Head[]; readonly dueIn: number | undefined } {
    const bytes = claimed.reduce((sum, { event }) => sum + event.body.byteLength, 0);
    const replays = claimed.filter(({ head }) => head.isReplay).length;
    const chosen = { events: claimed.length, bytes };
    const live = new DueHeads(this.table, false, limits, now);
    const heads = live.claim(limits.events, chosen);
    const dueIn = this.#dueIn(limits, false, now);
    if (dueIn === 0) return { heads, dueIn };
    const max = Math.min(limits.events, chosen.events + limits.replays - replays);
    return { heads: [...heads, ...new DueHeads(this.table, true, limits, now).claim(max, chosen)], dueIn };
  }

  /** @returns whether all of the chosen heads could be claimed */
  async #read(token: string, chosen: readonly Head[], claimed: ReadClaim[]): Promise<boolean> {
    if (chosen.length === 0) return true;
    const epochs = new Map(this.table.slots);
    let heads = chosen;
    let isComplete = true;
    try {
      // What has not been read yet can have an older event of the lane, which was queued again.
      if (heads.some(({ isReplay }) => !this.upkeep.isComplete(isReplay))) {
        heads = await withoutFormer(this.#parts.engine, this.destination, this.table, chosen);
        isComplete = heads.length === chosen.length;
      }
      if (heads.length === 0) return isComplete;
      const payloads = await readHeads(this.#parts.engine, this.destination, heads);
      for (const [index, head] of heads.entries()) {
        const payload = payloads[index] as HeadPayload;
        const epoch = epochs.get(head.slot) as number;
        if (payload.kind === 'event') claimed.push(this.#claimOf(token, head, epoch, payload));
        else {
          isComplete = false;
          await this.#passOver(head, epoch, payload);
        }
      }
    } catch (error) {
      for (const head of heads) this.table.release(head);
      throw error;
    }
    return isComplete;
  }

  #claimOf(
    token: string,
    head: Head,
    epoch: number,
    { event, day }: Extract<HeadPayload, { readonly kind: 'event' }>,
  ): ReadClaim {
    const { source, isReplay, stream, pos, seq, laneKey } = head;
    const lane = head.lane?.name ?? null;
    const { destination } = this;
    const { receipt } = event;
    const held = {
      token,
      receipt,
      destination,
      source,
      isReplay,
      stream,
      pos,
      seq,
      day,
      lane,
      laneKey,
      epoch,
    };
    return { head, event, claim: held };
  }

  /** Deals with a head whose event cannot be claimed. */
  async #passOver(
    head: Head,
    epoch: number,
    payload: Exclude<HeadPayload, { readonly kind: 'event' }>,
  ): Promise<void> {
    const { engine, onPayloadLost } = this.#parts;
    if (payload.kind === 'key-unknown') {
      this.table.suspend(head);
      const what = 'the payload of a pending event or the state of its customer';
      engine.reportUnreadable(what, 'key-unknown', payload.receipt);
      return;
    }
    if (payload.kind === 'lost') {
      const lost = await losePayload(engine, this.destination, { head, epoch }, payload.lost);
      if (lost !== undefined) onPayloadLost(lost);
    }
    if (payload.kind === 'aliased') {
      const { lane, target } = payload;
      await engine.sessions.transaction('work', (session) =>
        moveLane(session, this.destination, lane, target),
      );
    }
    this.table.leave(head);
  }

  /** Whether something waits for the lane that this claimed head keeps busy. */
  hasWaiting(head: Head): boolean {
    return this.table.hasOther(head);
  }

  /** For each source: ms since which the oldest event has been due that could be claimed. */
  overdue(): Promise<readonly Overdue[]> {
    return this.#inTurn(async () => {
      if (!this.upkeep.coverSlots()) return [];
      const now = this.#parts.engine.now();
      const { destination, table } = this;
      const limits = { sources: [], events: 0, replays: 0, bytes: 0 };
      await this.upkeep.readAhead(limits, 0, now);
      return [...table.sources(false)].flatMap((source) => {
        const { first } = new DueHeads(table, false, { ...limits, sources: [source] }, now);
        return first === undefined || first.dueAt > now
          ? []
          : [{ source, destination, since: now - first.dueAt }];
      });
    });
  }
}
