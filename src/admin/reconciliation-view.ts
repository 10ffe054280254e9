import type {
  DestinationReconciliation,
  Difference,
  SourceReconciliation,
} from '../reconciliation/reconciliation-report.ts';
import type { RequestedRun } from '../reconciliation/run-requests.ts';
import { isoTime } from './views.ts';

/* What reconciliation found, with times in ISO 8601. */

function differenceView({ window, isOpen, ...rest }: Difference) {
  return {
    ...rest,
    open: isOpen,
    window: window && { from: isoTime(window.from), until: isoTime(window.until) },
  };
}

export function sourceReconciliationView({
  lastRunAt,
  coveredFrom,
  seesUntil,
  differences,
  ...rest
}: SourceReconciliation) {
  return {
    ...rest,
    lastRunAt: isoTime(lastRunAt),
    coveredFrom: isoTime(coveredFrom),
    seesUntil: isoTime(seesUntil),
    differences: differences.map(differenceView),
  };
}

export function destinationReconciliationView({
  lastRunAt,
  seesLakeUntil,
  seesProfileUntil,
  differences,
  ...rest
}: DestinationReconciliation) {
  return {
    ...rest,
    lastRunAt: isoTime(lastRunAt),
    seesLakeUntil: isoTime(seesLakeUntil),
    seesProfileUntil: isoTime(seesProfileUntil),
    differences: differences.map(differenceView),
  };
}

export function runView({ at, since, targets, ...rest }: RequestedRun) {
  return {
    ...rest,
    at: isoTime(at),
    since: isoTime(since),
    targets: targets.map(({ startedAt, endedAt, ...target }) => ({
      ...target,
      startedAt: isoTime(startedAt),
      endedAt: isoTime(endedAt),
    })),
  };
}
