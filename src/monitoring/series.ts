import type { Metric, Registry } from 'prom-client';

/** One value for each label. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

/** Name, help and labels of a metric. */
export interface MetricText<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
}

/** One line of a metric on the page of the registry. */
interface Sample {
  /** Of a histogram: the name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What a registry of prom-client reads from a metric. */
interface MetricPage {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly Sample[];
}

/** One label value on the way to a series. */
class Branch<S> {
  readonly branches = new Map<string, Branch<S>>();
  series: S | undefined;
}

/**
 * The series of one metric, found by their label values. prom-client writes all labels into a text
 * and looks that up, which takes several times as long, and an event is counted in six metrics.
 */
class SeriesSet<L extends string, S> {
  readonly all: S[] = [];
  private readonly root = new Branch<S>();
  private readonly names: readonly L[];
  private readonly create: (labels: Labels<L>) => S;

  constructor(names: readonly L[], create: (labels: Labels<L>) => S) {
    this.names = names;
    this.create = create;
  }

  of(labels: Labels<L>): S {
    let branch = this.root;
    for (const name of this.names) {
      const value = labels[name];
      let next = branch.branches.get(value);
      if (next === undefined) {
        next = new Branch<S>();
        branch.branches.set(value, next);
      }
      branch = next;
    }
    return branch.series ?? this.add(branch, labels);
  }

  private add(branch: Branch<S>, labels: Labels<L>): S {
    const series = this.create({ ...labels });
    branch.series = series;
    this.all.push(series);
    return series;
  }
}

/** A registry wants prom-client's own classes, but only reads the page of a metric. */
function register(metric: { get(): Promise<MetricPage> }, registry: Registry): void {
  registry.registerMetric(metric as unknown as Metric);
}

/** A counter of Prometheus. */
export class CounterSeries<L extends string> implements MetricText<L> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  private readonly series: SeriesSet<L, { readonly labels: Labels<L>; value: number }>;

  constructor({ name, help, labelNames }: MetricText<L>, registry: Registry) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.series = new SeriesSet(labelNames, (labels) => ({ labels, value: 0 }));
    // Without labels there is one series, which begins at 0.
    if (labelNames.length === 0) this.inc({} as Labels<L>, 0);
    register(this, registry);
  }

  inc(labels: Labels<L>, by = 1): void {
    this.series.of(labels).value += by;
  }

  /** Sum over all labels. */
  get total(): number {
    return this.series.all.reduce((sum, { value }) => sum + value, 0);
  }

  async get(): Promise<MetricPage> {
    const { name, help } = this;
    const values = this.series.all.map(({ labels, value }) => ({ labels, value }));
    return { name, help, type: 'counter', aggregator: 'sum', values };
  }
}

interface Distribution<L extends string> {
  readonly labels: Labels<L>;
  /** Number of values in each bucket, without those of the buckets below; the last has no bound. */
  readonly counts: Float64Array;
  sum: number;
}

/** A histogram of Prometheus. */
export class HistogramSeries<L extends string> implements MetricText<L> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  private readonly bounds: readonly number[];
  private readonly series: SeriesSet<L, Distribution<L>>;

  /** @param bounds upper bounds of the buckets, in order */
  constructor({ name, help, labelNames }: MetricText<L>, bounds: readonly number[], registry: Registry) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.bounds = bounds;
    this.series = new SeriesSet(labelNames, (labels) => ({
      labels,
      counts: new Float64Array(bounds.length + 1),
      sum: 0,
    }));
    register(this, registry);
  }

  observe(labels: Labels<L>, value: number): void {
    const { bounds } = this;
    const found = this.series.of(labels);
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    found.counts[bucket] = (found.counts[bucket] ?? 0) + 1;
    found.sum += value;
  }

  async get(): Promise<MetricPage> {
    const { name, help } = this;
    const values = this.series.all.flatMap((found) => this.samplesOf(found));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }

  private samplesOf({ labels, counts, sum }: Distribution<L>): Sample[] {
    let count = 0;
    const samples: Sample[] = [];
    for (const [bucket, inBucket] of counts.entries()) {
      count += inBucket;
      const le = this.bounds[bucket] ?? '+Inf';
      samples.push({ metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count });
    }
    samples.push({ metricName: `${this.name}_sum`, labels, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels, value: count });
    return samples;
  }
}
