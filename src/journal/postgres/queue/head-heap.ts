/** What a heap orders. */
export interface Heaped {
  /** Epoch ms by the engine's clock. */
  dueAt: number;
  readonly seq: number;
  /** The heap that it is in, and its place there; only heaps write them. */
  heap: Removing | undefined;
  heapIndex: number;
}

interface Removing {
  remove(item: Heaped): void;
}

/** Negative if `a` is claimed before `b`. */
export function compareDue(a: Heaped, b: Heaped): number {
  return a.dueAt - b.dueAt || a.seq - b.seq;
}

/** A binary heap with the item on top that is due first. */
class HeadHeap<Item extends Heaped> implements Removing {
  readonly items: Item[] = [];

  add(item: Item): void {
    item.heap = this;
    item.heapIndex = this.items.length;
    this.items.push(item);
    this.#rise(item);
  }

  remove(item: Heaped): void {
    const { heapIndex } = item;
    const last = this.items.pop() as Item;
    item.heap = undefined;
    if (last === item) return;
    last.heapIndex = heapIndex;
    this.items[heapIndex] = last;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: Item): void {
    let index = item.heapIndex;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.items[above] as Item;
      if (compareDue(parent, item) <= 0) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(item, index);
  }

  #sink(item: Item): void {
    let index = item.heapIndex;
    for (;;) {
      let below = 2 * index + 1;
      let child = this.items[below];
      const other = this.items[below + 1];
      if (child === undefined) break;
      if (other !== undefined && compareDue(other, child) < 0) {
        child = other;
        below += 1;
      }
      if (compareDue(item, child) <= 0) break;
      this.#put(child, index);
      index = below;
    }
    this.#put(item, index);
  }

  #put(item: Item, index: number): void {
    item.heapIndex = index;
    this.items[index] = item;
  }
}

/** The heads of one source that can be claimed now or later. */
export class SourceHeads<Item extends Heaped> {
  readonly #due = new HeadHeap<Item>();
  readonly #waiting = new HeadHeap<Item>();
  /** Nothing waits for a later time. */
  #latest = Number.NEGATIVE_INFINITY;
  #now = Number.NEGATIVE_INFINITY;

  /** How many were due when the time was set. */
  get dueCount(): number {
    return this.#due.items.length;
  }

  /** The one that is due first. */
  get first(): Item | undefined {
    return this.#due.items[0] ?? this.#waiting.items[0];
  }

  /** Adds an item that is in no heap. */
  add(item: Item): void {
    if (item.dueAt <= this.#now) {
      this.#due.add(item);
      return;
    }
    this.#latest = Math.max(this.#latest, item.dueAt);
    this.#waiting.add(item);
  }

  /**
   * Tells the time. What is due after `last` was scheduled before the clock was set back, so it is
   * due now.
   */
  tell(now: number, last = Number.POSITIVE_INFINITY): void {
    const isBack = now < this.#now;
    this.#now = now;
    if (isBack) for (const item of this.#due.items.filter(({ dueAt }) => dueAt > now)) this.#move(item);
    for (;;) {
      const item = this.#waiting.items[0];
      if (item === undefined || item.dueAt > now) break;
      this.#move(item);
    }
    if (this.#latest <= last) return;
    for (const item of this.#waiting.items.filter(({ dueAt }) => dueAt > last)) {
      this.#move(item, now);
    }
    this.#latest = this.#waiting.items.reduce((latest, { dueAt }) => Math.max(latest, dueAt), now);
  }

  #move(item: Item, dueAt = item.dueAt): void {
    item.heap?.remove(item);
    item.dueAt = dueAt;
    this.add(item);
  }
}
