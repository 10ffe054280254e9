import type { Attempt, InletRequest, RecordedAttempt } from '../../journal.ts';
import {
  parseSentIn,
  type RequestRow,
  requestRow,
  type SentIn,
  sentAttempt,
  sentInEntry,
} from '../../sent-in.ts';
import type { Database } from './database.ts';

/* The requests that delivered messages: see sent-in.ts. */

/** Rows that are remembered, so that the settlements of a request find it again. */
const MAX_REMEMBERED = 1_024;

interface StoredRequest {
  readonly row: number;
  /** What the transaction ids of its messages begin with. */
  readonly xaction: string | null;
}

export interface SentRequests {
  /** The entry in `sent_in` for a delivered message. Stores its request once. */
  entryFor(attempt: Attempt): string;
  /** The attempts that `sent_in` lists, in order. */
  attemptsOf(sentIn: string | null): readonly RecordedAttempt[];
  /** Forgets which requests are stored, after a rollback. */
  forget(): void;
}

export function createSentRequests(db: Database): SentRequests {
  const remembered = new Map<string, StoredRequest>();

  const store = (request: InletRequest, xactionId: string | undefined): StoredRequest => {
    const known = remembered.get(request.id);
    if (known !== undefined) return known;
    const { at, kind, status, xaction, duration_ms, batch_size } = requestRow(request, xactionId);
    const { lastInsertRowid } = db
      .sql(
        `INSERT INTO requests (at, kind, status, xaction, duration_ms, batch_size)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(at, kind, status, xaction, duration_ms, batch_size);
    const stored = { row: Number(lastInsertRowid), xaction };
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    remembered.set(request.id, stored);
    return stored;
  };

  const readEntry = (entry: SentIn): readonly RecordedAttempt[] => {
    const request = db.one('SELECT * FROM requests WHERE id = ?', entry.row) as RequestRow | undefined;
    return request === undefined ? [] : [sentAttempt(entry, request)];
  };

  return {
    entryFor({ request, xactionId }) {
      const { row, xaction } = store(request, xactionId);
      return sentInEntry(row, xaction, xactionId);
    },
    attemptsOf: (sentIn) => parseSentIn(sentIn).flatMap(readEntry),
    forget: () => remembered.clear(),
  };
}
