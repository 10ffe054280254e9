import type { CoverageAnswer, CoverageFilter, CoverageSource } from '../admin/coverage.ts';
import { maskOf } from '../mapping/mask.ts';
import type { Unread } from '../mapping/unread.ts';

/** Bounds of what is kept: event names of all sources together, and paths of each. */
export interface CoverageBounds {
  readonly names: number;
  readonly paths: number;
}

/** Counts the payload fields that no mapping read, in memory, since it was made. */
export interface Coverage extends CoverageSource {
  /** Of an event that is settled for good; of a replayed one nothing, for it was counted before. */
  count(
    event: { readonly source: string; readonly eventName: string; readonly replays: number },
    unread: Unread,
  ): void;
}

interface Row {
  readonly source: string;
  readonly eventName: string;
  readonly mapping: Unread['mapping'];
  events: number;
  readonly fields: Map<string, { count: number; readonly example: string }>;
  more: number;
}

const BOUNDS: CoverageBounds = { names: 200, paths: 300 };

/** Names beyond the bound are counted as this. */
const OTHER = 'other';

/** @param now epoch ms */
export function createCoverage(now: () => number, bounds: CoverageBounds = BOUNDS): Coverage {
  const since = now();
  /** By source, then by event name. */
  const rows = new Map<string, Map<string, Row>>();
  let names = 0;

  const rowOf = (source: string, eventName: string, mapping: Unread['mapping']): Row => {
    const ofSource = rows.get(source) ?? new Map<string, Row>();
    rows.set(source, ofSource);
    const name = ofSource.has(eventName) || names < bounds.names ? eventName : OTHER;
    const row = ofSource.get(name) ?? {
      source,
      eventName: name,
      mapping,
      events: 0,
      fields: new Map(),
      more: 0,
    };
    if (!ofSource.has(name)) names += 1;
    ofSource.set(name, row);
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
        else if (row.fields.size < bounds.paths) row.fields.set(path, { count: 1, example: maskOf(value) });
        else row.more += 1;
      }
    },
    report: (filter) => ({
      since,
      events: [...rows.values()]
        .flatMap((of) => [...of.values()])
        .filter(chosenBy(filter))
        .map(toAnswer)
        .toSorted(byCount),
    }),
  };
}

function chosenBy({ source, eventName }: CoverageFilter) {
  return (row: Row): boolean =>
    (source === undefined || row.source === source) &&
    (eventName === undefined || row.eventName === eventName);
}

function toAnswer({ source, eventName, mapping, events, fields, more }: Row): CoverageAnswer {
  return {
    source,
    eventName,
    mapping,
    events,
    fields: [...fields]
      .map(([path, { count, example }]) => ({ path, count, example }))
      .toSorted((a, b) => b.count - a.count || (a.path < b.path ? -1 : 1)),
    more,
  };
}

function sumOf({ fields, more }: CoverageAnswer): number {
  return fields.reduce((sum, { count }) => sum + count, more);
}

/** Where most goes unread first. */
function byCount(a: CoverageAnswer, b: CoverageAnswer): number {
  return sumOf(b) - sumOf(a) || b.events - a.events || (a.eventName < b.eventName ? -1 : 1);
}
