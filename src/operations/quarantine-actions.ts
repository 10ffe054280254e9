import type { IncomingHttpHeaders } from 'node:http';
import { clientAddress } from '../http/client-address.ts';
import { accept, type Acceptance } from '../intake/accept.ts';
import type { DuplicateJournal } from '../intake/duplicates.ts';
import type { EventFilter, EventRecord, Journal, Quarantined } from '../journal/journal.ts';
import type { ConfiguredSource, SourceTable } from '../sources/source-table.ts';
import type { SourceVerdict, VerifiedRequest } from '../sources/verifier.ts';
import { pagesOf } from './journal-pages.ts';
import { type ActionDetails, MAX_LISTED, problemsOf, type ReceiptProblem } from './receipt-problems.ts';

/** Requests with their bodies in memory at once. */
const PAGE_SIZE = 50;

export interface QuarantineParts {
  readonly journal: Pick<
    Journal,
    'listQuarantined' | 'removeQuarantined' | 'append' | 'appendMalformed' | 'find'
  > &
    DuplicateJournal;
  readonly sources: Pick<SourceTable, 'get'>;
  /** Maximum size of an inflated body in bytes. */
  readonly bodyLimit: number;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface QuarantineSelection {
  readonly filter: Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>;
  readonly by: string;
  readonly dryRun: boolean;
  /** Told the source of each request that is released. */
  readonly onReleased?: (source: string) => void;
}

interface ReleaseTotals {
  readonly matched: number;
  /** Journaled and removed from quarantine; 0 in a dry run. */
  readonly released: number;
  /** Released requests that the journal already had; an array if it had all events of it. */
  readonly duplicates: number;
  /** Released requests that are not events and have become malformed dead letters. */
  readonly malformed: number;
  readonly stillRefused: number;
}

export type ReleaseResult = ReleaseTotals & ActionDetails<Quarantined>;

type ReleaseCounts = { -readonly [K in keyof ReleaseTotals]: number };
interface VerifiedEntry {
  readonly receipt: string;
  readonly source: ConfiguredSource;
  readonly request: VerifiedRequest;
}

/**
 * Verifies quarantined requests again with the current verifiers and secrets, and accepts those
 * that pass. Signed timestamps are compared with the original time of receipt. Oldest first, so
 * that the events of a customer stay in order. A dry run verifies but accepts nothing.
 * @throws StoreError if the journal fails midway. What was released remains released, and calling
 *   again releases the rest.
 */
export async function releaseQuarantined(
  parts: QuarantineParts,
  { filter, by, dryRun, onReleased }: QuarantineSelection,
): Promise<ReleaseResult> {
  const counts: ReleaseCounts = { matched: 0, released: 0, duplicates: 0, malformed: 0, stillRefused: 0 };
  const receipts = await receiptsOf(parts, filter);
  const unknown = await receiptProblems(parts, filter, receipts);
  const refused: ReceiptProblem[] = [];
  let sample: readonly Quarantined[] = [];
  for (let end = receipts.length; end > 0; end -= PAGE_SIZE) {
    const chunk = receipts.slice(Math.max(0, end - PAGE_SIZE), end);
    const requests = await oldestFirst(parts, chunk);
    const verified: VerifiedEntry[] = [];
    const passing: Quarantined[] = [];
    for (const request of requests) {
      const verdict = verifyAgain(parts, request);
      if (verdict.ok) {
        verified.push({ receipt: request.receipt, ...verdict });
        passing.push(request);
      } else refused.push({ receipt: request.receipt, detail: `it is still refused: ${verdict.detail}` });
    }
    counts.matched += requests.length;
    counts.stillRefused += requests.length - verified.length;
    sample = [...passing.toReversed(), ...sample].slice(0, MAX_LISTED);
    if (!dryRun) {
      await acceptAll(parts, verified, by, counts);
      for (const { source } of verified) onReleased?.(source.config.name);
    }
  }
  const shown = filter.receipts === undefined ? refused.slice(-MAX_LISTED) : refused;
  const eligible = counts.matched - counts.stillRefused;
  return {
    ...counts,
    problems: [...unknown, ...shown.toReversed()],
    ...(dryRun ? { dryRun: { eligible, sample } } : {}),
  };
}

export interface QuarantineDiscard extends ActionDetails<Quarantined> {
  readonly matched: number;
  readonly discarded: number;
}

/** Deletes quarantined requests. A dry run only counts. */
export async function discardQuarantined(
  parts: QuarantineParts,
  { filter, dryRun }: Omit<QuarantineSelection, 'by' | 'onReleased'>,
): Promise<QuarantineDiscard> {
  const receipts = await receiptsOf(parts, filter);
  const problems = await receiptProblems(parts, filter, receipts);
  const matched = receipts.length;
  if (dryRun) {
    const first = receipts.slice(0, MAX_LISTED);
    const sample = first.length === 0 ? [] : (await oldestFirst(parts, first)).toReversed();
    return { matched, discarded: 0, problems, dryRun: { eligible: matched, sample } };
  }
  let discarded = 0;
  for (let start = 0; start < receipts.length; start += PAGE_SIZE) {
    const { removed } = await parts.journal.removeQuarantined(receipts.slice(start, start + PAGE_SIZE));
    discarded += removed;
  }
  return { matched, discarded, problems };
}

/** The given receipts that are not in the quarantine. */
function receiptProblems(
  { journal }: QuarantineParts,
  filter: QuarantineSelection['filter'],
  found: readonly string[],
): Promise<readonly ReceiptProblem[]> {
  const known = new Set(found);
  const missing = filter.receipts?.filter((receipt) => !known.has(receipt));
  return problemsOf(journal, missing, notQuarantined);
}

function notQuarantined({ event: { state } }: EventRecord): string {
  return `it is not in the quarantine: it was accepted and is ${state}`;
}

/** Newest first, as the journal lists them. Only receipts: the bodies might not fit in memory. */
async function receiptsOf(
  { journal }: QuarantineParts,
  filter: QuarantineSelection['filter'],
): Promise<string[]> {
  const receipts: string[] = [];
  for await (const items of pagesOf((page) => journal.listQuarantined(filter, page), PAGE_SIZE)) {
    receipts.push(...items.map(({ receipt }) => receipt));
  }
  return receipts;
}

async function oldestFirst(
  { journal }: QuarantineParts,
  receipts: readonly string[],
): Promise<Quarantined[]> {
  const requests: Quarantined[] = [];
  for await (const items of pagesOf((page) => journal.listQuarantined({ receipts }, page), PAGE_SIZE)) {
    requests.push(...items);
  }
  return requests.toReversed();
}

/** The verdict of the current verifiers; `detail` has their codes. */
export type NewVerdict =
  | { readonly ok: true; readonly source: ConfiguredSource; readonly request: VerifiedRequest }
  | { readonly ok: false; readonly detail: string };

/** Verifies a request as if it arrived again. */
export function verifyAgain(
  { sources }: Pick<QuarantineParts, 'sources'>,
  quarantined: Quarantined,
): NewVerdict {
  const { body, rawHeaders, receivedAt } = quarantined;
  // Earlier versions stored the entry of X-Forwarded-For as it was, with a port or brackets.
  const ip = clientAddress(quarantined.ip);
  const source = sources.get(quarantined.source);
  if (source === undefined) return { ok: false, detail: 'its source is no longer configured' };
  const headers = parseRawHeaders(rawHeaders);
  const verdict: SourceVerdict = source.verifier.verify({ body, headers, rawHeaders, ip, receivedAt });
  return verdict.ok
    ? { ok: true, source, request: verdict.request }
    : { ok: false, detail: verdict.reasons.join(', ') || 'its source has no verifiers' };
}

/**
 * Starts all writes in order before it awaits them, so that the journal can commit them together.
 */
async function acceptAll(
  parts: QuarantineParts,
  entries: readonly VerifiedEntry[],
  by: string,
  counts: ReleaseCounts,
): Promise<void> {
  const results = await Promise.allSettled(
    entries.map(({ receipt, source, request }) =>
      accept(parts, source.config, { ...request, released: { receipt, by } }),
    ),
  );
  const accepted = entries.filter((_, index) => results[index]?.status === 'fulfilled');
  // Removed only once journaled: after a crash in between, releasing the copy finds a duplicate.
  await parts.journal.removeQuarantined(accepted.map(({ receipt }) => receipt));
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason;
    countReleased(counts, result.value);
  }
}

function countReleased(counts: ReleaseCounts, result: Acceptance): void {
  const { status } = result;
  counts.released += 1;
  if (status === 'duplicate' || (status === 'array' && result.accepted.size === 0)) counts.duplicates += 1;
  if (status === 'malformed') counts.malformed += 1;
}

/**
 * The headers as received: names and lengths. Values are omitted because they may be credentials.
 */
export function headersOf(
  rawHeaders: readonly string[],
): readonly { readonly name: string; readonly characters: number }[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [{ name, characters: rawHeaders[index + 1]?.length ?? 0 }] : [],
  );
}

/** Rebuilds Node's headers object: lower-case names, values of a repeated name joined. */
export function parseRawHeaders(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const values = new Map<string, string[]>();
  for (const [index, name] of rawHeaders.entries()) {
    if (index % 2 === 1) continue;
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), rawHeaders[index + 1] ?? '']);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.join(', ')]));
}
