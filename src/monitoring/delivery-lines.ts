import type { ItemReport, RequestReport } from '../delivery/delivery-observer.ts';
import type { ClaimedEvent, SettledEnrichment, Settlement } from '../journal/journal.ts';
import { loggable } from '../telemetry/redaction.ts';

/** Receipts per line: a full batch of the default size. */
const MAX_RECEIPTS_PER_LINE = 200;

/** Without the digits of nanoseconds. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** A count that is rarely above 0. */
function unlessZero(count: number | undefined): number | undefined {
  return count === 0 ? undefined : count;
}

/**
 * Log fields of a request to the inlet, for all of its events. Adobe's messages can quote a
 * payload, so they stay in the event's record.
 */
export function deliveryLine(report: RequestReport) {
  const { destination, kind, endpoint, messages, bytes, status, failure, outcome, traceId } = report;
  const { durationMs, counts, failedStatuses, retries, sources, minAgeMs, maxAgeMs, xactionId } = report;
  return {
    destination,
    kind,
    endpoint,
    messages,
    bytes,
    status,
    failure,
    outcome,
    durationMs: roundedMs(durationMs),
    taken: counts?.taken,
    failed: unlessZero(counts?.failed),
    failedStatuses: failedStatuses.size === 0 ? undefined : Object.fromEntries(failedStatuses),
    unknown: unlessZero(counts?.unknown),
    foreign: unlessZero(counts?.foreign),
    retries: unlessZero(retries),
    sources: Object.fromEntries(sources),
    minAgeMs,
    maxAgeMs,
    xactionId: loggable(xactionId),
    traceId,
  };
}

/** More fields of that line, at debug. `moreReceipts` counts the receipts that are left out. */
export function receiptFields({ receipts }: RequestReport) {
  const more = receipts.length - MAX_RECEIPTS_PER_LINE;
  return {
    receipts: receipts.slice(0, MAX_RECEIPTS_PER_LINE),
    ...(more > 0 ? { moreReceipts: more } : {}),
  };
}

/** Log fields of a message in a request, at debug. */
export function itemLine({ xactionId, ...item }: ItemReport) {
  return { ...item, xactionId: loggable(xactionId) };
}

function eventFields({ receipt, source, destination, eventName }: ClaimedEvent) {
  return { receipt, source, destination, eventName: loggable(eventName) };
}

/** Log fields of a settled event, at debug. */
export function settledLine(event: ClaimedEvent, settlement: Settlement) {
  return {
    ...eventFields(event),
    state: settlement.state,
    reason: 'reason' in settlement ? settlement.reason : undefined,
    attempts: settlement.attempts.length,
    ...enrichmentFields(settlement.enrichment),
  };
}

/** What was fetched is personal data, so only what is missing is named. */
function enrichmentFields({ missing, abandoned, refreshed }: SettledEnrichment = {}) {
  return {
    ...(missing === undefined ? {} : { missing }),
    ...(abandoned === undefined ? {} : { abandoned }),
    ...(refreshed === undefined ? {} : { refreshed }),
  };
}

/** Log fields of a dead letter. */
export function deadLine(event: ClaimedEvent, { reason }: Extract<Settlement, { state: 'dead' }>) {
  return { ...eventFields(event), eventId: loggable(event.eventId), reason };
}

/** Log fields of an event that failed through its own fault and is tried again. */
export function retryLine(event: ClaimedEvent, settlement: Extract<Settlement, { state: 'pending' }>) {
  const { failedAttempts, ownFaultCount, dueIn } = settlement;
  return {
    ...eventFields(event),
    eventId: loggable(event.eventId),
    failedAttempts,
    ownFaults: ownFaultCount,
    retryInMs: Math.round(dueIn),
  };
}
