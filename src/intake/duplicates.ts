import { canonicalJson } from '../capillary/event-identity.ts';
import { parseEvent } from '../capillary/event-parser.ts';
import type { JsonObject } from '../capillary/json.ts';
import { type Appended, type Journal, type NewEvent, StoreError } from '../journal/journal.ts';

/** What the comparison of a copy with its first needs of the journal. */
export type DuplicateJournal = Pick<Journal, 'find' | 'recordDifferingCopy'>;

/** Number of duplicates by whether their data differs from that of their first. */
export type DuplicateCounts = ReadonlyMap<'true' | 'false' | 'unknown', number>;

/**
 * Compares the `data` of a duplicate with that of the first event of its identity, and records a
 * difference with the first: two events may have been given one id
 * (docs/platforms/capillary.md#event-id). Spelling does not count (order of keys, `1.0` for `1`),
 * nor do the other fields of the envelope.
 *
 * @param appended the answer of the journal to the duplicate
 * @returns undefined if the first body is gone, or the store does not answer: then the duplicate is
 *   a duplicate all the same
 */
export async function differsFromFirst(
  journal: DuplicateJournal,
  { receipt, sameBody }: Appended,
  copy: Pick<NewEvent, 'orgId' | 'body'>,
): Promise<boolean | undefined> {
  if (sameBody !== false) {
    return sameBody === undefined ? undefined : false;
  }
  try {
    const first = dataOf((await journal.find(receipt))?.body, copy.orgId);
    const own = dataOf(copy.body, copy.orgId);
    if (first === undefined || own === undefined) {
      return undefined;
    }
    const differs = canonicalJson(first) !== canonicalJson(own);
    if (differs) {
      await journal.recordDifferingCopy(receipt);
    }
    return differs;
  } catch (error) {
    if (error instanceof StoreError) {
      return undefined;
    }
    throw error;
  }
}

function dataOf(body: Uint8Array | undefined, orgId: number): JsonObject | undefined {
  const parsed = body && parseEvent(body, { orgIds: [orgId] });
  return parsed?.ok === true ? parsed.event.data : undefined;
}
