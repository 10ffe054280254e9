import { parseEvent } from '../capillary/envelope.ts';
import { newEvent } from '../intake/accept.ts';
import type { SourceTable } from '../sources/source-table.ts';
import {
  type Appended,
  type EventRecord,
  type Journal,
  type NewEvent,
  RefusedError,
} from '../journal/journal.ts';

/** What today's configuration makes of a malformed body; `detail` holds nothing of the body. */
export type Rereading =
  | { readonly ok: true; readonly event: NewEvent }
  | { readonly ok: false; readonly detail: string };

/** Reads a kept malformed body again, under the source as it is configured now. */
export function reread(sources: Pick<SourceTable, 'get'>, { event, body }: EventRecord): Rereading {
  const source = sources.get(event.source)?.config;
  if (source === undefined) return { ok: false, detail: 'its source is not configured any more' };
  if (body === undefined) return { ok: false, detail: 'its body is gone or cannot be read' };
  const parsed = parseEvent(body, source.orgIds === undefined ? {} : { orgIds: source.orgIds });
  if (!parsed.ok) return { ok: false, detail: `${parsed.code}: ${parsed.detail}` };
  const { receivedAt, verifiedBy } = event;
  return { ok: true, event: newEvent(parsed.event, source, { receivedAt, verifiedBy, body }) };
}

/** Turns a malformed body into an accepted event. Undefined: somebody else promoted or discarded it in the meantime. */
export async function promote(
  journal: Pick<Journal, 'promote'>,
  receipt: string,
  event: NewEvent,
  by: string,
): Promise<Appended | undefined> {
  try {
    return await journal.promote(receipt, event, by);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
