import type { ClaimLimits } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Leases } from '../fleet/leases.ts';
import { DueHeads } from './due-heads.ts';
import { EntryScan } from './entry-scan.ts';
import type { EventHolds } from './event-holds.ts';
import { loadMissing, pinClaimed, verifyHeads } from './head-reads.ts';
import type { Head } from './lane-heads.ts';
import { LaneTable } from './lane-table.ts';
import type { LostEvent } from './payload-loss.ts';

/** Scans of one claim that has nothing yet, and that has something. */
const MAX_SCANS = 8;
const MAX_FURTHER_SCANS = 2;
/**
 * As long as fewer replayed events are known, each claim looks for more: the known ones can be in
 * lanes that it keeps busy, and the answer says when the next one is due.
 */
const FEW_REPLAYED = 64;
/** How often some of the unclaimed heads are looked up, and how many. */
const VERIFY_INTERVAL_MS = 5_000;
const VERIFIED_HEADS = 2_048;

/** What the queues of all destinations share. */
export interface QueueParts {
  readonly engine: PostgresEngine;
  readonly leases: Leases;
  readonly holds: EventHolds;
  readonly onPayloadLost: (lost: LostEvent) => void;
  /** ms by a clock that is never set. */
  readonly monotonic: () => number;
}

/** Keeps the table of a destination as the queue in the database is. */
export class TableUpkeep {
  readonly table: LaneTable;
  readonly #destination: string;
  readonly #parts: QueueParts;
  readonly #scan: EntryScan;
  #mustVerify = false;
  #mustScan = false;
  #verifiedAt: number;
  #unverified: Iterator<Head> | undefined;

  constructor(destination: string, parts: QueueParts) {
    this.#destination = destination;
    this.#parts = parts;
    this.table = new LaneTable(parts.holds);
    this.#scan = new EntryScan(parts.engine, destination);
    this.#verifiedAt = parts.monotonic();
  }

  /** Whether all entries of a kind were met that were there when they were last read. */
  isComplete(isReplay: boolean): boolean {
    return this.#scan.isComplete(isReplay);
  }

  /** Entries that are heads here may have left the queue, or others may have overtaken them. */
  mustVerify(): void {
    this.#mustVerify = true;
    this.#mustScan = true;
  }

  /** Nothing that was read counts any more. */
  restart(): void {
    this.table.clear();
    this.#scan.restart();
  }

  /**
   * Brings the table to the slots that are claimable now.
   * @returns false if there are none
   */
  coverSlots(): boolean {
    const owned = this.#parts.leases.claimable(this.#destination);
    if (owned.size === 0) return false;
    const { slots } = this.table;
    // The claims in slots that are to be given back are still to be settled.
    this.table.drop(new Set([...slots.keys()].filter((slot) => !owned.has(slot))), { claims: false });
    if ([...owned.keys()].some((slot) => !slots.has(slot))) this.#scan.restart();
    for (const [slot, epoch] of owned) slots.set(slot, epoch);
    return true;
  }

  /** Reads from the queue until there are enough heads for a claim, or no more. */
  async readAhead(limits: ClaimLimits, claimed: number, now: number): Promise<void> {
    await this.#tidy();
    const live = new DueHeads(this.table, false, limits, now);
    const replayed = new DueHeads(this.table, true, limits, now);
    // One more than is claimed says when the next one is due.
    const enough = limits.events - claimed + 1;
    for (let scans = 0; ; scans += 1) {
      // As long as there are enough of the others, no replayed event is claimed.
      if (live.count >= enough && !this.#mustScan) return;
      const isFirst = scans === 0;
      const enoughReplayed = Math.min(enough, limits.replays + 1);
      const wanted = {
        live: isFirst || !this.isComplete(false),
        replayed: isFirst
          ? replayed.count < Math.max(FEW_REPLAYED, enoughReplayed)
          : replayed.count < enoughReplayed && !this.isComplete(true),
      };
      if (!wanted.live && !wanted.replayed) return;
      if (scans >= (claimed + live.count > 0 ? MAX_FURTHER_SCANS : MAX_SCANS)) return;
      this.#mustScan = false;
      await this.#scan.next(this.table.slots.keys(), wanted, (entry) => this.table.meet(entry));
      await this.#tidy();
    }
  }

  /** Reads the heads that have to be read. */
  load(): Promise<void> {
    return loadMissing(this.#parts.engine, this.#destination, this.table);
  }

  /** Reads and writes what the changes of the table are waiting for. */
  async #tidy(): Promise<void> {
    const { engine, monotonic } = this.#parts;
    if (this.#mustVerify) {
      this.#mustVerify = false;
      const heads = [...this.table.heads()].filter(({ state }) => state !== 'claimed');
      await this.#verify(heads);
    } else if (monotonic() - this.#verifiedAt >= VERIFY_INTERVAL_MS) {
      this.#verifiedAt = monotonic();
      await this.#verify(this.#someHeads());
    }
    await this.load();
    await pinClaimed(engine, this.#destination, this.table);
  }

  async #verify(heads: readonly Head[]): Promise<void> {
    try {
      await verifyHeads(this.#parts.engine, this.#destination, this.table, heads);
    } catch (error) {
      this.#mustVerify = true;
      throw error;
    }
  }

  /** Other heads each time, so that all are looked up in turn. */
  #someHeads(): Head[] {
    const heads: Head[] = [];
    this.#unverified ??= this.table.heads();
    while (heads.length < VERIFIED_HEADS) {
      const step = this.#unverified.next();
      if (step.done === true) {
        this.#unverified = undefined;
        break;
      }
      if (step.value.state !== 'claimed') heads.push(step.value);
    }
    return heads;
  }
}
