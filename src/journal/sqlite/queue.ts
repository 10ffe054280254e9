import { CLASS_OF, type NumberedCall } from './protocol.ts';
import { weightOf } from './weight.ts';

/** Bounds of one batch: what one transaction, one fsync and one message back carry. */
const MAX_CALLS = 1_000;
const MAX_BYTES = 16 * 1_024 * 1_024;
/** Calls of a batch that are not intake: a webhook waits for a few ms of other work, not for the outcomes of a thousand events. */
const MAX_OTHERS = 64;

/** Calls that wait for the storage thread to turn to them. */
export interface CallQueue {
  readonly isEmpty: boolean;
  push(calls: readonly NumberedCall[]): void;
  /** Takes the next batch: intake before the rest, of which each batch has a part; within both, calls keep their order. */
  next(): readonly NumberedCall[];
}

/** How many of the first calls fit into so many calls and bytes; one at least. */
const fitting = (calls: readonly NumberedCall[], most: number): number => {
  let bytes = 0;
  for (const [at, { request }] of calls.slice(0, most).entries()) {
    bytes += weightOf(request);
    if (at > 0 && bytes > MAX_BYTES) return at;
  }
  return Math.min(calls.length, most);
};

export const createCallQueue = (): CallQueue => {
  const intake: NumberedCall[] = [];
  const others: NumberedCall[] = [];
  return {
    get isEmpty() {
      return intake.length + others.length === 0;
    },
    push(calls) {
      for (const call of calls) (CLASS_OF[call.name] === 'intake' ? intake : others).push(call);
    },
    next: () => [
      ...intake.splice(0, fitting(intake, MAX_CALLS)),
      ...others.splice(0, fitting(others, MAX_OTHERS)),
    ],
  };
};
