import { isReceipt } from '../../receipts.ts';
import type { Session, Statement } from '../sessions/session.ts';

/** OFFSET 0: each row is looked up by its key, whatever the server knows of the tables. */
const LOCATE: Statement = {
  name: 'landing_locate',
  text: `SELECT e.receipt, e.day FROM unnest($1::uuid[]) AS i (receipt)
    CROSS JOIN LATERAL (SELECT receipt, day FROM events WHERE receipt = i.receipt OFFSET 0) AS e`,
};

/** The key of an event. */
export interface LocatedEvent {
  readonly receipt: string;
  readonly day: number;
}

/** Where the events of these receipts are, each once; what is no receipt is omitted. */
export async function locateEvents(
  session: Pick<Session, 'query'>,
  receipts: Iterable<string>,
): Promise<readonly LocatedEvent[]> {
  const possible = [...new Set(receipts)].filter(isReceipt);
  return possible.length === 0 ? [] : session.query<LocatedEvent>(LOCATE, [possible]);
}
