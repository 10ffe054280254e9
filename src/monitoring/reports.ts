import type { Logger } from 'pino';
import type { AdminObserver } from '../admin/observer.ts';
import { metricEventName } from '../capillary/catalogue.ts';
import type { DeliveryObserver } from '../delivery/observer.ts';
import type { IntakeObserver } from '../intake/observer.ts';
import type { BatchReport } from '../journal/sqlite/protocol.ts';
import type { Coverage } from './coverage.ts';
import { deliveryLine, itemLine, settledLine, webhookLine } from './log-lines.ts';
import { loggable } from '../telemetry/loggable.ts';
import type { Metrics } from './metrics.ts';
import { setDestinationState } from './refresh.ts';

function seconds(ms: number): number {
  return ms / 1_000;
}

/** What the storage thread did. */
export function createJournalReports(metrics: Metrics) {
  return ({ calls, writes, durationMs }: BatchReport): void => {
    const kind = writes ? 'write' : 'read';
    metrics.journalSeconds.observe({ kind }, seconds(durationMs));
    metrics.journalCalls.observe({ kind }, calls);
  };
}

/** One wide log line and its metrics for each answered webhook. */
export function createIntakeReports(log: Logger, metrics: Metrics): IntakeObserver {
  return {
    answered(report) {
      const { source, outcome, eventName } = report;
      metrics.received.inc({ source, outcome });
      metrics.webhookSeconds.observe({ source }, seconds(report.durationMs));
      if (outcome === 'accepted' && eventName !== undefined) {
        metrics.accepted.inc({ source, event_name: metricEventName(eventName) });
      }
      if (report.evicted) metrics.quarantineEvicted.inc({ source }, report.evicted);
      if (report.status < 300) log.info(webhookLine(report), 'webhook');
      else log.warn(webhookLine(report), 'webhook refused');
    },
    trouble(message, error) {
      metrics.troubles.inc({ part: 'intake' });
      log.error({ err: error }, message);
    },
  };
}

/**
 * One wide log line and its metrics for each request to an inlet and each change of a destination, and an error line for each dead letter. What
 * tells of each event is at debug.
 */
export function createDeliveryReports(
  log: Logger,
  metrics: Metrics,
  coverage: Pick<Coverage, 'count'>,
): DeliveryObserver {
  return {
    requested(report) {
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
    settled(event, settlement) {
      const { destination, source, receipt } = event;
      if (log.isLevelEnabled('debug')) log.debug(settledLine(event, settlement), 'event settled');
      if (settlement.state === 'delivered') {
        metrics.delivered.inc({ destination, event_name: metricEventName(event.eventName) });
        metrics.endToEndSeconds.observe(
          { destination },
          Math.max(0, seconds(settlement.now - event.receivedAt)),
        );
      } else if (settlement.state === 'ignored') {
        metrics.ignored.inc({ destination, reason: settlement.reason });
      } else if (settlement.state === 'dead') {
        metrics.dead.inc({ destination, reason: settlement.reason });
        const eventName = loggable(event.eventName);
        const eventId = loggable(event.eventId);
        log.error(
          { receipt, source, destination, eventName, eventId, reason: settlement.reason },
          'event buried as a dead letter',
        );
      } else metrics.retried.inc({ destination });
    },
    noted(event, { notes, unread }) {
      if (unread !== undefined) coverage.count(event, unread);
      const { receipt } = event;
      if (notes.length > 0) log.debug({ receipt, notes: notes.map(({ code }) => code) }, 'mapping notes');
      for (const { kind, code } of notes) {
        metrics.mappingNotes.inc({ event_name: metricEventName(event.eventName), kind, code });
      }
    },
    stateChanged(destination, status) {
      const flowing = status.state === 'flowing';
      setDestinationState(metrics, destination, status.state);
      if (flowing) log.info({ destination }, 'destination flows again');
      else {
        metrics.destinationPauses.inc({ destination, reason: status.reason ?? 'unknown' });
        // Adobe's words can quote what was sent, a token or a person, and a pause names the operator: the admin API shows them, the log does not.
        const { detail: _detail, ...known } = status;
        log.warn({ destination, ...known }, 'destination takes no events');
      }
    },
    trouble(destination, message, error) {
      metrics.troubles.inc({ part: 'delivery' });
      log.error({ destination, err: error }, message);
    },
  };
}

/** One log line for each change by an operator and each caller turned away. */
export function createAdminReports(log: Logger, metrics: Metrics): AdminObserver {
  return {
    // Who acted is in the journal's record; a name has no place in the log.
    acted: ({ by: _by, ...report }) => log.info(report, 'operator action'),
    refused: (reason) => log.warn({ reason }, 'admin request refused'),
    trouble(message, error) {
      metrics.troubles.inc({ part: 'admin' });
      log.error({ err: error }, message);
    },
  };
}
