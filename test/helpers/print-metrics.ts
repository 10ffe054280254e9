import { createMetrics } from '../../src/observability/metrics.ts';

/** Prints every metric once, for `promtool check metrics`. */
process.stdout.write(await createMetrics().registry.metrics());
