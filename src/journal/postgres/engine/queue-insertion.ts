/** What an entry of the queue has besides the columns of its event, as SQL. */
export interface QueuedAs {
  /** Default: the event's column. */
  readonly destination?: string;
  readonly isReplay: string;
  readonly position: string;
  readonly dueAt: string;
}

/**
 * Adds an entry for each event of a relation to the queue; `$1` is the stream of the connection.
 * @param from the relation, with the columns of `events` that the queue has too
 */
export function addToQueueSql(
  from: string,
  { destination = 'destination', isReplay, position, dueAt }: QueuedAs,
): string {
  return `INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
        received_at, body_bytes, due_at)
      SELECT ${destination}, ${isReplay}, $1, ${position}, seq, day, receipt, source, lane, lane_key,
        received_at, body_bytes, ${dueAt} FROM ${from}`;
}
