import { createMetrics } from '../../src/observability/metrics.ts';

/** Prints the relay's own metrics, for `promtool check metrics`; those of Node itself are named by prom-client. */
const { registry } = createMetrics();
for (const { name } of await registry.getMetricsAsJSON()) {
  if (!name.startsWith('relay_')) registry.removeSingleMetric(name);
}
process.stdout.write(await registry.metrics());
