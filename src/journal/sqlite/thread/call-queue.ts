import { CLASS_OF } from '../engine/calls.ts';
import type { NumberedCall } from './protocol.ts';

/** Bounds of one batch, which is one transaction, one fsync and one message back. */
const MAX_BATCH_CALLS = 1_000;
const MAX_BATCH_BYTES = 16 * 1_024 * 1_024;
/**
 * Settlements and other calls in one batch. A webhook that arrives now waits some ms for them, not
 * for the settlements of a thousand events.
 */
const MAX_OTHER_CALLS = 64;
/** The same while webhooks are waiting. */
const MAX_OTHER_CALLS_WITH_INTAKE = 16;

/** Approximate size of a call without its payloads. */
const CALL_OVERHEAD_BYTES = 512;

/** Calls that wait for the storage thread. */
export interface CallQueue {
  readonly isEmpty: boolean;
  push(calls: readonly NumberedCall[]): void;
  /**
   * Removes the next batch: intake first, then claims, so that delivery does not wait for earlier
   * settlements to get its next events, then a limited number of all others. Operators' calls, each
   * of which waits for the disk, form batches of their own, in turn with the others. Calls of the
   * same kind keep their order.
   */
  next(): readonly NumberedCall[];
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + bytesOf(part), 8);
}

/**
 * Moves up to `max` calls from the head of a queue to a batch while they fit; one may be larger.
 */
function move(queue: NumberedCall[], max: number, batch: { calls: NumberedCall[]; bytes: number }): void {
  let count = 0;
  for (const { request } of queue) {
    const bytes = batch.bytes + CALL_OVERHEAD_BYTES + bytesOf(request);
    if (count === max || (batch.calls.length + count > 0 && bytes > MAX_BATCH_BYTES)) break;
    batch.bytes = bytes;
    count += 1;
  }
  batch.calls.push(...queue.splice(0, count));
}

export function createCallQueue(): CallQueue {
  const intake: NumberedCall[] = [];
  const claims: NumberedCall[] = [];
  const others: NumberedCall[] = [];
  const operators: NumberedCall[] = [];
  let isOperatorsTurn = false;
  const queueFor = ({ name }: NumberedCall): NumberedCall[] => {
    if (name === 'claim') return claims;
    const callClass = CLASS_OF[name];
    if (callClass === 'operator') return operators;
    return callClass === 'intake' ? intake : others;
  };
  return {
    get isEmpty() {
      return intake.length + claims.length + others.length + operators.length === 0;
    },
    push(calls) {
      for (const call of calls) queueFor(call).push(call);
    },
    next() {
      const isOnlyOperators = intake.length + claims.length + others.length === 0;
      isOperatorsTurn = operators.length > 0 && (isOnlyOperators || !isOperatorsTurn);
      const batch = { calls: [], bytes: 0 };
      if (isOperatorsTurn) {
        move(operators, MAX_OTHER_CALLS_WITH_INTAKE, batch);
        return batch.calls;
      }
      const maxOthers = intake.length > 0 ? MAX_OTHER_CALLS_WITH_INTAKE : MAX_OTHER_CALLS;
      move(intake, MAX_BATCH_CALLS, batch);
      move(claims, MAX_OTHER_CALLS, batch);
      move(others, maxOthers, batch);
      return batch.calls;
    },
  };
}
