import type { IncomingHttpHeaders } from 'node:http';
import { clientAddress } from '../http/client-address.ts';
import { accept, type Acceptance } from '../intake/accept.ts';
import type { DuplicateJournal } from '../intake/duplicates.ts';
import type { EventFilter, Journal, Quarantined } from '../journal/journal.ts';
import type { ConfiguredSource, SourceTable } from '../sources/source-table.ts';
import type { VerifiedRequest } from '../sources/verifier.ts';
import { pagesOf } from './journal-pages.ts';

/** Requests with their bodies in memory at once. */
const PAGE_SIZE = 50;

export interface QuarantineParts {
  readonly journal: Pick<Journal, 'listQuarantined' | 'removeQuarantined' | 'append' | 'appendMalformed'> &
    DuplicateJournal;
  readonly sources: Pick<SourceTable, 'get'>;
  /** Maximum size of an inflated body in bytes. */
  readonly bodyLimit: number;
}

export interface QuarantineSelection {
  readonly filter: Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>;
  readonly dryRun: boolean;
}

export interface ReleaseResult {
  readonly matched: number;
  /** Journaled and removed from quarantine; 0 in a dry run. */
  readonly released: number;
  /** Released requests that the journal already had; an array if it had all events of it. */
  readonly duplicates: number;
  /** Released requests that are not events and have become malformed dead letters. */
  readonly malformed: number;
  readonly stillRefused: number;
}

type ReleaseCounts = { -readonly [K in keyof ReleaseResult]: number };
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
  { filter, dryRun }: QuarantineSelection,
): Promise<ReleaseResult> {
  const counts: ReleaseCounts = { matched: 0, released: 0, duplicates: 0, malformed: 0, stillRefused: 0 };
  const receipts = await receiptsOf(parts, filter);
  for (let end = receipts.length; end > 0; end -= PAGE_SIZE) {
    const chunk = receipts.slice(Math.max(0, end - PAGE_SIZE), end);
    const requests = await oldestFirst(parts, chunk);
    const verified = requests.flatMap((request) => verify(parts, request) ?? []);
    counts.matched += requests.length;
    counts.stillRefused += requests.length - verified.length;
    if (!dryRun) await acceptAll(parts, verified, counts);
  }
  return counts;
}

/** Deletes quarantined requests. A dry run only counts. */
export async function discardQuarantined(
  parts: QuarantineParts,
  { filter, dryRun }: QuarantineSelection,
): Promise<{ readonly matched: number; readonly discarded: number }> {
  const receipts = await receiptsOf(parts, filter);
  if (dryRun) return { matched: receipts.length, discarded: 0 };
  let discarded = 0;
  for (let start = 0; start < receipts.length; start += PAGE_SIZE) {
    const { removed } = await parts.journal.removeQuarantined(receipts.slice(start, start + PAGE_SIZE));
    discarded += removed;
  }
  return { matched: receipts.length, discarded };
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

function verify({ sources }: QuarantineParts, quarantined: Quarantined): VerifiedEntry | undefined {
  const { receipt, body, rawHeaders, receivedAt } = quarantined;
  // Earlier versions stored the entry of X-Forwarded-For as it was, with a port or brackets.
  const ip = clientAddress(quarantined.ip);
  const source = sources.get(quarantined.source);
  const headers = parseRawHeaders(rawHeaders);
  const verdict = source?.verifier.verify({ body, headers, rawHeaders, ip, receivedAt });
  return source !== undefined && verdict?.ok === true
    ? { receipt, source, request: verdict.request }
    : undefined;
}

/**
 * Starts all writes in order before it awaits them, so that the journal can commit them together.
 */
async function acceptAll(
  parts: QuarantineParts,
  entries: readonly VerifiedEntry[],
  counts: ReleaseCounts,
): Promise<void> {
  const results = await Promise.allSettled(
    entries.map(({ source, request }) => accept(parts, source.config, request)),
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

/** Header names as received. Values are omitted because they may be credentials. */
export function headerNames(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 0);
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
