import type { EventRecord } from '../journal/journal.ts';
import { promote, reread } from './promotion.ts';
import type { ReplayOrder, ReplayParts } from './replay.ts';

/** What became of one replay. `duplicate`: the malformed body is an event that the journal has under another receipt. */
export type EventReplay =
  | { readonly ok: true; readonly receipt: string; readonly duplicate: boolean }
  | { readonly ok: false; readonly detail: string };

const CHANGED = 'its state changed in the meantime; look at it again';

/** Replays one event of any settled state, or promotes one malformed body. */
export async function replayEvent(
  parts: Pick<ReplayParts, 'sources' | 'now'> & {
    readonly journal: Pick<ReplayParts['journal'], 'replay' | 'promote'>;
  },
  record: EventRecord,
  order: Pick<ReplayOrder, 'asNew' | 'by'>,
): Promise<EventReplay> {
  const { receipt, state } = record.event;
  if (state === 'pending') return refused('it is pending: it will be delivered without a replay');
  if (record.body === undefined)
    return refused('its body is gone, by retention, discard or erasure, or cannot be read');
  if (state === 'malformed') return promoteEvent(parts, record, order.by);
  const { replayed } = await parts.journal.replay({
    filter: { receipts: [receipt] },
    asNew: order.asNew,
    by: order.by,
    now: parts.now(),
  });
  return replayed === 1 ? { ok: true, receipt, duplicate: false } : refused(CHANGED);
}

async function promoteEvent(
  { journal, sources }: Parameters<typeof replayEvent>[0],
  record: EventRecord,
  by: string,
): Promise<EventReplay> {
  const reading = reread(sources, record);
  if (!reading.ok) return refused(`it is still malformed: ${reading.detail}`);
  const appended = await promote(journal, record.event.receipt, reading.event, by);
  return appended === undefined ? refused(CHANGED) : { ok: true, ...appended };
}

function refused(detail: string): EventReplay {
  return { ok: false, detail };
}
