import type { AnswerOf, RequestOf } from './calls.ts';
import { ALL_POSITIONS, BLOCK_SQL, BLOCKS_SQL } from './filter-sql.ts';
import { ownLaneOf, placementFor } from './lanes.ts';
import { askForCustomer } from './refresh-table.ts';
import type { EventRow } from './rows.ts';
import type { Engine } from './sqlite-engine.ts';
import { HAS_BODY } from './sweep-schema.ts';

function newestDelivered({ db }: Engine, source: string, customerId: string): EventRow | undefined {
  return db.one(
    `SELECT * FROM events INDEXED BY events_customer
     WHERE ${BLOCK_SQL} IN ${BLOCKS_SQL} AND customer_id = ? AND source = ? AND state = 'delivered'
       AND ${HAS_BODY} ORDER BY seq DESC LIMIT 1`,
    ALL_POSITIONS.from,
    ALL_POSITIONS.to,
    customerId,
    source,
  ) as EventRow | undefined;
}

/** Of one customer, because a search in a large store takes some ms. */
export function askRefresh(
  engine: Engine,
  { source, customerId }: RequestOf<'askRefresh'>,
): AnswerOf<'askRefresh'> {
  const row = newestDelivered(engine, source, customerId);
  if (row === undefined) return { asked: 0 };
  // The customer may have been merged since.
  const { lane } = placementFor(engine, row.destination, ownLaneOf(row));
  askForCustomer(engine, { ...row, lane });
  return { asked: 1 };
}
