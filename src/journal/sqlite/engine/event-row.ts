import type { EventColumns } from '../../event-columns.ts';
import type { EventState } from '../../journal.ts';

/** A row of `events`. */
export interface EventRow extends EventColumns {
  readonly seq: number;
  readonly state: EventState;
  readonly head: number;
  /** 0 once the body was removed other than by a sweep; see sweep-schema.ts. */
  readonly kept: number;
  /** 1 if retention has passed the position of the event before it was done with it. */
  readonly late: number;
  /** 1 while the event is pending because of a replay. */
  readonly replay: number;
  /** See sent-requests.ts. */
  readonly sent_in: string | null;
}

/** The columns that queueing needs. Reading all columns takes longer than finding the row. */
export type QueueRow = Pick<
  EventRow,
  'seq' | 'source' | 'destination' | 'lane' | 'state' | 'head' | 'replay' | 'due_at'
>;
