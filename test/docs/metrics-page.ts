import { createMetrics } from '../../src/monitoring/metrics.ts';

/**
 * Metrics of Node and the process that the alerts, the dashboard or the runbook look at;
 * prom-client has more.
 */
const OF_NODE = [
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_heap_size_used_bytes',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
];

const INTRO = `# Metrics

<!-- generated: the whole page, by npm run docs -->

\`GET /metrics\` on the admin port, in the Prometheus text format, without a token. Labels contain only configured names and fixed codes: no
personal data, no secrets, and no values that a sender could choose. Counters start at 0 each time the relay starts; the gauges of the ledger
and the backlog are read from the journal at each scrape and survive a restart. While the storage thread does not answer, these gauges keep
their last value; all other metrics stay current.

Replicas that share a database each export their own metrics. What they share has a gauge whose text ends with “only the leader exports it”: the others
leave it out, so that \`sum()\` and \`max()\` are right for any number of replicas. Counters add up over the replicas.

The alerts are in [alerts.yaml](../deploy/prometheus/alerts.yaml), what to do about each one in the [runbook](runbook.md), and the dashboard is
[relay.json](../deploy/grafana/relay.json).`;

const WHERE = `## Which metric answers which question?

| Question | Series |
|---|---|
| Does the ledger balance? | \`relay_events{state="accepted"}\` compared with the sum of \`pending\`, \`delivered\`, \`ignored\`, \`dead\` |
| How many duplicates arrive? | \`relay_received_total{outcome="duplicate"}\` |
| Do duplicates have other data than their first? | \`relay_duplicates_total{differs="true"}\` |
| How many requests go to quarantine? | \`relay_received_total{outcome="not-verified"}\` |
| How many requests are in quarantine now? | \`relay_events{state="quarantined"}\` |
| Is a destination waiting or paused? | \`relay_destination_state\` |
| How long do events wait? | \`relay_oldest_pending_age_seconds\`, \`relay_end_to_end_seconds\` |
| How close is the disk to its watermarks? | \`relay_store_used_bytes\` compared with \`relay_store_max_bytes\`, \`relay_store_free_bytes\` with \`relay_store_min_free_bytes\` |
| How long is the event loop delayed? | \`nodejs_eventloop_lag_p99_seconds\` |`;

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_timestamp_seconds$|_start_time_seconds$/, 'seconds since 1970'],
  [/_seconds(_left|_total)?$/, 'seconds'],
  [/_bytes$/, 'bytes'],
  [/_share$/, 'a share from 0 to 1'],
  [/_messages$/, 'messages'],
  [/_calls$/, 'calls'],
  [/_slots_/, 'requests'],
  [/_info$|_flowing$|_state$|_closed$/, '0 or 1'],
];

function unitOf(name: string): string {
  return UNITS.find(([of]) => of.test(name))?.[1] ?? 'count';
}

function labelsOf(labels: Readonly<Record<string, readonly string[]>>): string {
  const rows = Object.entries(labels).map(([label, values]) => {
    const written = values.map((value) => (value.includes(' ') ? value : `\`${value}\``));
    return `- \`${label}\`: ${written.join(', ')}`;
  });
  return rows.length === 0 ? '' : `\n\n${rows.join('\n')}`;
}

/** docs/metrics.md, made of the registry: name, type, unit, help, labels with their values. */
export async function metricsPage(): Promise<string> {
  const { registry, labels } = createMetrics();
  const metrics = await registry.getMetricsAsJSON();
  const own = metrics
    .filter(({ name }) => labels.has(name))
    .map(
      ({ name, help, type }) =>
        `### ${name}\n\n${String(type)}, ${unitOf(name)}. ${help}.${labelsOf(labels.get(name) ?? {})}`,
    );
  const ofNode = OF_NODE.map((name) => {
    const metric = metrics.find((one) => one.name === name);
    if (metric === undefined) throw new Error(`prom-client has no metric ${name}`);
    return `| \`${name}\` | ${String(metric.type)} | ${unitOf(name)} | ${metric.help.replace(/\.$/, '')} |`;
  });
  const table = ['| Name | Type | Unit | Meaning |', '|---|---|---|---|', ...ofNode].join('\n');
  const parts = [INTRO, WHERE, '## Relay metrics', ...own, '## Node and process metrics', table];
  return `${parts.join('\n\n')}\n`;
}
