import type { EventRecord, Journal, ReplayRequest } from '../journal/journal.ts';
import { promoteBody, type PromotionParts } from './malformed-body.ts';
import { IS_PENDING, NO_BODY } from './receipt-problems.ts';

interface EventReplayParts extends PromotionParts {
  readonly journal: PromotionParts['journal'] & Pick<Journal, 'replay'>;
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
  options: Pick<ReplayRequest, 'asNew' | 'by' | 'refetch'>,
): Promise<EventReplayResult> {
  const { receipt, state } = record.event;
  if (state === 'pending') return refuse(IS_PENDING);
  if (record.body === undefined) return refuse(NO_BODY);
  if (state === 'malformed') return promoteEvent(parts, record, options.by);
  const { replayed } = await parts.journal.replay({
    filter: { receipts: [receipt] },
    ...options,
  });
  return replayed === 1 ? { ok: true, receipt, duplicate: false } : refuse(STATE_CHANGED);
}

async function promoteEvent(
  parts: EventReplayParts,
  record: EventRecord,
  by: string,
): Promise<EventReplayResult> {
  const promotion = await promoteBody(parts, record, { by, dryRun: false });
  switch (promotion.outcome) {
    case 'still-malformed':
      return refuse(`it is still malformed: ${promotion.detail}`);
    case 'readable':
    case 'unchanged':
      return refuse(STATE_CHANGED);
    case 'promoted':
    case 'duplicate':
      return { ok: true, receipt: promotion.receipt, duplicate: promotion.outcome === 'duplicate' };
  }
}

function refuse(detail: string): EventReplayResult {
  return { ok: false, detail };
}
