import type { Logger } from 'pino';
import type { MaintenanceReport } from '../journal/journal.ts';
import type { Metrics } from './metrics.ts';

/** Logs and counts what the maintenance of the store reports. */
export function createMaintenanceReports(log: Logger, metrics: Metrics) {
  return (report: MaintenanceReport): void => {
    switch (report.kind) {
      case 'retained':
        metrics.retentionRemoved.inc({}, report.removed);
        break;
      case 'made-room':
        metrics.retentionRemoved.inc({}, report.bodies + report.records);
        log.warn(
          { bodies: report.bodies, records: report.records },
          'the store was full: bodies and records that are no longer owed were removed early',
        );
        break;
      case 'sealing':
        metrics.storeSealedShare.set(report.share);
        break;
      case 'sealed': {
        const { resealed, unreadable } = report;
        if (unreadable === 0) log.info({ resealed }, 'every stored payload is in its current form');
        else
          log.error(
            { resealed, unreadable },
            'some payloads are encrypted with keys that are not configured',
          );
        break;
      }
      case 'replayed':
        log.info({ replay: report.id }, 'a replay was finished in the background');
        break;
      case 'failed':
        log.error({ err: report.error, task: report.task }, 'maintenance of the store failed; it is retried');
    }
  };
}
