import type { EventState } from '../../journal.ts';

/** A row of `events`. */
export interface EventRow {
  readonly seq: number;
  readonly receipt: string;
  readonly source: string;
  readonly destination: string;
  readonly identity: Uint8Array | null;
  readonly lane: string | null;
  readonly customer_id: string | null;
  readonly org_id: number;
  readonly event_name: string;
  readonly event_id: string | null;
  readonly created_at: number | null;
  readonly received_at: number;
  readonly verified_by: string;
  readonly state: EventState;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly settled_at: number | null;
  readonly head: number;
  readonly due_at: number;
  readonly failures: number;
  readonly charged: number;
  readonly delivered: number;
  readonly id_suffix: string;
  readonly replays: number;
  readonly body_bytes: number;
  /** 0 once the body was removed other than by a sweep; see sweep-schema.ts. */
  readonly kept: number;
  /** 1 if retention has passed the position of the event before it was done with it. */
  readonly late: number;
  /** 1 while the event is pending because of a replay. */
  readonly replay: number;
  /** The original lane, if an alias maps it to `lane`. */
  readonly own_lane: string | null;
  readonly traceparent: string | null;
  /** See sent-requests.ts. */
  readonly sent_in: string | null;
}

/** The columns that queueing needs. Reading all columns takes longer than finding the row. */
export type QueueRow = Pick<
  EventRow,
  'seq' | 'source' | 'destination' | 'lane' | 'state' | 'head' | 'replay' | 'due_at'
>;
