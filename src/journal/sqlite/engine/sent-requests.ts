import type { Attempt, InletRequest, MessageKind, RecordedAttempt } from '../../journal.ts';
import type { Database } from './database.ts';

/*
 * The requests that delivered messages. An event lists them in `events.sent_in`: `12:3 15:0` says
 * that its messages were delivered by the requests of rows 12 and 15, whose transaction ids, with
 * `:3` and `:0` at their end, are those of the messages. `12=abc` has a whole transaction id of its
 * own, and `12` has none.
 */

/** Rows that are remembered, so that the settlements of a request find it again. */
const MAX_REMEMBERED = 1_024;

interface StoredRequest {
  readonly row: number;
  /** What the transaction ids of its messages begin with. */
  readonly xaction: string | undefined;
}

interface RequestRow {
  readonly at: number;
  readonly kind: MessageKind;
  readonly status: number | null;
  readonly xaction: string | null;
  readonly duration_ms: number;
  readonly batch_size: number;
}

export interface SentRequests {
  /** The entry in `sent_in` for a delivered message. Stores its request once. */
  entryFor(attempt: Attempt): string;
  /** The attempts that `sent_in` lists, in order. */
  attemptsOf(sentIn: string | null): readonly RecordedAttempt[];
  /** Forgets which requests are stored, after a rollback. */
  forget(): void;
}

/** The part of a transaction id that all messages of a request share, and the rest. */
function splitXaction(xactionId: string): readonly [string, string] {
  const end = xactionId.lastIndexOf(':');
  return end < 0 ? [xactionId, ''] : [xactionId.slice(0, end), xactionId.slice(end)];
}

function toAttempt(request: RequestRow, xactionId: string | undefined): RecordedAttempt {
  return {
    at: request.at,
    kind: request.kind,
    outcome: 'delivered',
    status: request.status ?? undefined,
    detail: undefined,
    xactionId,
    durationMs: request.duration_ms,
    batchSize: request.batch_size,
  };
}

export function createSentRequests(db: Database): SentRequests {
  const remembered = new Map<string, StoredRequest>();

  const store = (request: InletRequest, xactionId: string | undefined): StoredRequest => {
    const known = remembered.get(request.id);
    if (known !== undefined) return known;
    const xaction = xactionId === undefined ? undefined : splitXaction(xactionId)[0];
    const { lastInsertRowid } = db
      .sql(
        `INSERT INTO requests (at, kind, status, xaction, duration_ms, batch_size)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        request.at,
        request.kind,
        request.status ?? null,
        xaction ?? null,
        request.durationMs,
        request.batchSize,
      );
    const stored = { row: Number(lastInsertRowid), xaction };
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    remembered.set(request.id, stored);
    return stored;
  };

  const readEntry = (entry: string): readonly RecordedAttempt[] => {
    const [, row = '', mark, rest = ''] = /^(\d+)(?:([:=])(.*))?$/u.exec(entry) ?? [];
    const request = db.one('SELECT * FROM requests WHERE id = ?', Number(row)) as RequestRow | undefined;
    if (request === undefined) return [];
    if (mark === undefined) return [toAttempt(request, undefined)];
    return [toAttempt(request, mark === '=' ? rest : `${request.xaction ?? ''}:${rest}`)];
  };

  return {
    entryFor({ request, xactionId }) {
      const { row, xaction } = store(request, xactionId);
      if (xactionId === undefined) return String(row);
      const [shared, rest] = splitXaction(xactionId);
      // An id with a blank would end the entry; Adobe's have none.
      if (shared === xaction && rest !== '' && !rest.includes(' ')) return `${row}${rest}`;
      return `${row}=${xactionId.replaceAll(' ', '')}`;
    },
    attemptsOf: (sentIn) => (sentIn === null ? [] : sentIn.split(' ').flatMap(readEntry)),
    forget: () => remembered.clear(),
  };
}
