import { createMetrics } from '../../src/monitoring/metrics.ts';

// Prints the relay's own metrics for `promtool check metrics`. The names of Node's metrics are
// prom-client's and would not pass.
const { registry } = createMetrics();
for (const { name } of await registry.getMetricsAsJSON()) {
  if (!name.startsWith('relay_')) registry.removeSingleMetric(name);
}
process.stdout.write(await registry.metrics());
