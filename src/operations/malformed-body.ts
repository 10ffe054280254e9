import { toStoredBody } from '../capillary/body-text.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import { type ParsedBody, parseBody, parseEvent } from '../capillary/event-parser.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import { toNewEvent } from '../intake/accept.ts';
import { appendElements, storeBadElements } from '../intake/accept-array.ts';
import { inflateUndeclared } from '../intake/content-coding.ts';
import { differsFromFirst, type DuplicateJournal } from '../intake/duplicates.ts';
import type { Origin } from '../intake/new-event.ts';
import { isTruncated } from '../intake/truncated-body.ts';
import { type EventRecord, type Journal, type NewEvent, RefusedError } from '../journal/journal.ts';
import type { SourceTable } from '../sources/source-table.ts';

export interface PromotionParts {
  readonly journal: Pick<Journal, 'promote' | 'append' | 'appendMalformed'> & DuplicateJournal;
  readonly sources: Pick<SourceTable, 'get'>;
  /** Maximum size of an inflated body in bytes. */
  readonly bodyLimit: number;
}

/** `detail` contains nothing of the body. */
export type Promotion =
  | { readonly outcome: 'promoted' | 'duplicate'; readonly receipt: string }
  | { readonly outcome: 'still-malformed'; readonly detail: string }
  /** A dry run: it can be read as an event now. */
  | { readonly outcome: 'readable' }
  /** It has been promoted or discarded in the meantime. */
  | { readonly outcome: 'unchanged' };

/** A malformed body that can be read now. */
interface ReadableBody {
  readonly source: SourceConfig;
  readonly origin: Origin;
  /** The event that takes the receipt of the malformed body. */
  readonly event: NewEvent;
  /** Of an array: the whole of it, and its elements other than `event`. */
  readonly rest?: { readonly body: Uint8Array; readonly elements: Iterable<Uint8Array> };
}

/**
 * Parses a malformed body again, with this version and the current configuration of its source, and
 * turns it into an accepted event. Of an array, the first event takes its receipt and the other
 * elements are appended before, so that a crash in between loses none of them.
 * @throws StoreError if the journal fails; replaying the body again adds what is missing
 */
export async function promoteBody(
  parts: PromotionParts,
  record: EventRecord,
  { by, dryRun }: { readonly by: string; readonly dryRun: boolean },
): Promise<Promotion> {
  const read = await readMalformed(parts, record);
  if (typeof read === 'string') return { outcome: 'still-malformed', detail: read };
  if (dryRun) return { outcome: 'readable' };
  const { source, origin, event, rest } = read;
  if (rest !== undefined) {
    const array = { source, origin, ...rest };
    await storeBadElements(parts, array, await appendElements(parts, array));
  }
  try {
    const promoted = await parts.journal.promote(record.event.receipt, event, by);
    const { receipt, duplicate } = promoted;
    if (duplicate) await differsFromFirst(parts.journal, promoted, event);
    return { outcome: duplicate ? 'duplicate' : 'promoted', receipt };
  } catch (error) {
    if (error instanceof RefusedError) return { outcome: 'unchanged' };
    throw error;
  }
}

/** The body, or why it is still malformed. */
async function readMalformed(
  { sources, bodyLimit }: PromotionParts,
  { event: stored, body }: EventRecord,
): Promise<ReadableBody | string> {
  const source = sources.get(stored.source)?.config;
  if (source === undefined) return 'its source is no longer configured';
  if (body === undefined) return 'its body is gone or cannot be read';
  if (isTruncated(stored.detail))
    return 'only the beginning of its body is stored; raise server.bodyLimit and have the event sent again';
  const { receivedAt, verifiedBy } = stored;
  const origin = { receivedAt, verifiedBy };
  const readAs = toStoredBody(body, undefined);
  const read = readEvents(readAs, source, origin);
  if (typeof read !== 'string' || !read.startsWith('not-json')) return read;
  // Earlier versions stored a compressed body as it was received, without its Content-Encoding.
  const inflated = await inflateUndeclared(body, bodyLimit);
  if (inflated?.outcome !== 'inflated') return read;
  return readEvents(toStoredBody(inflated.body, undefined), source, origin);
}

function readEvents(body: Uint8Array, source: SourceConfig, origin: Origin): ReadableBody | string {
  const options = { orgIds: source.orgIds, timezone: source.timezone };
  const parsed = parseBody(body, options);
  const toEvent = (event: CapillaryEvent, own: Uint8Array): NewEvent =>
    toNewEvent(event, source, { ...origin, body: own });
  if (!('elements' in parsed)) {
    return parsed.ok ? { source, origin, event: toEvent(parsed.event, body) } : problemOf(parsed);
  }
  let problem = '';
  for (const element of parsed.elements()) {
    const first = parseEvent(element, options);
    if (first.ok) {
      const event = toEvent(first.event, element);
      const elements = allExcept(parsed.elements(), element);
      return { source, origin, event, rest: { body, elements } };
    }
    problem ||= problemOf(first);
  }
  return problem;
}

function problemOf({ code, detail }: Extract<ParsedBody, { ok: false }>): string {
  return `${code}: ${detail}`;
}

/** The elements of the same array other than the one that begins where `excluded` does. */
function* allExcept(elements: Iterable<Uint8Array>, excluded: Uint8Array): Generator<Uint8Array> {
  for (const element of elements) {
    if (element.byteOffset !== excluded.byteOffset) yield element;
  }
}
