import type { Logger } from 'pino';
import type { AdminObserver } from '../admin/admin-parts.ts';
import { metricEventName } from '../capillary/catalogue.ts';
import type { DeliveryObserver, ItemReport, RequestReport } from '../delivery/delivery-observer.ts';
import type { IntakeObserver, WebhookReport } from '../intake/webhook-report.ts';
import type { BatchReport, ClaimedEvent, Settlement } from '../journal/journal.ts';
import { loggable } from '../telemetry/redaction.ts';
import type { Coverage } from './field-coverage.ts';
import type { IntakeWindow } from './intake-window.ts';
import { setDestinationState } from './metrics-refresh.ts';
import type { Metrics } from './metrics.ts';

/** Receipts and transaction ids per line: a full batch of the default size. */
const MAX_IDS_PER_LINE = 200;

/** Log fields of a webhook. */
export function webhookLine({ acceptedNames: _accepted, duplicates: _duplicates, ...report }: WebhookReport) {
  return {
    ...report,
    eventName: loggable(report.eventName),
    eventId: loggable(report.eventId),
  };
}

/** Log fields of a message in a request. */
function itemLine({ xactionId, ...item }: ItemReport) {
  return { ...item, xactionId: loggable(xactionId) };
}

/**
 * Log fields of a request to the inlet. Adobe's messages can quote a payload, so they stay in the
 * event's record. `moreReceipts` counts the receipts that are left out; debug logs every message.
 */
export function deliveryLine({ detail: _detail, items, receipts, ...report }: RequestReport) {
  const xactionIds = items.flatMap(({ xactionId }) => loggable(xactionId) ?? []);
  const failed = items.filter(({ outcome }) => outcome !== 'taken').length;
  return {
    ...report,
    ...(failed === 0 ? {} : { failed }),
    receipts: receipts.slice(0, MAX_IDS_PER_LINE),
    ...(receipts.length > MAX_IDS_PER_LINE ? { moreReceipts: receipts.length - MAX_IDS_PER_LINE } : {}),
    ...(xactionIds.length === 0 ? {} : { xactionIds: xactionIds.slice(0, MAX_IDS_PER_LINE) }),
  };
}

/** Log fields of a settled event, at debug. */
function settledLine({ receipt, source, destination, eventName }: ClaimedEvent, settlement: Settlement) {
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

function seconds(ms: number): number {
  return ms / 1_000;
}

/** Metrics of each batch that the storage thread committed. */
export function createJournalReports(metrics: Metrics) {
  return ({ calls, writes, durationMs }: BatchReport): void => {
    const kind = writes ? 'write' : 'read';
    metrics.journalSeconds.observe({ kind }, seconds(durationMs));
    metrics.journalCalls.observe({ kind }, calls);
  };
}

/** One wide log line and its metrics for each answered webhook. */
export function createIntakeReports(
  log: Logger,
  metrics: Metrics,
  window: Pick<IntakeWindow, 'count'>,
): IntakeObserver {
  return {
    webhookAnswered(report) {
      const { source, outcome, eventName, differs } = report;
      metrics.received.inc({ source, outcome });
      window.count(report);
      metrics.webhookSeconds.observe({ source }, seconds(report.durationMs));
      if (outcome === 'accepted' && eventName !== undefined) {
        metrics.accepted.inc({ source, event_name: metricEventName(eventName) });
      }
      for (const [name, count] of report.acceptedNames ?? []) {
        metrics.accepted.inc({ source, event_name: metricEventName(name) }, count);
      }
      if (outcome === 'duplicate' && report.array === undefined) {
        metrics.duplicates.inc({ source, differs: String(differs ?? 'unknown') });
      }
      for (const [differing, count] of report.duplicates ?? []) {
        metrics.duplicates.inc({ source, differs: differing }, count);
      }
      if (report.evicted) metrics.quarantineEvicted.inc({ source }, report.evicted);
      if (differs === true || (report.duplicates?.get('true') ?? 0) > 0)
        log.warn(webhookLine(report), 'duplicate with other data');
      else if (report.status < 300) log.info(webhookLine(report), 'webhook');
      // The path is the sender's, so the line does not have it.
      else if (outcome === 'not-found') log.warn(webhookLine(report), 'request to a path that is no webhook');
      else log.warn(webhookLine(report), 'webhook refused');
    },
    errorCaught(message, error) {
      metrics.troubles.inc({ part: 'intake' });
      log.error({ err: error }, message);
    },
  };
}

/**
 * One wide log line and its metrics for each request to an inlet and each state change of a
 * destination, and an error line for each dead letter. Lines for single events are at debug.
 */
export function createDeliveryReports(
  log: Logger,
  metrics: Metrics,
  coverage: Pick<Coverage, 'count'>,
): DeliveryObserver {
  /** Destinations for which the log says it; the metric counts on. */
  const uncounted = new Set<string>();
  return {
    requestCompleted(report) {
      const { destination, kind, outcome } = report;
      metrics.deliverySeconds.observe({ destination, kind, outcome }, seconds(report.durationMs));
      metrics.batchMessages.observe({ destination, kind }, report.messages);
      const line = deliveryLine(report);
      if (outcome === 'taken') log.info(line, 'delivery');
      else log.warn(line, 'delivery');
      if (!log.isLevelEnabled('debug')) return;
      for (const item of report.items)
        log.debug({ destination, kind, ...itemLine(item) }, 'delivered message');
    },
    eventSettled(event, settlement) {
      const { destination, source, receipt } = event;
      if (log.isLevelEnabled('debug')) log.debug(settledLine(event, settlement), 'event settled');
      if (settlement.state === 'delivered') {
        metrics.delivered.inc({ destination, event_name: metricEventName(event.eventName) });
        metrics.endToEndSeconds.observe({ destination }, Math.max(0, seconds(Date.now() - event.receivedAt)));
      } else if (settlement.state === 'ignored') {
        metrics.ignored.inc({ destination, reason: settlement.reason });
      } else if (settlement.state === 'dead') {
        metrics.dead.inc({ destination, reason: settlement.reason });
        const eventName = loggable(event.eventName);
        const eventId = loggable(event.eventId);
        log.error(
          { receipt, source, destination, eventName, eventId, reason: settlement.reason },
          'event moved to dead letters',
        );
      } else metrics.retried.inc({ destination });
    },
    mappingReported(event, { notes, unread }) {
      if (unread !== undefined) coverage.count(event, unread);
      const { receipt } = event;
      if (notes.length > 0) log.debug({ receipt, notes: notes.map(({ code }) => code) }, 'mapping notes');
      for (const { kind, code } of notes) {
        metrics.mappingNotes.inc({ event_name: metricEventName(event.eventName), kind, code });
      }
    },
    contactsShared(destination, kinds) {
      for (const kind of kinds) metrics.contactsShared.inc({ destination, kind });
      log.warn({ destination, kinds }, 'a contact of too many customers is no identity any more');
    },
    contactsUncounted(destination, contacts) {
      metrics.contactsUncounted.inc({ destination }, contacts);
      if (uncounted.has(destination)) return;
      uncounted.add(destination);
      log.warn({ destination }, 'contacts are not counted: the store is failing or holds as many as it may');
    },
    stateChanged(destination, status) {
      const flowing = status.state === 'flowing';
      setDestinationState(metrics, destination, status.state);
      if (flowing) log.info({ destination }, 'destination is delivering again');
      else {
        metrics.destinationPauses.inc({ destination, reason: status.reason ?? 'unknown' });
        // Adobe's messages can quote payloads, tokens or people, and a pause names the operator:
        // the admin API shows them, the log does not.
        const { detail: _detail, ...known } = status;
        log.warn({ destination, ...known }, 'destination stopped delivering');
      }
    },
    errorCaught(destination, message, error) {
      metrics.troubles.inc({ part: 'delivery' });
      log.error({ destination, err: error }, message);
    },
  };
}

/** One log line for each change by an operator and each refused request. */
export function createAdminReports(log: Logger, metrics: Metrics): AdminObserver {
  return {
    // The journal's record names the operator; a name does not belong in the log.
    actionPerformed: ({ by: _by, ...report }) => log.info(report, 'operator action'),
    accessRefused: (reason) => log.warn({ reason }, 'admin request refused'),
    errorCaught(message, error) {
      metrics.troubles.inc({ part: 'admin' });
      log.error({ err: error }, message);
    },
  };
}
