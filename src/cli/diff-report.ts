import { styleText } from 'node:util';
import type { JsonValue } from '../capillary/json.ts';
import type { Change, EventDiff } from './mapping-diff.ts';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';

/** One event of the comparison and where it comes from. */
export interface ComparedEvent extends EventDiff {
  /** Place in the input, from 1. */
  readonly number: number;
  /** Of a stored event. */
  readonly receipt?: string;
  readonly source?: string;
}

/** How often something differs at one path of one event name. */
export interface PathCount {
  readonly eventName: string;
  readonly part: Change['part'];
  /** List positions are left out: `productListItems[].SKU`. */
  readonly path: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** What is printed with `--json`. */
export interface Comparison {
  readonly compared: number;
  readonly different: number;
  /** No event under either configuration. */
  readonly noEvents: number;
  /** Stored events whose payload is gone, by retention or erasure; not compared. */
  readonly withoutPayload: number;
  readonly summary: readonly PathCount[];
  /** Those that differ. */
  readonly events: readonly ComparedEvent[];
}

const MOST_CHARACTERS = 200;

function kindOf(change: Change): 'added' | 'removed' | 'changed' {
  if (change.old === undefined) return 'added';
  return change.new === undefined ? 'removed' : 'changed';
}

/** Puts compared events together. */
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

function shown(part: Change['part'], value: JsonValue | undefined): string {
  const text = printable(part === 'outcome' ? value : JSON.stringify(value));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

function lineOf(change: Change): string {
  const name = printable(nameOf(change));
  const [old, next] = [shown(change.part, change.old), shown(change.part, change.new)];
  switch (kindOf(change)) {
    case 'added':
      return styleText('green', `+ ${name}: ${next}`);
    case 'removed':
      return styleText('red', `- ${name}`);
    case 'changed':
      return styleText('yellow', `~ ${name}: ${old} → ${next}`);
  }
}

function eventText(event: ComparedEvent): string {
  const { number, eventName, eventId, receipt, source, changes } = event;
  const title = [number, eventName ?? 'not an event', eventId, source, receipt]
    .map(printable)
    .filter(Boolean);
  return [styleText('bold', `--- ${title.join('  ')}`), ...changes.map(lineOf)].join('\n');
}

function totals({ compared, different, noEvents, withoutPayload }: Comparison): string {
  const aside = [
    ...(noEvents > 0 ? [`${noEvents} no event under either`] : []),
    ...(withoutPayload > 0 ? [`${withoutPayload} left out, their payload is gone`] : []),
  ];
  const counts = `Compared: ${compared}, different: ${different}`;
  return aside.length === 0 ? counts : `${counts} (${aside.join('; ')})`;
}

/** A comparison as a page: what differs for each event, then how often at each path, then the totals. */
export function formatComparison(comparison: Comparison): string {
  const table = formatTable(comparison.summary, [
    { heading: 'EVENT', cell: ({ eventName }) => eventName },
    { heading: 'PATH', cell: (count) => nameOf(count) },
    { heading: 'ADDED', cell: ({ added }) => added },
    { heading: 'REMOVED', cell: ({ removed }) => removed },
    { heading: 'CHANGED', cell: ({ changed }) => changed },
  ]);
  return [
    ...comparison.events.map(eventText),
    ...(comparison.summary.length === 0 ? [] : [table]),
    totals(comparison),
  ].join('\n\n');
}
