import type { StageClock } from '../../src/enrichment/stage-clock.ts';

/** A clock whose days pass as fast as their timers can run. */
export interface VirtualClock extends StageClock {
  /** Runs all timers up to this time (monotonic ms), or until `isOver`. */
  runUntil(time: number, isOver?: () => boolean): Promise<void>;
}

interface Timer {
  readonly at: number;
  /** Timers of one moment run in the order in which they were set. */
  readonly serial: number;
  run: (() => void) | undefined;
}

/** Waits until every promise has settled that can: unlike setImmediate it makes no system call. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve));
  });
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}

/** A binary heap: there are millions of timers, most of which are cancelled. */
function createTimerHeap() {
  const heap: Timer[] = [];
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b] as Timer, heap[a] as Timer];
  };
  const isEarlier = (a: number, b: number): boolean => isBefore(heap[a] as Timer, heap[b] as Timer);
  return {
    first: () => heap[0],
    push(timer: Timer): void {
      heap.push(timer);
      for (let index = heap.length - 1; index > 0; ) {
        const parent = (index - 1) >> 1;
        if (!isEarlier(index, parent)) return;
        swap(index, parent);
        index = parent;
      }
    },
    pop(): void {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      heap[0] = last;
      for (let index = 0; ; ) {
        const left = 2 * index + 1;
        const right = left + 1;
        let least = index;
        if (left < heap.length && isEarlier(left, least)) least = left;
        if (right < heap.length && isEarlier(right, least)) least = right;
        if (least === index) return;
        swap(index, least);
        index = least;
      }
    },
  };
}

/** @param epoch ms at which its time is 0 */
export function createVirtualClock(epoch: number): VirtualClock {
  const heap = createTimerHeap();
  let time = 0;
  let serial = 0;
  return {
    now: () => epoch + time,
    monotonic: () => time,
    after(ms, run) {
      serial += 1;
      const timer: Timer = { at: time + Math.max(0, ms), serial, run };
      heap.push(timer);
      return () => {
        timer.run = undefined;
      };
    },
    async runUntil(until, isOver = () => false) {
      for (let timer = heap.first(); timer !== undefined && timer.at <= until; timer = heap.first()) {
        heap.pop();
        const { run } = timer;
        if (run === undefined) continue;
        time = timer.at;
        run();
        // What follows from it happens at this moment too.
        await settled();
        if (isOver()) return;
      }
      time = until;
    },
  };
}
