import type { CoverageEntry, CoverageFilter, CoverageReport } from '../admin/admin-parts.ts';
import { maskValue } from '../mapping/unread-fields.ts';
import type { UnreadFields } from '../mapping/mapping-result.ts';

/** Limits on memory: event names over all sources, and paths per event name. */
export interface CoverageLimits {
  readonly names: number;
  readonly paths: number;
}

/** Counts, in memory and since the start, the payload fields that no mapping read. */
export interface Coverage {
  /** Call it once per settled event. Replayed events are skipped: they were counted before. */
  count(
    event: { readonly source: string; readonly eventName: string; readonly replays: number },
    unread: UnreadFields,
  ): void;
  report(filter: CoverageFilter): CoverageReport;
}

interface Row {
  readonly source: string;
  readonly eventName: string;
  readonly mapping: UnreadFields['mapping'];
  events: number;
  readonly fields: Map<string, { count: number; readonly example: string }>;
  more: number;
}

const LIMITS: CoverageLimits = { names: 200, paths: 300 };

/** Counts names beyond the limit. */
const OTHER = 'other';

/** @param now epoch ms */
export function createCoverage(now: () => number, limits: CoverageLimits = LIMITS): Coverage {
  const since = now();
  /** By source, then by event name. */
  const rows = new Map<string, Map<string, Row>>();
  let names = 0;

  const rowOf = (source: string, eventName: string, mapping: UnreadFields['mapping']): Row => {
    const byName = rows.get(source) ?? new Map<string, Row>();
    rows.set(source, byName);
    const name = byName.has(eventName) || names < limits.names ? eventName : OTHER;
    const row = byName.get(name) ?? {
      source,
      eventName: name,
      mapping,
      events: 0,
      fields: new Map(),
      more: 0,
    };
    if (!byName.has(name)) names += 1;
    byName.set(name, row);
    return row;
  };

  return {
    count({ source, eventName, replays }, { mapping, fields }) {
      if (replays > 0) return;
      const row = rowOf(source, eventName, mapping);
      row.events += 1;
      for (const [path, value] of fields) {
        const known = row.fields.get(path);
        if (known !== undefined) known.count += 1;
        else if (row.fields.size < limits.paths)
          row.fields.set(path, { count: 1, example: maskValue(value) });
        else row.more += 1;
      }
    },
    report: (filter) => ({
      since,
      events: [...rows.values()]
        .flatMap((byName) => [...byName.values()])
        .filter(matchesFilter(filter))
        .map(toEntry)
        .toSorted(byCount),
    }),
  };
}

export function matchesFilter({ source, eventName }: CoverageFilter) {
  return (row: Pick<CoverageEntry, 'source' | 'eventName'>): boolean =>
    (source === undefined || row.source === source) &&
    (eventName === undefined || row.eventName === eventName);
}

function toEntry({ source, eventName, mapping, events, fields, more }: Row): CoverageEntry {
  return {
    source,
    eventName,
    mapping,
    events,
    fields: [...fields]
      .map(([path, { count, example }]) => ({ path, count, example }))
      .toSorted(byFieldCount),
    more,
  };
}

/** The sum of the reports of several processes. */
export function addReports(reports: readonly CoverageReport[]): CoverageReport {
  const rows = new Map<string, CoverageEntry>();
  for (const entry of reports.flatMap(({ events }) => events)) {
    const key = JSON.stringify([entry.source, entry.eventName]);
    const known = rows.get(key);
    rows.set(key, known === undefined ? entry : addEntries(known, entry));
  }
  return {
    since: Math.min(...reports.map(({ since }) => since)),
    events: [...rows.values()].toSorted(byCount),
  };
}

function addEntries(one: CoverageEntry, other: CoverageEntry): CoverageEntry {
  const fields = new Map(one.fields.map((field) => [field.path, field]));
  for (const field of other.fields) {
    const count = field.count + (fields.get(field.path)?.count ?? 0);
    fields.set(field.path, { ...field, count });
  }
  return {
    ...one,
    events: one.events + other.events,
    fields: [...fields.values()].toSorted(byFieldCount),
    more: one.more + other.more,
  };
}

function byFieldCount(a: CoverageEntry['fields'][number], b: CoverageEntry['fields'][number]): number {
  return b.count - a.count || (a.path < b.path ? -1 : 1);
}

function sumOf({ fields, more }: CoverageEntry): number {
  return fields.reduce((sum, { count }) => sum + count, more);
}

/** Most unread fields first. */
function byCount(a: CoverageEntry, b: CoverageEntry): number {
  return sumOf(b) - sumOf(a) || b.events - a.events || (a.eventName < b.eventName ? -1 : 1);
}
