import type { EventFilter, Journal } from '../../journal/journal.ts';
import { VERIFIED_BY_RECONCILE } from '../../sources/logged-request.ts';

/** Older dead letters are not compared. */
const MAX_COMPARED = 500;

/**
 * Receipts of the dead letters with these payloads that were taken from the log of the source, by
 * payload: a run that was killed may have stored them without having recorded it.
 */
export async function keptPayloads(
  journal: Pick<Journal, 'list' | 'find'>,
  source: string,
  payloads: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const receipts = new Map<string, string>();
  if (payloads.length === 0) return receipts;
  const wanted = new Set(payloads);
  const sizes = new Set(payloads.map((payload) => Buffer.byteLength(payload)));
  const filter: EventFilter = { source, states: ['malformed'] };
  const { items } = await journal.list(filter, { limit: MAX_COMPARED });
  for (const { receipt, verifiedBy, bodyBytes } of items) {
    if (verifiedBy !== VERIFIED_BY_RECONCILE || !sizes.has(bodyBytes)) continue;
    const body = (await journal.find(receipt))?.body?.toString('utf8');
    if (body !== undefined && wanted.has(body)) receipts.set(body, receipt);
  }
  return receipts;
}
