import type { ApiResult } from '../../capillary/api/api-answer.ts';
import { ANSWER_TOO_LARGE } from '../../capillary/api/api-errors.ts';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import {
  type DeliveryPage,
  deliveryPage,
  type DeliveryQuery,
  LOG_PAGE_SIZE,
} from '../../capillary/api/delivery-log.ts';

/** A page whose rows are too large for one answer is read in so many parts, as often as needed. */
const PARTS = 10;

/**
 * A page of the delivery log, in parts if its rows are large: then few are held at once. The number
 * of pages is that of whole ones.
 */
export async function* pageParts(
  client: Pick<CapillaryClient, 'get'>,
  consumerGroupId: string,
  query: DeliveryQuery,
): AsyncGenerator<ApiResult<DeliveryPage>, void, undefined> {
  const { page, pageSize = LOG_PAGE_SIZE } = query;
  const read = await deliveryPage(client, consumerGroupId, query);
  const isTooLarge = !read.ok && read.error.code === ANSWER_TOO_LARGE && pageSize >= PARTS;
  if (!isTooLarge) {
    if (!read.ok) yield read;
    else {
      const totalPages = Math.ceil((read.value.totalPages * pageSize) / LOG_PAGE_SIZE);
      yield { ok: true, value: { ...read.value, totalPages } };
    }
    return;
  }
  for (let part = 1; part <= PARTS; part += 1) {
    const smaller = { ...query, page: (page - 1) * PARTS + part, pageSize: pageSize / PARTS };
    for await (const one of pageParts(client, consumerGroupId, smaller)) {
      yield one;
      if (!one.ok || one.value.rows.length === 0) return;
    }
  }
}
