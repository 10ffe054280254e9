import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LabelValues } from './metric-labels.ts';
import { CounterSeries, HistogramSeries } from './series.ts';

type LabelsOf<L extends string> = Readonly<Record<L, LabelValues>>;

/** Ends the help of a gauge that only one replica exports. */
const OF_ALL = '; of several replicas, only the leader exports it';

/** Creates the metrics of one registry, and remembers the values that their labels can have. */
export function createMetricFactory() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  /** Metric → label → its values. */
  const labels = new Map<string, Readonly<Record<string, LabelValues>>>();
  const withdrawals: (() => void)[] = [];
  const describe = <L extends string>(name: string, help: string, labelValues: LabelsOf<L>) => {
    labels.set(name, labelValues);
    return { name, help, labelNames: Object.keys(labelValues) as L[] };
  };
  const gauge = <L extends string>(name: string, help: string, labelValues: LabelsOf<L>) =>
    new Gauge<L>({ ...describe(name, help, labelValues), registers: [registry] });
  return {
    registry,
    labels: labels as ReadonlyMap<string, Readonly<Record<string, LabelValues>>>,
    /** Removes all series of the gauges of the store, until they are set again. */
    withdrawStore: (): void => {
      for (const withdraw of withdrawals) withdraw();
    },
    counter: <L extends string>(name: string, help: string, labelValues: LabelsOf<L>) =>
      new CounterSeries<L>(describe(name, help, labelValues), registry),
    gauge,
    /**
     * A gauge of something that all replicas share. One of them exports it, so that a sum over the
     * replicas is right.
     */
    storeGauge: <L extends string>(name: string, help: string, labelValues: LabelsOf<L>) => {
      const created = gauge(name, `${help}${OF_ALL}`, labelValues);
      // A reset sets one without labels to 0.
      const hasLabels = Object.keys(labelValues).length > 0;
      withdrawals.push(() => (hasLabels ? created.reset() : created.remove()));
      return created;
    },
    histogram: <L extends string>(name: string, help: string, labelValues: LabelsOf<L>, buckets: number[]) =>
      new HistogramSeries<L>(describe(name, help, labelValues), buckets, registry),
  };
}

export type MetricFactory = ReturnType<typeof createMetricFactory>;
