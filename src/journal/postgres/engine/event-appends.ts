import { assertIdentity } from '../../valid-identity.ts';
import type { Appended, EventQueue, NewEvent } from '../../journal.ts';
import { newReceipt } from '../../receipts.ts';
import { appendCalls } from './append-batch.ts';
import { createAppendGathering } from './append-gathering.ts';
import type { EventRow } from './append-statement.ts';
import { dayOf } from './days.ts';
import type { PostgresEngine } from './engine.ts';
import { appendMalformed, recordDifferingCopy } from './malformed-bodies.ts';
import { appendReleased } from './released-events.ts';

/** What a store accepts from outside. */
export type Appends = Pick<EventQueue, 'append' | 'appendMalformed' | 'recordDifferingCopy'>;

export interface AppendOptions {
  /** Most statements under way at the same time: the number of connections for appends. */
  readonly underWay?: number;
}

const UNDER_WAY = 2;

/** Copies the body, whose buffer the caller may use again. */
function rowOf({ cipher }: PostgresEngine, { body, ...event }: NewEvent): EventRow {
  return {
    event,
    receipt: newReceipt(),
    day: dayOf(event.createdAt),
    sealed: cipher.encrypt(body),
    bodyBytes: body.byteLength,
  };
}

export function createAppends(engine: PostgresEngine, { underWay = UNDER_WAY }: AppendOptions = {}): Appends {
  const gather = createAppendGathering<Appended>((calls, done) => appendCalls(engine, calls, done), underWay);

  const append = async (events: readonly NewEvent[]): Promise<readonly Appended[]> => {
    // Before anything is gathered: one that is refused must not fail the others.
    for (const { identity } of events) assertIdentity(identity);
    const rows = events.map((event) => rowOf(engine, event));
    if (rows.length === 0) return [];
    if (rows.some(({ event }) => event.released !== undefined)) return appendReleased(engine, rows);
    const bytes = rows.reduce((sum, { sealed }) => sum + sealed.byteLength, 0);
    return new Promise((resolve, reject) => {
      gather({ rows, bytes, resolve, reject });
    });
  };

  return {
    append,
    appendMalformed: (body) => appendMalformed(engine, body),
    recordDifferingCopy: (receipt) => recordDifferingCopy(engine, receipt),
  };
}
