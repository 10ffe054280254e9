import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { treeOf } from './files.ts';

/** What Prometheus makes of a histogram. */
const SERIES = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] };

/** Labels that Prometheus adds. */
const OF_SCRAPE = ['instance', 'job'];

interface Known {
  readonly names: ReadonlySet<string>;
  /** Series → its labels. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

async function known(): Promise<Known> {
  const { registry } = createMetrics();
  const labels = new Map<string, readonly string[]>();
  for (const { name, type } of await registry.getMetricsAsJSON()) {
    const metric = registry.getSingleMetric(name) as unknown as { labelNames?: readonly string[] };
    const suffixes = SERIES[String(type) as keyof typeof SERIES] ?? [''];
    for (const suffix of suffixes)
      labels.set(name + suffix, [...(metric.labelNames ?? []), 'le', ...OF_SCRAPE]);
  }
  for (const { record } of records) labels.set(record, [record.split(':')[0] ?? '']);
  return { names: new Set(labels.keys()), labels };
}

/** Names of series in an expression, those of recording rules (`level:metric:operation`) too, with the labels that its selector asks for. */
function selectorsOf(expression: string): { name: string; labels: string[] }[] {
  return [
    ...expression.matchAll(/(?<![\w:])((?:relay|nodejs|process)_\w+|\w+:\w+:\w+)(?:\{([^}]*)\})?/g),
  ].map(([, name = '', inner = '']) => ({
    name,
    labels: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

/** Labels that results are grouped by, which some series of the expression must have. */
function groupsOf(expression: string): string[] {
  return [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
}

interface Record {
  readonly record: string;
  readonly expr: string;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const entries: (Record | Rule)[] = treeOf('deploy/prometheus/alerts.yaml').groups.flatMap(
  (group: { rules: (Record | Rule)[] }) => group.rules,
);
const rules = entries.filter((rule) => 'alert' in rule);
const records = entries.filter((rule) => 'record' in rule);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = treeOf('deploy/grafana/relay.json');
const panels: Panel[] = dashboard.panels;
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const variables: { expr: string; title: string }[] = dashboard.templating.list.map(
  ({ name, query }: { name: string; query: { query: string } }) => ({ title: name, expr: query.query }),
);

describe('every metric that is asked for is one of the relay', () => {
  it.each([
    ...rules.map(({ alert, expr }) => ({ title: alert, expr })),
    ...records.map(({ record, expr }) => ({ title: record, expr })),
    ...queries,
    ...variables,
  ])('$title', async ({ title, expr }) => {
    const { names, labels } = await known();
    if (title === 'RelayDown') return;
    const selectors = selectorsOf(expr);
    expect(selectors.length).toBeGreaterThan(0);
    for (const selector of selectors) {
      expect([...names]).toContain(selector.name);
      expect(labels.get(selector.name)).toEqual(expect.arrayContaining(selector.labels));
    }
    const all = selectors.flatMap(({ name }) => labels.get(name) ?? []);
    expect(all).toEqual(expect.arrayContaining(groupsOf(expr)));
  });
});

/** Values that selectors name, as [series, label, value]; those of variables of the dashboard are left out. */
function valuesOf(expression: string): [string, string, string][] {
  return [...expression.matchAll(/(?<![\w:])(relay_\w+)\{([^}]*)\}/g)].flatMap(([, name = '', inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"$]*)"/g)].flatMap(([, label = '', list = '']) =>
      list.split('|').map((value): [string, string, string] => [name, label, value]),
    ),
  );
}

it('every value of a label that is asked for is one that it can have', () => {
  const { labels } = createMetrics();
  const asked = [...entries, ...queries].flatMap(({ expr }) => valuesOf(expr));
  expect(asked.length).toBeGreaterThan(10);
  const impossible = asked.filter(([name, label, value]) => {
    const metric = name.replace(/_(bucket|sum|count)$/, '');
    return !labels.get(metric)?.[label]?.includes(value);
  });
  expect(impossible).toEqual([]);
});

describe('the alerts', () => {
  it('cover what can go wrong', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'RelayDown',
        'RelayLedgerUnbalanced',
        'RelayDeadLetters',
        'RelayUnverified',
        'RelayStoreNearFull',
        'RelayDestinationNotFlowing',
        'RelayOldestPending',
        'RelayTokenNotMinting',
      ]),
    );
  });

  it('each say how bad it is, what is wrong and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { labels, annotations } of rules) {
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\w/);
      expect(annotations.description).toMatch(/\.$/);
    }
  });

  it('name only labels that their expression leaves', () => {
    for (const { alert, expr, annotations } of rules) {
      const used = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      const groups = groupsOf(expr);
      const left = groups.length > 0 ? groups : ['instance', 'destination', 'source'];
      expect({ alert, left }).toEqual({ alert, left: expect.arrayContaining(used) });
    }
  });
});

describe('the dashboard', () => {
  it('has panels that do not overlap, each with an id and a query of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { type, targets } of panels) expect(type === 'row' || (targets?.length ?? 0) > 0).toBe(true);
  });

  it('covers what an operator asks for', () => {
    expect(panels.flatMap(({ type, title }) => (type === 'row' ? [title.split(':')[0]] : []))).toEqual([
      'Ledger',
      'Traffic',
      'Backlog and oldest age',
      'Deliveries and latency',
      'Destinations and tokens',
      'Dead letters and quarantine',
      'Journal and disk',
      'Process',
    ]);
  });

  it('shows the ledger as the relay counts it', () => {
    const states = queries.flatMap(({ expr }) =>
      [...expr.matchAll(/state="(\w+)"/g)].map(([, state]) => state),
    );
    expect(new Set(states)).toEqual(new Set(['accepted', 'pending', 'delivered', 'ignored', 'dead']));
  });
});
