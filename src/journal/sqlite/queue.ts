import { CLASS_OF, type NumberedCall } from './protocol.ts';
import { weightOf } from './weight.ts';

/** Bounds of one batch: what one transaction, one fsync and one message back carry. */
const MAX_CALLS = 1_000;
const MAX_BYTES = 16 * 1_024 * 1_024;
/** Outcomes and other calls in one batch: a webhook that comes now waits for some ms of them, not for the outcomes of a thousand events. */
const MAX_OTHERS = 64;
/** The same where webhooks wait already. */
const MAX_OTHERS_BESIDE_INTAKE = 16;

/** Calls that wait for the storage thread to turn to them. */
export interface CallQueue {
  readonly isEmpty: boolean;
  push(calls: readonly NumberedCall[]): void;
  /**
   * Takes the next batch: intake, then claims, so that delivery is not kept from its next events by the outcomes of the last, then a part of
   * the rest. Within each, calls keep their order.
   */
  next(): readonly NumberedCall[];
}

/** Moves calls from the head of a queue to a batch: so many at most, and as many bytes as a batch may have; one call may be larger. */
function move(queue: NumberedCall[], most: number, batch: { calls: NumberedCall[]; bytes: number }): void {
  let count = 0;
  for (const { request } of queue) {
    const bytes = batch.bytes + weightOf(request);
    if (count === most || (batch.calls.length + count > 0 && bytes > MAX_BYTES)) break;
    batch.bytes = bytes;
    count += 1;
  }
  batch.calls.push(...queue.splice(0, count));
}

export function createCallQueue(): CallQueue {
  const intake: NumberedCall[] = [];
  const claims: NumberedCall[] = [];
  const others: NumberedCall[] = [];
  const queueOf = ({ name }: NumberedCall): NumberedCall[] => {
    if (name === 'claim') return claims;
    return CLASS_OF[name] === 'intake' ? intake : others;
  };
  return {
    get isEmpty() {
      return intake.length + claims.length + others.length === 0;
    },
    push(calls) {
      for (const call of calls) queueOf(call).push(call);
    },
    next() {
      const most = intake.length > 0 ? MAX_OTHERS_BESIDE_INTAKE : MAX_OTHERS;
      const batch = { calls: [], bytes: 0 };
      move(intake, MAX_CALLS, batch);
      move(claims, MAX_OTHERS, batch);
      move(others, most, batch);
      return batch.calls;
    },
  };
}
