import { createHash } from 'node:crypto';
import { deliveryMetrics, type DeliveryRow, LOG_PAGE_SIZE } from '../../capillary/api/delivery-log.ts';
import type { ApiResult } from '../../capillary/api/api-answer.ts';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import type { TimeRange } from '../../journal/landings.ts';
import { problemOf, RunEnded } from './call-problem.ts';
import type { LogPage, PageScan } from './log-page.ts';
import { pageParts } from './page-parts.ts';
import type { SentNotes, SlotProgress } from './sent-notes.ts';
import { createSlotTally, type SlotAccount, type SlotDifference } from './slot-account.ts';

export interface SlotScanParts {
  readonly client: Pick<CapillaryClient, 'get'>;
  readonly consumerGroupId: string;
  readonly page: LogPage;
  readonly notes: SentNotes;
  /** What repairs the profiles of events that the log does not have any more. */
  readonly beyondLogFix: string;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface ScannedSlot {
  readonly account: SlotAccount;
  readonly differences: readonly SlotDifference[];
}

/** Compares the events of one slot with the journal. */
export interface SlotScan {
  /**
   * How many events Capillary counts.
   * @throws RunEnded if it does not answer
   */
  count(range: TimeRange): Promise<number>;
  /**
   * Goes on where an interrupted scan of the slot was.
   * @returns undefined if nothing was ever sent
   * @throws RunEnded if Capillary does not answer, or the store has no space
   */
  scan(slot: TimeRange, scan: Pick<PageScan, 'knownSince' | 'resend'>): Promise<ScannedSlot | undefined>;
}

/** Pages after which the progress is stored. */
const PAGES_PER_NOTE = 10;
/** Counts of younger events can be ahead of the log. */
const COUNTS_SETTLED_MS = 600_000;

/** @throws RunEnded */
function valueOf<T>(result: ApiResult<T>): T {
  if (!result.ok) throw new RunEnded(problemOf(result.error));
  return result.value;
}

/** A row without an id is known by what it has; as a hash, because it is stored. */
function rowKey({ id, eventId, eventName, generatedAt, body, wrapper }: DeliveryRow): string {
  if (id !== '') return id;
  const parts = [eventName, eventId, generatedAt, body, wrapper];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** It is not documented whether a window has its end, so more is asked for than counts. */
function rowsWithin(rows: readonly DeliveryRow[], { from, until }: TimeRange): readonly DeliveryRow[] {
  return rows.filter(
    ({ generatedAt }) => generatedAt === undefined || (generatedAt >= from && generatedAt < until),
  );
}

export function createSlotScan(parts: SlotScanParts): SlotScan {
  const { client, consumerGroupId, page: pages, notes, now } = parts;

  const count = async ({ from, until }: TimeRange): Promise<number> =>
    valueOf(await deliveryMetrics(client, consumerGroupId, { from, to: until - 1 })).total;

  /** Of the slot, also if it was shorter then. */
  const progressOf = ({ from }: TimeRange): SlotProgress | undefined =>
    notes.progress?.from === from ? notes.progress : undefined;

  return {
    count,
    async scan(slot, { knownSince, resend }) {
      const before = notes.account(slot.from);
      const stopped = progressOf(slot);
      const isSame = stopped?.until === slot.until && stopped.resend === resend;
      const started = isSame ? stopped : undefined;
      const keptBefore = { ...before?.kept, ...stopped?.account.kept };
      const counted = started?.counted ?? (await count(slot));
      if (counted === 0 && before === undefined) return undefined;
      const tally = createSlotTally(slot, started);
      // A row that is added meanwhile moves others to the next page. A number of pages that is
      // absent or too small hides no rows, and a page that comes again and again ends the scan.
      let seen = new Set(started?.rowIds);
      for (let page = started?.page ?? 1; ; page += 1) {
        const keptCount = Object.keys(tally.account.kept).length;
        const query = { from: slot.from, to: slot.until, page };
        const keys = new Set<string>();
        let [totalPages, rowCount, isNew] = [0, 0, false];
        for await (const part of pageParts(client, consumerGroupId, query)) {
          const found = valueOf(part);
          const fresh = found.rows.filter((row) => !seen.has(rowKey(row)) && !keys.has(rowKey(row)));
          await pages.scan(rowsWithin(fresh, slot), tally, { knownSince, resend, kept: keptBefore });
          for (const row of found.rows) keys.add(rowKey(row));
          ({ totalPages } = found);
          rowCount += found.rows.length;
          isNew ||= fresh.length > 0;
        }
        if (rowCount === 0 || (page >= totalPages && !(isNew && rowCount >= LOG_PAGE_SIZE))) break;
        seen = keys;
        const hasKept = Object.keys(tally.account.kept).length > keptCount;
        if (page % PAGES_PER_NOTE !== 0 && !hasKept) continue;
        const { account, differences } = tally;
        const progress = {
          ...slot,
          page: page + 1,
          counted,
          resend,
          account,
          differences,
          rowIds: [...seen],
        };
        await notes.save({ progress });
      }
      for (const [row, receipt] of Object.entries(keptBefore))
        if (!Object.hasOwn(tally.account.kept, row)) tally.keep(row, receipt);
      if (slot.until <= now() - COUNTS_SETTLED_MS) tally.addBeyondLog(counted, before, parts.beyondLogFix);
      return { account: tally.account, differences: tally.differences };
    },
  };
}
