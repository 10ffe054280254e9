import type { RecordedAttempt } from './event-log.ts';
import type { Attempt, InletRequest } from './settlement.ts';
import type { MessageKind } from './stored-event.ts';

/*
 * The requests that delivered messages. An event lists them in `events.sent_in`: `12:3 15:0` says
 * that its messages were delivered by the requests of rows 12 and 15, whose transaction ids, with
 * `:3` and `:0` at their end, are those of the messages. `12=abc` has a whole transaction id of its
 * own, and `12` has none.
 */

/** A row of `requests`. */
export interface RequestRow {
  readonly at: number;
  readonly kind: MessageKind;
  readonly status: number | null;
  /** What the transaction ids of its messages begin with. */
  readonly xaction: string | null;
  readonly duration_ms: number;
  readonly batch_size: number;
}

/** The outcome of an attempt whose request is all there is to know about it. */
export const DELIVERED = 'delivered';

/** Characters of an error text that are stored with an attempt. */
export const MAX_DETAIL_LENGTH = 2_048;

/** The part of a transaction id that all messages of a request share, and the rest. */
function splitXaction(xactionId: string): readonly [string, string] {
  const end = xactionId.lastIndexOf(':');
  return end < 0 ? [xactionId, ''] : [xactionId.slice(0, end), xactionId.slice(end)];
}

/** @param xactionId of the first of its messages that was delivered */
export function requestRow(request: InletRequest, xactionId: string | undefined): RequestRow {
  return {
    at: request.at,
    kind: request.kind,
    status: request.status ?? null,
    xaction: xactionId === undefined ? null : splitXaction(xactionId)[0],
    duration_ms: request.durationMs,
    batch_size: request.batchSize,
  };
}

/**
 * The entry in `sent_in` for a message that the request of a row has delivered.
 * @param xaction as stored with the request
 */
export function sentInEntry(row: number, xaction: string | null, xactionId: string | undefined): string {
  if (xactionId === undefined) return String(row);
  const [shared, rest] = splitXaction(xactionId);
  // An id with a blank would end the entry; Adobe's have none.
  if (shared === xaction && rest !== '' && !rest.includes(' ')) return `${row}${rest}`;
  return `${row}=${xactionId.replaceAll(' ', '')}`;
}

/** An entry of `sent_in`: its row, and the transaction id for what the row has of it. */
export interface SentIn {
  readonly row: number;
  readonly xactionId: (request: RequestRow) => string | undefined;
}

function parseEntry(entry: string): SentIn {
  const [, row = '', mark, rest = ''] = /^(\d+)(?:([:=])(.*))?$/u.exec(entry) ?? [];
  return {
    row: Number(row),
    xactionId: ({ xaction }) => {
      if (mark === undefined) return undefined;
      return mark === '=' ? rest : `${xaction ?? ''}:${rest}`;
    },
  };
}

/** The entries of `sent_in`, in order. */
export function parseSentIn(sentIn: string | null): readonly SentIn[] {
  return sentIn === null ? [] : sentIn.split(' ').map(parseEntry);
}

/** The attempt that an entry stands for. */
export function sentAttempt({ xactionId }: SentIn, request: RequestRow): RecordedAttempt {
  return {
    at: request.at,
    kind: request.kind,
    outcome: DELIVERED,
    status: request.status ?? undefined,
    detail: undefined,
    xactionId: xactionId(request),
    durationMs: request.duration_ms,
    batchSize: request.batch_size,
  };
}

/** A row of `attempts`. */
export interface AttemptRow {
  readonly at: number;
  readonly kind: MessageKind;
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string | null;
  readonly xaction_id: string | null;
  readonly duration_ms: number;
  readonly batch_size: number;
}

/** How an attempt that did not deliver its message is stored. */
export function attemptRow({ request, outcome, itemStatus, detail, xactionId }: Attempt): AttemptRow {
  return {
    at: request.at,
    kind: request.kind,
    outcome,
    status: itemStatus ?? request.status ?? null,
    detail: detail?.slice(0, MAX_DETAIL_LENGTH) ?? null,
    xaction_id: xactionId ?? null,
    duration_ms: request.durationMs,
    batch_size: request.batchSize,
  };
}

/** An attempt that did not deliver its message. */
export function failedAttempt(row: AttemptRow): RecordedAttempt {
  return {
    at: row.at,
    kind: row.kind,
    outcome: row.outcome,
    status: row.status ?? undefined,
    detail: row.detail ?? undefined,
    xactionId: row.xaction_id ?? undefined,
    durationMs: row.duration_ms,
    batchSize: row.batch_size,
  };
}

/** All attempts of an event, by their time. */
export function inOrderOfTime(
  failed: readonly RecordedAttempt[],
  delivered: readonly RecordedAttempt[],
): readonly RecordedAttempt[] {
  return [...failed, ...delivered].toSorted((a, b) => a.at - b.at);
}
