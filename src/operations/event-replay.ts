import { parseEvent } from '../capillary/event-parser.ts';
import { toNewEvent } from '../intake/accept.ts';
import { differsFromFirst, type DuplicateJournal } from '../intake/duplicates.ts';
import {
  type Appended,
  type EventRecord,
  type Journal,
  type NewEvent,
  RefusedError,
} from '../journal/journal.ts';
import type { SourceTable } from '../sources/source-table.ts';

interface EventReplayParts {
  readonly journal: Pick<Journal, 'replay' | 'promote'> & DuplicateJournal;
  readonly sources: Pick<SourceTable, 'get'>;
  readonly now: () => number;
}

/** `duplicate`: the malformed body is an event that the journal has under another receipt. */
export type EventReplayResult =
  | { readonly ok: true; readonly receipt: string; readonly duplicate: boolean }
  | { readonly ok: false; readonly detail: string };

const STATE_CHANGED = 'its state has changed in the meantime; check it again';

/** Replays one event in any settled state, or promotes one malformed body. */
export async function replayEvent(
  parts: EventReplayParts,
  record: EventRecord,
  options: { readonly asNew: boolean; readonly by: string },
): Promise<EventReplayResult> {
  const { receipt, state } = record.event;
  if (state === 'pending') return refuse('it is pending and will be delivered without a replay');
  if (record.body === undefined)
    return refuse('its body is gone (retention, discard or erasure) or cannot be read');
  if (state === 'malformed') return promoteEvent(parts, record, options.by);
  const { replayed } = await parts.journal.replay({
    filter: { receipts: [receipt] },
    asNew: options.asNew,
    by: options.by,
    now: parts.now(),
  });
  return replayed === 1 ? { ok: true, receipt, duplicate: false } : refuse(STATE_CHANGED);
}

async function promoteEvent(
  { journal, sources }: EventReplayParts,
  record: EventRecord,
  by: string,
): Promise<EventReplayResult> {
  const parsed = reparse(sources, record);
  if (!parsed.ok) return refuse(`it is still malformed: ${parsed.detail}`);
  const appended = await promote(journal, record.event.receipt, parsed.event, by);
  if (appended === undefined) return refuse(STATE_CHANGED);
  return { ok: true, receipt: appended.receipt, duplicate: appended.duplicate };
}

function refuse(detail: string): EventReplayResult {
  return { ok: false, detail };
}

/** `detail` contains nothing of the body. */
export type ReparseResult =
  | { readonly ok: true; readonly event: NewEvent }
  | { readonly ok: false; readonly detail: string };

/** Parses a stored malformed body again, with the current configuration of its source. */
export function reparse(sources: Pick<SourceTable, 'get'>, { event, body }: EventRecord): ReparseResult {
  const source = sources.get(event.source)?.config;
  if (source === undefined) return { ok: false, detail: 'its source is no longer configured' };
  if (body === undefined) return { ok: false, detail: 'its body is gone or cannot be read' };
  const parsed = parseEvent(body, { orgIds: source.orgIds ?? [], timezone: source.timezone });
  if (!parsed.ok) return { ok: false, detail: `${parsed.code}: ${parsed.detail}` };
  const { receivedAt, verifiedBy } = event;
  return { ok: true, event: toNewEvent(parsed.event, source, { receivedAt, verifiedBy, body }) };
}

/**
 * Turns a malformed body into an accepted event. A duplicate is compared with its first, as at the
 * intake.
 * @returns undefined if it has been promoted or discarded in the meantime
 */
export async function promote(
  journal: Pick<Journal, 'promote'> & DuplicateJournal,
  receipt: string,
  event: NewEvent,
  by: string,
): Promise<Appended | undefined> {
  try {
    const appended = await journal.promote(receipt, event, by);
    if (appended.duplicate) await differsFromFirst(journal, appended, event);
    return appended;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
