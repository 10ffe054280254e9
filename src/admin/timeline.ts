import type { EventRecord } from '../journal/journal.ts';
import { isoTime } from './iso-time.ts';

interface Entry {
  readonly at: number;
  readonly what: 'received' | 'verified' | 'attempt' | 'action' | 'settled';
  readonly [more: string]: unknown;
}

/** All that happened to an event, earliest first; what happened in the same millisecond in the order it must have. */
export function timelineOf(record: EventRecord) {
  return [
    ...arrivalOf(record),
    ...record.attempts.map(attemptEntry),
    ...record.actions.map(actionEntry),
    ...endOf(record),
  ]
    .toSorted((a, b) => a.at - b.at)
    .map((entry) => ({ ...entry, at: isoTime(entry.at) }));
}

function arrivalOf({ event }: EventRecord): Entry[] {
  return [
    { at: event.receivedAt, what: 'received', source: event.source, bytes: event.bodyBytes },
    { at: event.receivedAt, what: 'verified', by: event.verifiedBy },
  ];
}

function attemptEntry(attempt: EventRecord['attempts'][number]): Entry {
  return { ...attempt, what: 'attempt' };
}

function actionEntry(action: EventRecord['actions'][number]): Entry {
  return { ...action, what: 'action' };
}

function endOf({ event: { settledAt, state, reason, detail } }: EventRecord): Entry[] {
  return settledAt === undefined ? [] : [{ at: settledAt, what: 'settled', state, reason, detail }];
}
