import type { Logger } from 'pino';
import type { AdminObserver } from '../admin/admin-parts.ts';
import { metricEventName } from '../capillary/catalogue.ts';
import type { DeliveryObserver, MappingReport, SettledEvent } from '../delivery/delivery-observer.ts';
import type { IntakeObserver } from '../intake/webhook-report.ts';
import type { BatchReport, ClaimedEvent, EnrichmentParts } from '../journal/journal.ts';
import { deadLine, deliveryLine, itemLine, receiptFields, retryLine, settledLine } from './delivery-lines.ts';
import type { Coverage } from './field-coverage.ts';
import type { IntakeWindow } from './intake-window.ts';
import { setDestinationState } from './metrics-refresh.ts';
import type { Metrics } from './metrics.ts';
import type { WebhookLines } from './webhook-lines.ts';

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

/** The log line and the metrics of each answered webhook. */
export function createIntakeReports(
  log: Logger,
  metrics: Metrics,
  window: Pick<IntakeWindow, 'count'>,
  lines: Pick<WebhookLines, 'write'>,
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
      lines.write(report);
    },
    errorCaught(message, error) {
      metrics.troubles.inc({ part: 'intake' });
      log.error({ err: error }, message);
    },
  };
}

/**
 * One wide log line and its metrics for each request to an inlet and each state change of a
 * destination, and a line for each event that failed through its own fault. Lines for other events
 * are at debug.
 * @param now epoch ms
 */
export function createDeliveryReports(
  log: Logger,
  metrics: Metrics,
  coverage: Pick<Coverage, 'count'>,
  now: () => number,
): DeliveryObserver {
  /** Destinations for which the log says it; the metric counts on. */
  const uncounted = new Set<string>();

  const countAbandoned = ({ source, receipt }: ClaimedEvent, { customer, bill }: EnrichmentParts): void => {
    if (customer) metrics.enrichment.abandoned.inc({ source, part: 'customer' });
    if (bill) metrics.enrichment.abandoned.inc({ source, part: 'bill' });
    log.warn({ source, receipt, customer, bill }, 'event stays incomplete: it is not refreshed any more');
  };

  const countSettled = ({ event, settlement }: SettledEvent, at: number): void => {
    const { destination } = event;
    const abandoned = settlement.enrichment?.abandoned;
    if (abandoned !== undefined) countAbandoned(event, abandoned);
    if (settlement.state === 'delivered') {
      metrics.delivered.inc({ destination, event_name: metricEventName(event.eventName) });
      metrics.endToEndSeconds.observe({ destination }, Math.max(0, seconds(at - event.receivedAt)));
    } else if (settlement.state === 'ignored') {
      metrics.ignored.inc({ destination, reason: settlement.reason });
    } else if (settlement.state === 'dead') {
      metrics.dead.inc({ destination, reason: settlement.reason });
      log.error(deadLine(event, settlement), 'event moved to dead letters');
    } else {
      const { attempts, failedAttempts } = settlement;
      // Else it waits for something, such as a merge.
      if (attempts.length > 0 || failedAttempts > event.failedAttempts) metrics.retried.inc({ destination });
      if (settlement.ownFaultCount > event.ownFaultCount)
        log.warn(retryLine(event, settlement), 'event failed and will be tried again');
    }
  };

  const countMapping = (event: ClaimedEvent, { notes, unread }: MappingReport): void => {
    if (unread !== undefined) coverage.count(event, unread);
    for (const { kind, code } of notes)
      metrics.mappingNotes.inc({ event_name: metricEventName(event.eventName), kind, code });
    if (notes.length > 0 && log.isLevelEnabled('debug'))
      log.debug({ receipt: event.receipt, notes: notes.map(({ code }) => code) }, 'mapping notes');
  };

  return {
    requestCompleted(report) {
      const { destination, kind, outcome } = report;
      metrics.deliverySeconds.observe({ destination, kind, outcome }, seconds(report.durationMs));
      metrics.batchMessages.observe({ destination, kind }, report.messages);
      const isDebug = log.isLevelEnabled('debug');
      const line = deliveryLine(report);
      const level = outcome === 'taken' ? 'info' : 'warn';
      log[level](isDebug ? { ...line, ...receiptFields(report) } : line, 'delivery');
      if (!isDebug) return;
      for (const item of report.items)
        log.debug({ destination, kind, ...itemLine(item) }, 'delivered message');
    },
    eventsSettled(settled) {
      const isDebug = log.isLevelEnabled('debug');
      const at = now();
      for (const one of settled) {
        const { event, settlement, mapping } = one;
        if (isDebug) log.debug(settledLine(event, settlement), 'event settled');
        countSettled(one, at);
        if (mapping !== undefined) countMapping(event, mapping);
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
