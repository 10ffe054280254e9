import { type Acceptance, accept } from '../intake/accept.ts';
import type { IntakeSource, SourceTable } from '../sources/source-table.ts';
import type { EventFilter, Journal, Quarantined } from '../journal/journal.ts';
import type { VerifiedRequest } from '../sources/verifier.ts';
import { pagesOf } from './pages.ts';
import { headersOf } from './raw-headers.ts';

/** Requests with their bodies in memory at once. */
const PAGE = 50;

export interface QuarantineParts {
  readonly journal: Pick<Journal, 'listQuarantined' | 'removeQuarantined' | 'append' | 'appendMalformed'>;
  readonly sources: Pick<SourceTable, 'get'>;
}

export interface QuarantineOrder {
  readonly filter: Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>;
  readonly dryRun: boolean;
}

export interface Released {
  readonly matched: number;
  /** Journaled and out of quarantine; 0 in a dry run. */
  readonly released: number;
  /** Of the released, those the journal had already. */
  readonly duplicates: number;
  /** Of the released, those that are no events and lie in the dead letters now. */
  readonly malformed: number;
  readonly stillRefused: number;
}

type Tally = { -readonly [K in keyof Released]: number };
type Proven = { readonly receipt: string; readonly source: IntakeSource; readonly request: VerifiedRequest };

/**
 * Verifies quarantined requests again, with the verifiers and secrets of now, and takes in those that pass. A signed time is judged by when the
 * request came. Oldest first, so that events of one customer keep their order. A dry run verifies but takes in nothing.
 * @throws StoreError when the journal fails midway; what was released stays so, and calling again does the rest
 */
export async function releaseQuarantined(
  parts: QuarantineParts,
  { filter, dryRun }: QuarantineOrder,
): Promise<Released> {
  const tally: Tally = { matched: 0, released: 0, duplicates: 0, malformed: 0, stillRefused: 0 };
  const receipts = await receiptsOf(parts, filter);
  for (let end = receipts.length; end > 0; end -= PAGE) {
    const chunk = receipts.slice(Math.max(0, end - PAGE), end);
    const requests = await oldestFirst(parts, chunk);
    const proven = requests.flatMap((request) => prove(parts, request) ?? []);
    tally.matched += requests.length;
    tally.stillRefused += requests.length - proven.length;
    if (!dryRun) await takeIn(parts, proven, tally);
  }
  return tally;
}

/** Removes quarantined requests for good. A dry run only counts. */
export async function discardQuarantined(
  parts: QuarantineParts,
  { filter, dryRun }: QuarantineOrder,
): Promise<{ readonly matched: number; readonly discarded: number }> {
  const receipts = await receiptsOf(parts, filter);
  if (dryRun) return { matched: receipts.length, discarded: 0 };
  let discarded = 0;
  for (let start = 0; start < receipts.length; start += PAGE) {
    const { removed } = await parts.journal.removeQuarantined(receipts.slice(start, start + PAGE));
    discarded += removed;
  }
  return { matched: receipts.length, discarded };
}

/** Newest first, as the journal lists them. Only receipts: the bodies could fill the memory. */
async function receiptsOf(
  { journal }: QuarantineParts,
  filter: QuarantineOrder['filter'],
): Promise<string[]> {
  const receipts: string[] = [];
  for await (const items of pagesOf((page) => journal.listQuarantined(filter, page), PAGE)) {
    receipts.push(...items.map(({ receipt }) => receipt));
  }
  return receipts;
}

async function oldestFirst(
  { journal }: QuarantineParts,
  receipts: readonly string[],
): Promise<Quarantined[]> {
  const requests: Quarantined[] = [];
  for await (const items of pagesOf((page) => journal.listQuarantined({ receipts }, page), PAGE)) {
    requests.push(...items);
  }
  return requests.toReversed();
}

function prove({ sources }: QuarantineParts, quarantined: Quarantined): Proven | undefined {
  const { receipt, body, rawHeaders, ip, receivedAt } = quarantined;
  const source = sources.get(quarantined.source);
  const headers = headersOf(rawHeaders);
  const verdict = source?.verifier.verify({ body, headers, rawHeaders, ip, receivedAt });
  return source !== undefined && verdict?.ok === true
    ? { receipt, source, request: verdict.request }
    : undefined;
}

/** The writes are begun in order and wait together, so that the journal may commit them together. */
async function takeIn(parts: QuarantineParts, proven: readonly Proven[], tally: Tally): Promise<void> {
  const results = await Promise.allSettled(
    proven.map(({ source, request }) => accept(parts.journal, source.config, request)),
  );
  const taken = proven.filter((_, index) => results[index]?.status === 'fulfilled');
  // Kept until it is journaled: a crash in between leaves a copy, and releasing that one only finds a duplicate.
  await parts.journal.removeQuarantined(taken.map(({ receipt }) => receipt));
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason;
    addTo(tally, result.value);
  }
}

function addTo(tally: Tally, { status }: Acceptance): void {
  tally.released += 1;
  if (status === 'duplicate') tally.duplicates += 1;
  if (status === 'malformed') tally.malformed += 1;
}
