import type { ItemReport, RequestReport } from '../delivery/observer.ts';
import type { WebhookReport } from '../intake/observer.ts';
import type { ClaimedEvent, Settlement } from '../journal/journal.ts';
import { loggable } from '../telemetry/loggable.ts';

/** Receipts and transaction ids in one line, at most: a full batch of the default size. */
const MOST = 200;

/** What the log tells of a webhook. */
export function webhookLine(report: WebhookReport) {
  return {
    ...report,
    eventName: loggable(report.eventName),
    eventId: loggable(report.eventId),
  };
}

/** What the log tells of a message in a request. */
export function itemLine({ xactionId, ...item }: ItemReport) {
  return { ...item, xactionId: loggable(xactionId) };
}

/**
 * What the log tells of a request to the inlet. Adobe's words can quote a payload, so they stay in the event's record. `moreReceipts` counts
 * those beyond the bound; debug has every message.
 */
export function deliveryLine({ detail: _detail, items, receipts, ...report }: RequestReport) {
  const xactionIds = items.flatMap(({ xactionId }) => loggable(xactionId) ?? []);
  const failed = items.filter(({ outcome }) => outcome !== 'taken').length;
  return {
    ...report,
    ...(failed === 0 ? {} : { failed }),
    receipts: receipts.slice(0, MOST),
    ...(receipts.length > MOST ? { moreReceipts: receipts.length - MOST } : {}),
    ...(xactionIds.length === 0 ? {} : { xactionIds: xactionIds.slice(0, MOST) }),
  };
}

/** What the log tells of an outcome, at debug. */
export function settledLine(
  { receipt, source, destination, eventName }: ClaimedEvent,
  settlement: Settlement,
) {
  return {
    receipt,
    source,
    destination,
    eventName: loggable(eventName),
    state: settlement.state,
    reason: 'reason' in settlement ? settlement.reason : undefined,
    attempts: settlement.attempts.length,
  };
}
