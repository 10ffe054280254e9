import { type EventColumns, storedEventOf } from '../../event-columns.ts';
import type { EventState, StoredEvent } from '../../journal.ts';
import { textOf } from './stored-text.ts';

/* Rows of `events` as they are read. */

/** A value of `events.state`. */
export type StateCode = 'p' | 'd' | 'i' | 'x' | 'm';

export const STATE_CODES: Readonly<Record<EventState, StateCode>> = {
  pending: 'p',
  delivered: 'd',
  ignored: 'i',
  dead: 'x',
  malformed: 'm',
};

export const STATES = Object.fromEntries(
  Object.entries(STATE_CODES).map(([state, code]) => [code, state]),
) as Readonly<Record<StateCode, EventState>>;

export interface StoredRow extends EventColumns {
  readonly day: number;
  /** Order of acceptance. */
  readonly seq: number;
  readonly identity: Buffer | null;
  readonly state: StateCode;
  readonly is_replay: boolean;
  readonly sent_in: string | null;
}

const COLUMNS = [
  'day',
  'seq',
  'receipt',
  'source',
  'destination',
  'identity',
  'lane',
  'own_lane',
  'customer_id',
  'org_id',
  'event_name',
  'event_id',
  'created_at',
  'received_at',
  'verified_by',
  'state',
  'reason',
  'detail',
  'settled_at',
  'is_replay',
  'due_at',
  'failures',
  'charged',
  'delivered',
  'id_suffix',
  'replays',
  'body_bytes',
  'traceparent',
  'sent_in',
] as const satisfies readonly (keyof StoredRow)[];

/** SQL for the columns of StoredRow. @param alias the name of the table in the statement */
export function storedColumns(alias: string): string {
  return COLUMNS.map((column) => `${alias}.${column}`).join(', ');
}

function decoded(stored: string | null): string | null {
  return stored === null ? null : textOf(stored);
}

/** The only place of this engine where a StoredEvent is created. */
export function toStoredEvent(row: StoredRow): StoredEvent {
  const texts = {
    customer_id: decoded(row.customer_id),
    event_id: decoded(row.event_id),
    event_name: textOf(row.event_name),
    detail: decoded(row.detail),
    verified_by: textOf(row.verified_by),
    traceparent: decoded(row.traceparent),
  };
  return storedEventOf({ ...row, ...texts }, STATES[row.state], row.is_replay);
}
