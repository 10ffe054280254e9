import { styleText } from 'node:util';
import type { JsonValue } from '../../capillary/json.ts';
import type { Change, EventDiff } from './mapping-diff.ts';
import { formatTable, toPrintable } from '../table.ts';

/** The differences for one event, and where the event comes from. */
export interface ComparedEvent extends EventDiff {
  /** Position in the input, from 1. */
  readonly number: number;
  /** Only for a stored event. */
  readonly receipt?: string;
  readonly source?: string;
}

/** Number of differences at one path, for one event name. */
export interface PathCount {
  readonly eventName: string;
  readonly part: Change['part'];
  /** Without array positions: `productListItems[].SKU`. */
  readonly path: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** Result of the comparison; printed with --json. */
export interface Comparison {
  readonly compared: number;
  readonly different: number;
  /** Bodies that are not an event under either configuration. */
  readonly noEvents: number;
  /** Stored events that were skipped, because retention or erasure removed their payload. */
  readonly withoutPayload: number;
  readonly summary: readonly PathCount[];
  /** Only those that differ. */
  readonly events: readonly ComparedEvent[];
}

const MAX_VALUE_LENGTH = 200;

function kindOf(change: Change): 'added' | 'removed' | 'changed' {
  if (change.old === undefined) return 'added';
  return change.new === undefined ? 'removed' : 'changed';
}

/** Combines the differences of all events. */
export function comparisonOf(events: readonly ComparedEvent[], withoutPayload: number): Comparison {
  const different = events.filter(({ changes }) => changes.length > 0);
  return {
    compared: events.length,
    different: different.length,
    noEvents: events.filter(({ isNoEvent }) => isNoEvent).length,
    withoutPayload,
    summary: summaryOf(different),
    events: different,
  };
}

function summaryOf(events: readonly ComparedEvent[]): readonly PathCount[] {
  const counts = new Map<string, { -readonly [Key in keyof PathCount]: PathCount[Key] }>();
  for (const { eventName = '', changes } of events) {
    for (const change of changes) {
      const path = change.path.replaceAll(/\[\d+\]/g, '[]');
      const key = JSON.stringify([eventName, change.part, path]);
      const count = counts.get(key) ?? {
        eventName,
        part: change.part,
        path,
        added: 0,
        removed: 0,
        changed: 0,
      };
      count[kindOf(change)] += 1;
      counts.set(key, count);
    }
  }
  return [...counts.values()].toSorted((a, b) =>
    a.eventName < b.eventName ? -1 : Number(a.eventName > b.eventName),
  );
}

function nameOf({ part, path }: Pick<Change, 'part' | 'path'>): string {
  return part === 'outcome' ? part : `${part} ${path}`.trim();
}

function formatValue(part: Change['part'], value: JsonValue | undefined): string {
  const text = toPrintable(part === 'outcome' ? value : JSON.stringify(value));
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

/** `~ event loyalty.points: 1 → 2` */
export function formatChange(change: Change): string {
  const name = toPrintable(nameOf(change));
  const [old, next] = [formatValue(change.part, change.old), formatValue(change.part, change.new)];
  switch (kindOf(change)) {
    case 'added':
      return styleText('green', `+ ${name}: ${next}`);
    case 'removed':
      return styleText('red', `- ${name}`);
    case 'changed':
      return styleText('yellow', `~ ${name}: ${old} → ${next}`);
  }
}

function formatEvent(event: ComparedEvent): string {
  const { number, eventName, eventId, receipt, source, changes } = event;
  const title = [number, eventName ?? 'not an event', eventId, source, receipt]
    .map(toPrintable)
    .filter(Boolean);
  return [styleText('bold', `--- ${title.join('  ')}`), ...changes.map(formatChange)].join('\n');
}

function formatTotals({ compared, different, noEvents, withoutPayload }: Comparison): string {
  const extras = [
    ...(noEvents > 0 ? [`${noEvents} not an event under either`] : []),
    ...(withoutPayload > 0 ? [`${withoutPayload} skipped, payload removed`] : []),
  ];
  const counts = `Compared: ${compared}, different: ${different}`;
  return extras.length === 0 ? counts : `${counts} (${extras.join('; ')})`;
}

/** A comparison as text: the differences of each event, the counts by path, the totals. */
export function formatComparison(comparison: Comparison): string {
  const table = formatTable(comparison.summary, [
    { heading: 'EVENT', cell: ({ eventName }) => eventName },
    { heading: 'PATH', cell: (count) => nameOf(count) },
    { heading: 'ADDED', cell: ({ added }) => added },
    { heading: 'REMOVED', cell: ({ removed }) => removed },
    { heading: 'CHANGED', cell: ({ changed }) => changed },
  ]);
  return [
    ...comparison.events.map(formatEvent),
    ...(comparison.summary.length === 0 ? [] : [table]),
    formatTotals(comparison),
  ].join('\n\n');
}
