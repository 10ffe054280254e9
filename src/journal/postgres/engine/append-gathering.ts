import { ArrivalRate } from '../../arrival-rate.ts';
import type { EventRow } from './append-statement.ts';

/*
 * A statement and its commit cost nearly as much for one event as for thirty. So at most a few
 * statements are under way, and what arrives meanwhile goes into the next one. While many events
 * come, a statement also waits a moment for company; an event that comes alone waits for nobody.
 */

/** Longest wait for company. */
const GATHER_MS = 3;
/** Events that do not wait any longer. */
const ENOUGH_EVENTS = 32;
/**
 * The same once an earlier statement is over: senders that wait for their answers send nothing more
 * meanwhile.
 */
const ENOUGH_AFTER_ANSWER = 6;
/** Where a statement ends, unless a single call has more. */
const MAX_EVENTS_TOGETHER = 512;
const MAX_BYTES_TOGETHER = 4_194_304;

/** The events of one call of `append`. */
export interface AppendCall<Answer> {
  readonly rows: readonly EventRow[];
  readonly bytes: number;
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes calls together and ends each of them.
 * @param done ends the place of the statement among those under way; can be called early
 */
export type WriteTogether<Answer> = (calls: readonly AppendCall<Answer>[], done: () => void) => Promise<void>;

/** @param underWay most statements at the same time */
export function createAppendGathering<Answer>(
  write: WriteTogether<Answer>,
  underWay: number,
): (call: AppendCall<Answer>) => void {
  let waiting: AppendCall<Answer>[] = [];
  let waitingEvents = 0;
  let busy = 0;
  let timer: NodeJS.Timeout | undefined;
  let soon: NodeJS.Immediate | undefined;
  const rate = new ArrivalRate();

  const takeCalls = (): AppendCall<Answer>[] => {
    let events = 0;
    let bytes = 0;
    const end = waiting.findIndex((call, index) => {
      events += call.rows.length;
      bytes += call.bytes;
      return index > 0 && (events > MAX_EVENTS_TOGETHER || bytes > MAX_BYTES_TOGETHER);
    });
    const calls = waiting;
    waiting = end === -1 ? [] : calls.splice(end);
    waitingEvents = waiting.reduce((sum, { rows }) => sum + rows.length, 0);
    return calls;
  };

  const schedule = (enough: number, mustWait: boolean): void => {
    if (waiting.length === 0 || busy >= underWay || soon !== undefined) return;
    // Not at once: what is appended in the same moment belongs into the same statement.
    if (waitingEvents >= enough || !mustWait) soon = setImmediate(flush);
    else timer ??= setTimeout(flush, GATHER_MS);
  };

  const writeNext = async (calls: readonly AppendCall<Answer>[]): Promise<void> => {
    let isUnderWay = true;
    busy += 1;
    const done = (): void => {
      if (!isUnderWay) return;
      isUnderWay = false;
      busy -= 1;
      schedule(ENOUGH_AFTER_ANSWER, true);
    };
    try {
      await write(calls, done);
    } finally {
      done();
    }
  };

  const flush = (): void => {
    clearTimeout(timer);
    clearImmediate(soon);
    timer = undefined;
    soon = undefined;
    void writeNext(takeCalls());
    // More than one statement takes.
    schedule(1, false);
  };

  return (call) => {
    const mustWait = rate.add(call.rows.length);
    waitingEvents += call.rows.length;
    waiting.push(call);
    schedule(ENOUGH_EVENTS, mustWait);
  };
}
