import type { Logger } from 'pino';
import type { MaintenanceReport } from '../journal/journal.ts';
import type { Metrics } from './metrics.ts';

/** A store that stays full is reported each second, but logged this often. */
const ROOM_LOG_INTERVAL_MS = 60_000;

/** Logs what was removed from a full store, in sums. */
function createRoomLog(log: Logger, now: () => number) {
  let sum = { bodies: 0, records: 0 };
  let lastAt = -Infinity;
  return (bodies: number, records: number): void => {
    sum = { bodies: sum.bodies + bodies, records: sum.records + records };
    if (now() - lastAt < ROOM_LOG_INTERVAL_MS) return;
    log.warn(sum, 'the store was full: bodies and records that are no longer owed were removed early');
    sum = { bodies: 0, records: 0 };
    lastAt = now();
  };
}

/**
 * Logs and counts what the maintenance of the store reports.
 * @param isEncrypted whether encryption keys are configured
 * @param now ms of a clock that never jumps
 */
export function createMaintenanceReports(
  log: Logger,
  metrics: Metrics,
  isEncrypted: boolean,
  now = () => performance.now(),
) {
  const logRoom = createRoomLog(log, now);
  return (report: MaintenanceReport): void => {
    switch (report.kind) {
      case 'retained':
        metrics.retentionRemoved.inc({}, report.removed);
        break;
      case 'made-room':
        metrics.storeMadeRoom.inc({ part: 'bodies' }, report.bodies);
        metrics.storeMadeRoom.inc({ part: 'records' }, report.records);
        logRoom(report.bodies, report.records);
        break;
      case 'sealing':
        metrics.storeSealedShare.set(report.share);
        break;
      case 'sealed': {
        const { resealed, unreadable } = report;
        const counts = { reencrypted: resealed, unreadable };
        if (unreadable === 0 && isEncrypted)
          log.info(counts, 'the whole store is encrypted with the first encryption key');
        else if (unreadable > 0)
          log.error(counts, 'some payloads are encrypted with keys that are not configured');
        else if (resealed > 0) log.info({ resealed }, 'every stored payload has a checksum');
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
