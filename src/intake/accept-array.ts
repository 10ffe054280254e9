import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseEvent } from '../capillary/event-parser.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import type { Journal, NewEvent } from '../journal/journal.ts';
import { differsFromFirst, type DuplicateCounts, type DuplicateJournal } from './duplicates.ts';
import { appendEvent, type Origin, storeMalformed, toNewEvent } from './new-event.ts';

/** Elements that are parsed in one turn and committed together. */
const CHUNK_SIZE = 500;
/** Beyond it, a second copy of the whole array is stored instead of each bad element. */
const MAX_BAD_ELEMENTS = 100;

export interface AcceptParts {
  readonly journal: Pick<Journal, 'append' | 'appendMalformed'> & DuplicateJournal;
  /** Maximum size of an inflated body in bytes. */
  readonly bodyLimit: number;
  /**
   * Reserves space for what is stored next, in the same turn.
   * @throws ProblemError if there is none
   */
  readonly admit?: (bytes: number, events: number) => void | Promise<void>;
}

/** An array of events as it was received. */
export interface EventArray {
  readonly source: SourceConfig;
  readonly origin: Origin;
  /** The whole body, in its stored form. */
  readonly body: Uint8Array;
  readonly elements: Iterable<Uint8Array>;
}

/** An element that is not an event. `detail` has no content of it. */
export interface BadElement {
  readonly body: Uint8Array;
  readonly code: 'not-json' | 'not-an-event' | 'wrong-org';
  readonly detail: string;
}

/** What became of the elements. Nothing is lost: each is an event or in a malformed body. */
export interface ArrayOutcome {
  /** Of the events in their order; for a duplicate the first receipt. */
  readonly receipts: readonly string[];
  /** Number of new events by name. */
  readonly accepted: ReadonlyMap<string, number>;
  readonly duplicates: DuplicateCounts;
  /** The first elements that are not events, and the number of all of them. */
  readonly bad: readonly BadElement[];
  readonly badCount: number;
}

/**
 * Appends the events of an array in their order. It stops at the first chunk that cannot be stored
 * completely: what was appended stays, and sending the array again adds only what is missing.
 * @throws StoreError if the journal could not store an event; ProblemError if there is no space
 */
export async function appendElements(parts: AcceptParts, array: EventArray): Promise<ArrayOutcome> {
  const { orgIds, timezone } = array.source;
  const receipts: string[] = [];
  const duplicates = new Map<'true' | 'false' | 'unknown', number>();
  const accepted = new Map<string, number>();
  const bad: BadElement[] = [];
  let badCount = 0;
  // Only the first element takes the receipt that the array had in the quarantine.
  const rest = withoutRelease(array.origin);
  let isFirst = true;
  for (const chunk of chunksOf(array.elements)) {
    const events: NewEvent[] = [];
    for (const body of chunk) {
      const origin = isFirst ? array.origin : rest;
      isFirst = false;
      const parsed = parseEvent(body, { orgIds, timezone });
      if (parsed.ok) events.push(toNewEvent(parsed.event, array.source, { ...origin, body }));
      else {
        badCount += 1;
        if (bad.length < MAX_BAD_ELEMENTS) bad.push({ body, code: parsed.code, detail: parsed.detail });
      }
    }
    const appended = await appendTogether(parts, events);
    for (const [index, one] of appended.entries()) {
      const event = events[index];
      receipts.push(one.receipt);
      if (event === undefined) continue;
      if (one.duplicate) {
        const differs = await differsFromFirst(parts.journal, one, event);
        count(duplicates, differs === undefined ? 'unknown' : `${differs}`);
      } else count(accepted, event.eventName);
    }
  }
  return { receipts, accepted, duplicates, bad, badCount };
}

/**
 * Stores the elements that are not events as malformed bodies: each by itself, or the whole array
 * if there are too many. Call it after the events are stored, because malformed bodies are not
 * deduplicated when an array is sent again.
 * @returns their receipts
 */
export async function storeBadElements(
  parts: AcceptParts,
  array: EventArray,
  { bad, badCount }: ArrayOutcome,
): Promise<string[]> {
  const { source } = array;
  const origin = withoutRelease(array.origin);
  if (badCount > bad.length) {
    const detail = `array: ${badCount} of its elements are not events; the others were accepted`;
    await parts.admit?.(array.body.length, 1);
    return [await storeMalformed(parts.journal, source, origin, { body: array.body, detail })];
  }
  if (badCount === 0) return [];
  await parts.admit?.(sum(bad), badCount);
  return allOf(
    bad.map(({ body, code, detail }) =>
      storeMalformed(parts.journal, source, origin, { body, detail: `${code}: ${detail}` }),
    ),
  );
}

function withoutRelease({ receivedAt, verifiedBy }: Origin): Origin {
  return { receivedAt, verifiedBy };
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Starts all writes before it awaits them, so that the journal can commit them together. */
async function appendTogether({ journal, admit }: AcceptParts, events: readonly NewEvent[]) {
  if (events.length === 0) {
    await nextTurn();
    return [];
  }
  await admit?.(sum(events), events.length);
  return allOf(events.map((event) => appendEvent(journal, event)));
}

/** Waits for all of them, then throws what the first failing one rejected with. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function sum(bodies: readonly { readonly body: Uint8Array }[]): number {
  return bodies.reduce((bytes, { body }) => bytes + body.byteLength, 0);
}

function* chunksOf<T>(items: Iterable<T>): Generator<readonly T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === CHUNK_SIZE) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
