import { ArrivalRate } from '../../arrival-rate.ts';
import type { Appended, NewEvent } from '../../journal.ts';
import { assertIdentity } from '../../valid-identity.ts';
import { EventPacker, type PackedEvents } from '../engine/packed-events.ts';

/*
 * Webhooks come one by one, but a message to the storage thread, a transaction and a sync cost as
 * much for many events as for one. So while many come, an append waits a few ms for company. One
 * that comes alone waits for nobody.
 */

/** Longest wait. */
const GATHER_MS = 4;
/** Events that do not wait any longer. */
const ENOUGH_EVENTS = 32;
const ENOUGH_BYTES = 1_048_576;
/**
 * Events that do not wait any longer once an earlier call is answered: senders that wait for their
 * answers send nothing more meanwhile.
 */
const ENOUGH_AFTER_ANSWER = 6;

interface Waiting {
  readonly count: number;
  readonly resolve: (appended: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Appends events together with those of other calls. */
export type Gather = (events: readonly NewEvent[]) => Promise<readonly Appended[]>;

/** @param send one call of the storage thread */
export function createAppendGatherer(send: (packed: PackedEvents) => Promise<readonly Appended[]>): Gather {
  let waiting: Waiting[] = [];
  const packer = new EventPacker();
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  const rate = new ArrivalRate();

  const sendTogether = async (packed: PackedEvents, calls: readonly Waiting[]): Promise<void> => {
    try {
      const appended = await send(packed);
      let end = 0;
      for (const { count, resolve } of calls) {
        const start = end;
        end += count;
        resolve(appended.slice(start, end));
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
    if (packer.count >= ENOUGH_AFTER_ANSWER) flush();
  };

  const flush = (): void => {
    // One of the two is the timer; clearing the other kind does nothing.
    clearTimeout(timer as NodeJS.Timeout);
    clearImmediate(timer as NodeJS.Immediate);
    timer = undefined;
    const calls = waiting;
    waiting = [];
    void sendTogether(packer.take(), calls);
  };

  return (own) =>
    new Promise((resolve, reject) => {
      // Before anything is gathered: one that is refused must not fail the others.
      for (const { identity } of own) assertIdentity(identity);
      const mustWait = rate.add(own.length);
      for (const event of own) packer.add(event);
      waiting.push({ count: own.length, resolve, reject });
      if (packer.count >= ENOUGH_EVENTS || packer.bytes >= ENOUGH_BYTES) flush();
      else if (timer === undefined) timer = mustWait ? setTimeout(flush, GATHER_MS) : setImmediate(flush);
    });
}
