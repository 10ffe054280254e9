import type { BillEntity } from '../entities.ts';
import { idText } from '../identifiers.ts';
import { billIn } from './bill-answer.ts';
import type { CapillaryClient } from './capillary-client.ts';
import { type ReadAnswer, readOnce } from './read-answer.ts';

/** What the API distinguishes; a bill is found by its own type only. */
export type BillReadType = 'REGULAR' | 'RETURN' | 'NOT_INTERESTED' | 'NOT_INTERESTED_RETURN';

const TYPES: ReadonlyMap<string, BillReadType> = new Map([
  ['REGULAR', 'REGULAR'],
  ['MIXED', 'REGULAR'],
  ['RETURN', 'RETURN'],
  ['NOT_INTERESTED', 'NOT_INTERESTED'],
  ['NI_MIXED', 'NOT_INTERESTED'],
  ['NOT_INTERESTED_RETURN', 'NOT_INTERESTED_RETURN'],
]);

/**
 * The type under which a bill is read. That exchanges (`MIXED`), which the API has no type of, are
 * among the regular ones is not documented.
 * @param billType of the event; an unknown or missing one is taken for a regular bill
 */
export function billReadType(billType: string | undefined): BillReadType {
  return TYPES.get(billType?.trim().toUpperCase() ?? '') ?? 'REGULAR';
}

/**
 * Reads a bill with its lines, tenders and points. A fresh one can be `transaction-unknown` or
 * `busy` for some time.
 */
export function readBill(
  client: Pick<CapillaryClient, 'get'>,
  transactionId: string,
  type: BillReadType,
  { serverZone }: { readonly serverZone: string },
  signal: AbortSignal,
): Promise<ReadAnswer<BillEntity>> {
  return readOnce<BillEntity>(client, {
    path: '/v2/transactions/{id}',
    id: transactionId,
    query: { type, tenders: true, mlp: true, points_breakup: true },
    signal,
    read: (body) => {
      const id = idText(body['id']);
      if (id !== undefined && id !== transactionId) return { lacks: 'about another bill' };
      const bill = billIn(body, transactionId, serverZone);
      return bill === undefined ? { lacks: 'without a bill' } : { value: bill };
    },
  });
}
