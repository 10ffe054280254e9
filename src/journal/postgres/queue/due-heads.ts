import type { ClaimLimits } from '../../journal.ts';
import { compareDue, type SourceHeads } from './head-heap.ts';
import type { Head } from './lane-heads.ts';
import type { LaneTable } from './lane-table.ts';

/** Events and bytes of a claim so far. */
export interface Chosen {
  events: number;
  bytes: number;
}

/** The heads of one kind and of some sources, at one time of the engine's clock. */
export class DueHeads {
  readonly #table: LaneTable;
  readonly #isReplay: boolean;
  readonly #limits: ClaimLimits;
  readonly #now: number;

  constructor(table: LaneTable, isReplay: boolean, limits: ClaimLimits, now: number) {
    this.#table = table;
    this.#isReplay = isReplay;
    this.#limits = limits;
    this.#now = now;
  }

  #heads(): readonly SourceHeads<Head>[] {
    const { sources, maxWait } = this.#limits;
    const heads = this.#table.ofSources(this.#isReplay, sources);
    for (const of of heads) of.tell(this.#now, maxWait === undefined ? undefined : this.#now + maxWait);
    return heads;
  }

  get count(): number {
    return this.#heads().reduce((sum, { dueCount }) => sum + dueCount, 0);
  }

  get first(): Head | undefined {
    return firstOf(this.#heads());
  }

  /** ms until the first one is due; undefined without any. */
  get dueIn(): number | undefined {
    const { first } = this;
    return first === undefined ? undefined : Math.max(0, first.dueAt - this.#now);
  }

  /** Claims those that are due, in order, until the claim has `limit` events in all. */
  claim(limit: number, chosen: Chosen): Head[] {
    const all = this.#heads();
    const claimed: Head[] = [];
    for (;;) {
      const head = firstOf(all);
      if (head === undefined || head.dueAt > this.#now || chosen.events >= limit) return claimed;
      if (chosen.events > 0 && chosen.bytes + head.bodyBytes > this.#limits.bytes) return claimed;
      this.#table.claim(head);
      claimed.push(head);
      chosen.events += 1;
      chosen.bytes += head.bodyBytes;
    }
  }
}

function firstOf(all: readonly SourceHeads<Head>[]): Head | undefined {
  let best: Head | undefined;
  for (const { first } of all)
    if (first !== undefined && (best === undefined || compareDue(first, best) < 0)) best = first;
  return best;
}
