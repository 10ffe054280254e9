import { createMetrics } from '../../src/observability/metrics.ts';

/** Metrics of Node and the process that the alerts, the dashboard or the runbook look at; prom-client has more. */
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

\`GET /metrics\` on the admin port, in the text format of Prometheus, without a token. Labels hold names of the configuration and fixed codes:
nothing personal, nothing secret, and no series that a sender could make. Counters begin at 0 with each start of the relay; gauges of the
ledger and the backlog are read from the journal at each scrape and outlive a restart. While the storage thread does not answer they keep
their last value, and all the others are right.

The alerts over them are in [alerts.yaml](../deploy/prometheus/alerts.yaml), what to do about each in the [runbook](runbook.md), and the dashboard in
[relay.json](../deploy/grafana/relay.json).`;

const WHERE = `## Where is …?

| Question | Series |
|---|---|
| Does the ledger balance? | \`relay_events{state="accepted"}\` against the sum of \`pending\`, \`delivered\`, \`ignored\`, \`dead\` |
| Duplicates | \`relay_received_total{outcome="duplicate"}\` |
| Requests that went to quarantine | \`relay_received_total{outcome="not-verified"}\` |
| What lies in quarantine now | \`relay_events{state="quarantined"}\` |
| Does a destination wait or is it paused? | \`relay_destination_state\` |
| How long events wait | \`relay_oldest_pending_age_seconds\`, \`relay_end_to_end_seconds\` |
| How near the disk is to its marks | \`relay_store_used_bytes\` against \`relay_store_max_bytes\`, \`relay_store_free_bytes\` against \`relay_store_min_free_bytes\` |
| Delay of the event loop | \`nodejs_eventloop_lag_p99_seconds\` |`;

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_timestamp_seconds$|_start_time_seconds$/, 'seconds since 1970'],
  [/_seconds(_left|_total)?$/, 'seconds'],
  [/_bytes$/, 'bytes'],
  [/_messages$/, 'messages'],
  [/_calls$/, 'calls'],
  [/_slots_/, 'requests'],
  [/_info$|_flowing$|_state$|_closed$/, '0 or 1'],
];

const unitOf = (name: string): string => UNITS.find(([of]) => of.test(name))?.[1] ?? 'count';

const labelsOf = (labels: Readonly<Record<string, readonly string[]>>): string => {
  const rows = Object.entries(labels).map(([label, values]) => {
    const written = values.map((value) => (value.includes(' ') ? value : `\`${value}\``));
    return `- \`${label}\`: ${written.join(', ')}`;
  });
  return rows.length === 0 ? '' : `\n\n${rows.join('\n')}`;
};

/** docs/metrics.md, made of the registry: name, type, unit, help, labels with their values. */
export const metricsPage = async (): Promise<string> => {
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
  const parts = [INTRO, WHERE, '## Of the relay', ...own, '## Of Node and the process', table];
  return `${parts.join('\n\n')}\n`;
};
