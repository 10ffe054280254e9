import type { DifferenceCause, DifferenceKind } from '../reconciliation/reconciliation-report.ts';
import type { ReconcileSide } from '../reconciliation/run-requests.ts';
import type { MetricFactory } from './metric-factory.ts';
import { DESTINATION, type LabelValues, SOURCE } from './metric-labels.ts';

/** The keys of an object that must name all values of a type. */
function all<Value extends string>(values: Readonly<Record<Value, true>>): readonly Value[] {
  return Object.keys(values) as Value[];
}

const SIDE = all<ReconcileSide>({ capillary: true, aep: true });
const NAME: LabelValues = ['name of a source (capillary) or of a destination (aep)'];

const KIND = all<DifferenceKind>({
  'given-up': true,
  'acknowledged-unknown': true,
  'answer-lost': true,
  'no-payload': true,
  'beyond-log': true,
  'refused-later': true,
  'unknown-record': true,
  'counts-differ': true,
  'not-in-profile': true,
  'not-in-aep': true,
  'profile-differs': true,
});

const CAUSE = all<DifferenceCause>({
  'relay-unreachable': true,
  'relay-refused': true,
  'answer-lost': true,
  'sent-elsewhere-or-store-lost': true,
  'log-too-old': true,
  validation: true,
  'near-size-limit': true,
  'flow-too-young': true,
  'flow-disabled': true,
  'dataset-not-for-profile': true,
  'too-old-for-profile': true,
  'another-writer': true,
  unknown: true,
});

const SENT = ['accepted', 'recovered', 'unrecoverable', 'missing'];
const LANDED = ['landed', 'refused-later', 'unconfirmed'];

/** From a look that finds nothing new to the first comparison of a month. */
const RUN_SECONDS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400];

/** The metrics of the comparison with Capillary and AEP. */
export function createReconciliationMetrics({ counter, histogram, storeGauge }: MetricFactory) {
  return {
    runs: counter('relay_reconcile_runs_total', 'Comparisons with Capillary or AEP that ended, by outcome', {
      side: SIDE,
      name: NAME,
      outcome: ['ok', 'differences', 'failed'],
    }),
    runSeconds: histogram(
      'relay_reconcile_run_seconds',
      'Duration of comparisons, waits for their turn included',
      { side: SIDE, name: NAME },
      RUN_SECONDS,
    ),
    found: counter(
      'relay_reconcile_found_total',
      'Differences found, in events or records, by kind and cause',
      { side: SIDE, name: NAME, kind: KIND, cause: CAUSE },
    ),
    recovered: counter(
      'relay_reconcile_recovered_total',
      "Events that did not arrive as webhooks and were taken from Capillary's log",
      { source: SOURCE },
    ),
    calls: counter('relay_reconcile_calls_total', 'Calls to Capillary or AEP for comparisons, by outcome', {
      side: SIDE,
      name: NAME,
      outcome: ['ok', 'code of the failure'],
    }),
    lastSuccess: storeGauge(
      'relay_reconcile_last_success_timestamp_seconds',
      'End of the last complete comparison',
      { side: SIDE, name: NAME },
    ),
    failing: storeGauge('relay_reconcile_failing', '1 if the last comparison could not be made completely', {
      side: SIDE,
      name: NAME,
    }),
    open: storeGauge(
      'relay_reconcile_differences_open',
      'Differences that need someone, in events or records, by kind',
      { side: SIDE, name: NAME, kind: KIND },
    ),
    sent: storeGauge(
      'relay_reconcile_sent',
      'Events that Capillary sent in the compared time, by what became of them; their sum is what it sent',
      { source: SOURCE, outcome: SENT },
    ),
    landed: storeGauge(
      'relay_reconcile_landed',
      'Events that AEP acknowledged, by whether they landed; their sum is what was delivered',
      { destination: DESTINATION, state: LANDED },
    ),
  };
}
