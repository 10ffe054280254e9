import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/http/problems.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { treeOf } from './files.ts';

/** Suffixes of the series that Prometheus stores for a metric. */
const SERIES = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] };

/** Labels that Prometheus adds. */
const SCRAPE_LABELS = ['instance', 'job', 'namespace'];

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
      labels.set(name + suffix, [...(metric.labelNames ?? []), 'le', ...SCRAPE_LABELS]);
  }
  for (const { record } of records) labels.set(record, [record.split(':')[0] ?? '']);
  return { names: new Set(labels.keys()), labels };
}

/**
 * Series in an expression, including those of recording rules (`level:metric:operation`), with the
 * labels of their selectors.
 */
function selectorsOf(expression: string): { name: string; labels: string[] }[] {
  return [
    ...expression.matchAll(/(?<![\w:])((?:relay|nodejs|process)_\w+|\w+:\w+:\w+)(?:\{([^}]*)\})?/g),
  ].map(([, name = '', inner = '']) => ({
    name,
    labels: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

/** Labels that the results are grouped by. */
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
const variables: { expr: string; title: string }[] = dashboard.templating.list
  .filter(({ type }: { type: string }) => type === 'query')
  .map(({ name, query }: { name: string; query: { query: string } }) => ({ title: name, expr: query.query }));

describe('rules and dashboards use only existing metrics and labels', () => {
  it.each([
    ...rules.map(({ alert, expr }) => ({ title: alert, expr })),
    ...records.map(({ record, expr }) => ({ title: record, expr })),
    ...queries,
    ...variables,
  ])('$title', async ({ title, expr }) => {
    const { names, labels } = await known();
    if (['RelayDown', 'RelayReplicaDown'].includes(title)) return;
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

/** Label values in selectors, as [series, label, value]; without variables of the dashboard. */
function valuesOf(expression: string): [string, string, string][] {
  return [...expression.matchAll(/(?<![\w:])(relay_\w+)\{([^}]*)\}/g)].flatMap(([, name = '', inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"$]*)"/g)].flatMap(([, label = '', list = '']) =>
      list.split('|').map((value): [string, string, string] => [name, label, value]),
    ),
  );
}

it('rules and dashboards use only possible label values', () => {
  const { labels } = createMetrics();
  const used = [...entries, ...queries].flatMap(({ expr }) => valuesOf(expr));
  expect(used.length).toBeGreaterThan(10);
  const impossible = used.filter(([name, label, value]) => {
    const metric = name.replace(/_(bucket|sum|count)$/, '');
    return !labels.get(metric)?.[label]?.includes(value);
  });
  expect(impossible).toEqual([]);
});

describe('the alerts', () => {
  it('cover the important failures', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'RelayDown',
        'RelayLedgerUnbalanced',
        'RelayDeadLetters',
        'RelaySecretUnusable',
        'RelaySourceRemoved',
        'RelayReloadRefused',
        'RelayUnverified',
        'RelaySourceSilent',
        'RelayUnknownSource',
        'RelayBodyTooLarge',
        'RelayRateLimited',
        'RelayDuplicatesDiffer',
        'RelayStoreNearFull',
        'RelayDestinationNotFlowing',
        'RelayForeignAnswer',
        'RelayEverythingRefused',
        'RelayOldestPending',
        'RelayTokenNotMinting',
      ]),
    );
  });

  it('each have a severity, a summary and a description', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { labels, annotations } of rules) {
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\w/);
      expect(annotations.description).toMatch(/\.$/);
    }
  });

  it('use only labels that remain after aggregation', () => {
    for (const { alert, expr, annotations } of rules) {
      const inSummary = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      const groups = groupsOf(expr);
      // What begins with a series keeps the labels of it.
      const isAggregated = /^\(*(?:sum|max|min|histogram_quantile)\b/.test(expr.trim());
      const remaining = isAggregated ? groups : [...groups, 'instance', 'destination', 'source'];
      expect({ alert, remaining }).toEqual({ alert, remaining: expect.arrayContaining(inSummary) });
    }
  });
});

/** Whether a matcher list such as `reason=~"a|b", reason!~"c"` selects a value of the label. */
function selects(matchers: string, label: string, value: string): boolean {
  return [...matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)]
    .filter(([, name]) => name === label)
    .every(([, , operator = '', list = '']) => list.split('|').includes(value) === operator.startsWith('='));
}

describe('one outage pages once', () => {
  const stopRules = rules.flatMap(({ alert, expr, labels }) => {
    const [, matchers] = /^\s*max by \([^)]*\) \(relay_destination_stopped\{([^}]*)\}/.exec(expr) ?? [];
    return matchers === undefined ? [] : [{ alert, matchers, severity: labels.severity }];
  });
  const reasons = createMetrics().labels.get('relay_destination_stopped')?.['reason'] ?? [];

  it.each(reasons)('a destination that is stopped by %s has exactly one alert', (reason) => {
    const [rule, ...others] = stopRules.filter(({ matchers }) => selects(matchers, 'reason', reason));
    expect(others).toEqual([]);
    // Nothing can be done about an outage of Adobe, and an operator knows of the pause.
    const needsNobody =
      /^(operator|throttled|failing|items-failing|ims-(throttled|unavailable|network)|proxy-failing)$/;
    expect(rule?.severity).toBe(needsNobody.test(reason) ? 'warning' : 'critical');
  });

  it('the objective is no second page for a destination that has one', () => {
    const own = /ALERTS\{alertstate="firing", alertname=~"([^"]*)"/;
    const { expr } = rules.find(({ alert }) => alert === 'RelayOldestPending') as Rule;
    const others = rules
      .filter(({ labels, alert }) => labels.severity === 'critical' && alert !== 'RelayOldestPending')
      .filter(({ annotations }) => annotations.summary.includes('$labels.destination'));
    expect(own.exec(expr)?.[1]?.split('|').toSorted()).toEqual(others.map(({ alert }) => alert).toSorted());
  });

  it('Alertmanager routes by severity, and mutes only warnings', () => {
    const { route, receivers, inhibit_rules: inhibitions } = treeOf('deploy/prometheus/alertmanager.yml');
    expect(receivers.map(({ name }: { name: string }) => name).toSorted()).toEqual(['chat', 'pager']);
    expect([route.receiver, route.routes[0]]).toMatchObject([
      'chat',
      { receiver: 'pager', matchers: ['severity="critical"'] },
    ]);
    const selected = (matchers: readonly string[]) =>
      rules.filter(({ alert, labels: { severity } }) =>
        matchers
          .filter((matcher) => matcher !== 'alertname=~"Relay.+"')
          .every((one) => selects(one, 'alertname', alert) && selects(one, 'severity', severity)),
      );
    for (const { source_matchers: sources, target_matchers: targets } of inhibitions) {
      expect(new Set(selected(sources).map(({ labels }) => labels.severity))).toEqual(new Set(['critical']));
      expect(new Set(selected(targets).map(({ labels }) => labels.severity))).toEqual(new Set(['warning']));
    }
  });
});

/** Type and uid of every data source in a dashboard. */
function dataSourcesIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) =>
    key === 'datasource' ? [`${value.type} ${value.uid}`] : dataSourcesIn(value),
  );
}

describe('the dashboard', () => {
  it('has panels that do not overlap, each with a unique id and a query', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { type, targets } of panels) expect(type === 'row' || (targets?.length ?? 0) > 0).toBe(true);
  });

  it('takes its data source from a variable, everywhere', () => {
    const [first] = dashboard.templating.list;
    expect(first).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const sources = dataSourcesIn(dashboard);
    expect(sources.length).toBeGreaterThan(2 * panels.filter(({ type }) => type !== 'row').length);
    expect(new Set(sources)).toEqual(new Set(['prometheus ${datasource}']));
    const queried = [...panels, ...dashboard.templating.list, ...dashboard.annotations.list].filter(
      ({ type }) => type !== 'row' && type !== 'datasource',
    );
    for (const { title, name, datasource } of queried)
      expect({ what: title ?? name, datasource }).toHaveProperty('datasource.uid', '${datasource}');
    // Without a choice Grafana takes the default data source, which is the provisioned one.
    const [provisioned] = treeOf('deploy/grafana/provisioning/datasources/prometheus.yml').datasources;
    expect(provisioned).toMatchObject({ type: 'prometheus', isDefault: true });
  });

  it('shows every refusal of a webhook by outcome, and calls nothing refused that is answered 200', () => {
    const { targets = [] } = panels.find(({ title }) => title === 'Refused webhooks') as Panel;
    const [, matchers = ''] = /relay_received_total\{([^}]*)\}/.exec(targets[0]?.expr ?? '') ?? [];
    const outcomes = createMetrics().labels.get('relay_received_total')?.['outcome'] ?? [];
    const shown = outcomes.filter((outcome) => selects(matchers, 'outcome', outcome));
    expect(new Set(shown)).toEqual(new Set(['oversized', ...Object.keys(PROBLEMS)]));
    expect(targets[0]?.legendFormat).toContain('{{outcome}}');
  });

  it('has a row for each area', () => {
    expect(panels.flatMap(({ type, title }) => (type === 'row' ? [title.split(':')[0]] : []))).toEqual([
      'Ledger',
      'Traffic',
      'Backlog and oldest age',
      'Deliveries and latency',
      'Destinations and tokens',
      'Dead letters and quarantine',
      'Journal and disk',
      'Process',
      'Replicas and database',
    ]);
  });

  it('shows the ledger as the relay counts it', () => {
    const states = queries.flatMap(({ expr }) =>
      [...expr.matchAll(/state="(\w+)"/g)].map(([, state]) => state),
    );
    expect(new Set(states)).toEqual(new Set(['accepted', 'pending', 'delivered', 'ignored', 'dead']));
  });
});
