import type { Logger } from 'pino';
import type { ReconciliationObserver } from '../reconciliation/reconcile-run.ts';
import type {
  DestinationReconciliation,
  ReconciliationReport,
  SourceReconciliation,
} from '../reconciliation/reconciliation-report.ts';
import type { ReconcileSide } from '../reconciliation/run-requests.ts';
import type { Metrics } from './metrics.ts';

/** These need nobody, or have been repaired by the run itself. */
const REPAIRED: ReadonlySet<string> = new Set(['answer-lost', 'given-up']);

/** The key `name` of a log line is that of the program. */
function namedBy(side: ReconcileSide, name: string): Readonly<Record<string, string>> {
  return { side, [side === 'capillary' ? 'source' : 'destination']: name };
}

/** The metrics and log lines of the comparison with Capillary and AEP. */
export function createReconciliationReports(log: Logger, metrics: Metrics): ReconciliationObserver {
  const { reconciliation } = metrics;
  return {
    runEnded({ side, name, outcome, problem, durationMs }) {
      reconciliation.runs.inc({ side, name, outcome });
      reconciliation.runSeconds.observe({ side, name }, durationMs / 1_000);
      const fields = { ...namedBy(side, name), outcome, problem, durationMs: Math.round(durationMs) };
      if (outcome === 'failed') log.warn(fields, 'the reconciliation could not be completed');
      else log.debug(fields, 'reconciliation');
    },
    found({ side, name, kind, cause, count }) {
      reconciliation.found.inc({ side, name, kind, cause }, count);
      const level = REPAIRED.has(kind) ? 'info' : 'warn';
      log[level]({ ...namedBy(side, name), kind, cause, count }, 'the reconciliation found a difference');
    },
    recovered(source, count) {
      reconciliation.recovered.inc({ source }, count);
      if (count > 0) log.info({ source, count }, "events were taken from Capillary's log");
    },
    called(side, name, outcome) {
      reconciliation.calls.inc({ side, name, outcome });
    },
    errorCaught(name, message, error) {
      metrics.troubles.inc({ part: 'reconciliation' });
      log.error({ target: name, err: error }, message);
    },
  };
}

function setCommon(
  { reconciliation }: Metrics,
  side: ReconcileSide,
  name: string,
  { lastRunAt, problem, open }: SourceReconciliation | DestinationReconciliation,
): void {
  if (lastRunAt !== undefined) reconciliation.lastSuccess.set({ side, name }, lastRunAt / 1_000);
  reconciliation.failing.set({ side, name }, problem === undefined ? 0 : 1);
  for (const [kind, count] of Object.entries(open)) reconciliation.open.set({ side, name, kind }, count);
}

/** Sets the gauges of what the store knows. A reload may have removed a source or destination. */
export function setReconciliationGauges(metrics: Metrics, report: ReconciliationReport): void {
  const { lastSuccess, failing, open, sent, landed } = metrics.reconciliation;
  for (const gauge of [lastSuccess, failing, open, sent, landed]) gauge.reset();
  for (const one of report.sources) {
    const { source, sums } = one;
    setCommon(metrics, 'capillary', source, one);
    for (const outcome of ['accepted', 'recovered', 'unrecoverable', 'missing'] as const)
      sent.set({ source, outcome }, sums[outcome]);
  }
  for (const one of report.destinations) {
    const { destination, sums } = one;
    setCommon(metrics, 'aep', destination, one);
    landed.set({ destination, state: 'landed' }, sums.landed);
    landed.set({ destination, state: 'refused-later' }, sums.refusedLater);
    landed.set({ destination, state: 'unconfirmed' }, sums.unconfirmed);
  }
}
